"""Talks to a running clamd over its socket: which databases it has loaded, loading new ones."""

import os
import re
import socket

CONFIGURATIONS = ("/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf")
TIMEOUT = 20


def parse_address(text):
    """Where clamd listens by its configuration: a path, a (host, port) pair, or None."""
    values = {}
    for line in text.splitlines():
        match = re.match(r"^\s*(LocalSocket|TCPSocket|TCPAddr)\s+(\S+)", line)
        if match:
            values.setdefault(match.group(1), match.group(2))
    if "LocalSocket" in values:
        return values["LocalSocket"]
    if values.get("TCPSocket", "").isdigit():
        return values.get("TCPAddr", "localhost"), int(values["TCPSocket"])
    return None


def address():
    """Where the host's clamd listens, or None when no configuration says so."""
    for path in CONFIGURATIONS:
        if os.path.exists(path):
            with open(path, "r", encoding="utf-8", errors="replace") as stream:
                return parse_address(stream.read(1024 * 1024))
    return None


def ask(command, where=None):
    """clamd's answer to `PING`, `VERSION` or `RELOAD`; raises OSError when it does not answer."""
    where = where or address()
    if where is None:
        raise OSError("clamd's configuration names no socket")
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(where)
        connection.sendall(("z%s\0" % command).encode("ascii"))
        answer = b""
        while b"\0" not in answer and len(answer) < 4096:
            block = connection.recv(4096)
            if not block:
                break
            answer += block
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def daily_version(answer):
    """The daily database's version that clamd has loaded, from `ClamAV 1.0.7/27393/Mon Sep …`."""
    match = re.match(r"^ClamAV [^/]+/(\d+)/", answer)
    return match.group(1) if match else ""
