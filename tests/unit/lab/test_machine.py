"""Where a lab cannot be made, every reason is named at once, with exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.lab import machine
from orchestrator.model.errors import UsageError


def on(monkeypatch: pytest.MonkeyPatch, release: dict[str, str], uid: int) -> None:
    monkeypatch.setattr(machine, "read_os_release", lambda: release)
    monkeypatch.setattr(os, "geteuid", lambda: uid)


DEBIAN = {"ID": "debian", "VERSION_CODENAME": "bookworm", "PRETTY_NAME": "Debian"}


def test_an_ordinary_user_learns_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, {"ID": "fedora", "PRETTY_NAME": "Fedora Linux 41"}, 1000)
    monkeypatch.setattr(machine.shutil, "which", lambda tool, path: None)
    with pytest.raises(UsageError) as caught:
        machine.check_machine()
    message = caught.value.message
    assert caught.value.exit_code == 2
    for reason in ("Fedora Linux 41", "needs root", "mmdebstrap", "systemd-container"):
        assert reason in message


def test_root_on_debian_may(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, DEBIAN, 0)
    assert machine.check_machine()["VERSION_CODENAME"] == "bookworm"


def test_only_missing_packages_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, DEBIAN, 0)
    installed: set[str] = set(machine.TOOLS) - {"mmdebstrap", "rpmbuild"}
    calls: list[list[str]] = []

    def run(argv: list[str]) -> str:
        calls.append(argv)
        if "install" in argv:
            installed.update(machine.TOOLS)
        return "amd64\n"

    monkeypatch.setattr(machine, "run", run)
    monkeypatch.setattr(
        machine.shutil, "which", lambda tool, path: tool if tool in installed else None
    )
    lines: list[str] = []
    made = machine.prepare_machine(lines.append)
    assert made == machine.Machine("debian", "bookworm", "amd64")
    install = next(argv for argv in calls if "install" in argv)
    assert install[install.index("install") :] == [
        "install",
        "--no-install-recommends",
        "mmdebstrap",
        "rpm",
    ]
    assert lines == ["tools: installing mmdebstrap rpm"]


def test_os_release_is_read(tmp_path: Path) -> None:
    path = tmp_path / "os-release"
    path.write_text('# x\nID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    assert machine.read_os_release(path) == {
        "ID": "debian",
        "PRETTY_NAME": "Debian GNU/Linux 12",
    }
    assert machine.read_os_release(tmp_path / "none") == {}
