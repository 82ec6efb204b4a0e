"""The office's checks against a real web server and real commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hostside import checks


class Page(BaseHTTPRequestHandler):
    """Answers 200 with a greeting, 503 on /broken."""

    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(b"Selamat\x1b[31m datang\n")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def one(**check: Any) -> dict[str, Any]:
    return dict(checks.run_all([check])[0])


def test_http_passes_on_status_and_text(port: int) -> None:
    found = one(name="page", type="http", url=f"http://127.0.0.1:{port}/", text="Selamat")
    assert (found["result"], found["kind"], found["required"]) == ("passed", "http", True)
    assert "\x1b" not in found["evidence"]


def test_http_fails_on_text_and_on_status(port: int) -> None:
    wrong = one(type="http", url=f"http://127.0.0.1:{port}/", text="Goodbye")
    assert wrong["result"] == "failed"
    assert "Goodbye" in wrong["evidence"]
    broken = one(type="http", url=f"http://127.0.0.1:{port}/broken")
    assert "HTTP 503 instead of 200" in broken["evidence"]
    assert one(type="http", url=f"http://127.0.0.1:{port}/broken", status=503)["result"] == "passed"


def test_port(port: int) -> None:
    for form in (port, str(port), f"tcp/{port}", f"127.0.0.1:{port}"):
        assert one(type="port", port=form)["result"] == "passed", form
    with pytest.raises(ValueError, match=r"`port: ssh`"):
        one(type="port", port="ssh")


def test_nothing_listens() -> None:
    assert "refused" in one(type="port", port="127.0.0.1:1")["evidence"]
    assert "no answer" in one(type="http", url="http://127.0.0.1:1/")["evidence"]


def test_command_runs_without_a_shell() -> None:
    found = one(type="command", argv=["echo", "$HOME", ";", "false"], text="$HOME ; false")
    assert found["result"] == "passed"
    assert one(type="command", argv=["sh", "-c", "exit 3"], status=3)["result"] == "passed"
    assert "exit code 3" in one(type="command", argv=["sh", "-c", "exit 3"])["evidence"]
    assert one(type="command", argv=["no-such-program"])["result"] == "failed"


def test_a_late_service_is_waited_for_and_a_healthy_one_is_not(port: int) -> None:
    began = time.monotonic()
    late = ["sh", "-c", f"test $(date +%s) -ge {int(time.time()) + 2}"]
    found = checks.run_all(
        [{"type": "command", "argv": late}, {"type": "port", "port": port}], settle_seconds=10
    )
    assert [r["result"] for r in found] == ["passed", "passed"]
    assert found[1]["seconds"] < 0.5
    assert time.monotonic() - began < 6


def test_what_failed_before_is_preexisting_and_not_waited_for() -> None:
    check = {"name": "old", "type": "command", "argv": ["false"]}
    before = checks.run_all([check])
    began = time.monotonic()
    assert checks.run_all([check], 20, before)[0]["result"] == "preexisting"
    assert time.monotonic() - began < 2


def test_every_malformed_definition_is_named() -> None:
    bad = [{"type": "http"}, {"type": "magic"}, "text", {"type": "port", "port": 22}]
    with pytest.raises(ValueError, match=r"\[0\].*url.*\[1\].*\[2\]") as caught:
        checks.run_all(bad)
    assert "[3]" not in str(caught.value)


@pytest.mark.parametrize(("given", "meant"), [({}, True), ({"required": False}, False)])
def test_required_unless_the_office_says_no(given: dict[str, Any], meant: bool) -> None:
    assert one(type="command", argv=["true"], **given)["required"] is meant
