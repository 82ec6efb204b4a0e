"""The way by which the control node came in: read from what the host says, judged with care."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from hostside import systemd, wayin
from hostside.answer import Answer

ADDRESSES = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever
2: host0@if7    inet 10.99.0.11/16 scope global host0\\       valid_lft forever
2: host0    inet6 FE80::1/64 scope link \\       valid_lft forever preferred_lft forever
3: br-lan.5    inet 192.0.2.5/24 brd 192.0.2.255 scope global br-lan.5\\       valid_lft forever
"""


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (
            "10.99.0.1 51234 10.99.0.11 22",
            {"peer": "10.99.0.1", "address": "10.99.0.11", "port": 22},
        ),
        (
            "::ffff:192.0.2.1 1 ::ffff:192.0.2.5 2222",
            {"peer": "192.0.2.1", "address": "192.0.2.5", "port": 2222},
        ),
        (
            "fe80::2%eth0 1 fe80::1%eth0 22",
            {"peer": "fe80::2", "address": "fe80::1", "port": 22},
        ),
        ("", None),
        ("a b c 22", None),
        ("10.0.0.1 1 10.0.0.2 x", None),
    ],
)
def test_the_connection_that_sshd_names(text: str, way: dict[str, Any] | None) -> None:
    assert wayin.parse_connection(text) == way


def test_which_interface_has_an_address() -> None:
    assert wayin.parse_owners(ADDRESSES) == {
        "127.0.0.1": "lo",
        "::1": "lo",
        "10.99.0.11": "host0",
        "fe80::1": "host0",
        "192.0.2.5": "br-lan.5",
    }


def test_the_connection_is_found_above_a_program_without_it() -> None:
    """As below sudo, which takes it out of the environment."""
    program = "from hostside import wayin; print(wayin.connection()['port'])"
    below = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}], env={{}})"
    environment = {**os.environ, "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 2200"}
    done = subprocess.run(
        [sys.executable, "-c", below], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2200\n", done.stderr


def test_a_port_that_nobody_listens_on() -> None:
    floor = systemd.ephemeral_floor()
    with socket.socket() as listening:
        port = next(p for p in range(floor - 1, floor - 500, -1) if bound(listening, p))
        way = {"peer": "127.0.0.1", "address": "127.0.0.1", "port": port, "interface": ""}
        listening.listen()
        assert wayin.broken(way) == ("", "")
    assert wayin.broken(way) == ("ssh", f"nothing listens on port {port} any more")


def bound(listening: socket.socket, port: int) -> bool:
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("interface", "carrier", "kind"),
    [("lo", "1", "network"), ("lo", "0", ""), ("", "1", "")],
)
def test_an_address_that_is_gone_counts_only_on_a_line_with_a_carrier(
    monkeypatch: pytest.MonkeyPatch, interface: str, carrier: str, kind: str
) -> None:
    monkeypatch.setattr(systemd, "listening_ports", lambda: ["tcp/22"])
    monkeypatch.setattr(
        wayin.hostinfo, "read", lambda path, limit=0: carrier if "carrier" in path else ""
    )
    way = {"peer": "192.0.2.1", "address": "192.0.2.5", "port": 22, "interface": interface}
    assert wayin.broken(way)[0] == kind


def test_the_network_is_restarted_only_when_it_is_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(systemd, "available", lambda: True)
    monkeypatch.setattr(systemd, "active_units", lambda: ["networking.service"])
    monkeypatch.setattr(wayin, "run", lambda argv, timeout: calls.append(argv))
    before = ["networking.service", "ssh.service"]
    wayin.mend("ssh", before)
    assert calls[-1] == ["systemctl", "start", "ssh.service"]
    assert not any("networking.service" in call for call in calls)
    wayin.mend("network", before)
    assert ["systemctl", "restart", "networking.service"] in calls


@pytest.mark.parametrize(
    ("seen", "status", "codes", "restored"),
    [
        ([""], "ok", [], 0),
        (["ssh is gone", ""], "ok", ["way-in-mended"], 0),
        (["ssh is gone", "ssh is gone", ""], "failed", ["way-in-lost"], 1),
        (["ssh is gone"] * 3, "failed", ["way-in-lost"], 1),
    ],
)
def test_a_host_is_put_back_only_when_starting_services_did_not_help(
    monkeypatch: pytest.MonkeyPatch, seen: list[str], status: str, codes: list[str], restored: int
) -> None:
    looks, done = iter(seen), []
    monkeypatch.setattr(wayin, "stays_broken", lambda way, mended=False: ("ssh", next(looks)))
    monkeypatch.setattr(wayin, "mend", lambda kind, active: None)
    answer = Answer("update")
    assert wayin.guard({}, [], answer, lambda: done.append(1) or "") is bool(restored)
    assert answer.status == status
    assert [problem["code"] for problem in answer.problems] == codes
    assert len(done) == restored
