"""Real services on loopback that take notifications: a web hook and a mail server."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What arrived, and where to send it."""

    address: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200  # what the web hook answers

    def take(self) -> list[dict[str, Any]]:
        """What arrived since the last call."""
        taken, self.messages[:] = list(self.messages), []
        return taken


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def web_hook() -> Iterator[Received]:
    """A web hook that takes JSON, as chat services have them."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if received.status == 200:
                received.messages.append(json.loads(body))
            self.send_response(received.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.address = f"json://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield received


@contextmanager
def mail_server() -> Iterator[Received]:
    """A mail server that takes every mail (RFC 5321, as much of it as a client needs)."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example.test\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(text)
                    mail = message_from_bytes(b"".join(lines), policy=policy.default)
                    part = mail.get_body(("plain",))
                    received.messages.append(
                        {
                            "title": str(mail["Subject"]),
                            "to": str(mail["To"]),
                            "message": part.get_content() if part else "",
                        }
                    )
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    received.address = (
        f"mailto://127.0.0.1:{port}/?from=sop@example.test&to=kepala@example.test&mode=insecure"
    )
    with serving(server):
        yield received
