"""Kernel limits: raised by the first lab, put back by the last, never lowered."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab import limits

FEW, MANY = "few", "many"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of files: two limits, one too low, one high enough."""
    for name in ("run", "proc", "netns"):
        (tmp_path / name).mkdir()
    (tmp_path / "proc" / FEW).write_text("128")
    (tmp_path / "proc" / MANY).write_text("99999")
    monkeypatch.setattr(limits, "FOLDER", tmp_path / "run/sop-run-lab")
    monkeypatch.setattr(limits, "SYSCTL", tmp_path / "proc")
    monkeypatch.setattr(limits, "NAMESPACES", tmp_path / "netns")
    monkeypatch.setattr(limits, "WANTED", {FEW: 1000, MANY: 1000})
    return tmp_path


def values(machine: Path) -> tuple[str, str]:
    return (machine / "proc" / FEW).read_text(), (machine / "proc" / MANY).read_text()


def test_the_last_lab_puts_the_limits_back(machine: Path) -> None:
    for prefix in ("sop-a", "sop-b"):
        limits.raise_limits(prefix)
        (machine / "netns" / prefix).touch()
        assert values(machine) == ("1000", "99999")
    assert limits.registered() == ["sop-a", "sop-b"]
    limits.restore_limits("sop-a")
    assert values(machine) == ("1000", "99999")
    limits.restore_limits("sop-b")
    assert values(machine) == ("128", "99999")
    assert not limits.FOLDER.exists()


def test_a_lab_that_ended_with_the_machine_does_not_count(machine: Path) -> None:
    limits.raise_limits("sop-gone")
    limits.raise_limits("sop-b")
    limits.restore_limits("sop-b")
    assert values(machine) == ("128", "99999")


def test_restoring_twice_does_nothing() -> None:
    limits.raise_limits("sop-a")
    limits.restore_limits("sop-a")
    limits.restore_limits("sop-a")
    assert limits.registered() == []
