"""An office that installs the wheel, with pipx or pip, has everything that a checkout has."""

from __future__ import annotations

from pathlib import Path

from tests.cli import sop_run
from tests.local.conftest import LocalOffice, only_this_machine

PERIOD = ("monthly", "--period", "2026-11")


def test_a_whole_cycle_from_another_folder(installed: Path, tmp_path: Path) -> None:
    called = sop_run("init", tmp_path / "office", program=installed)
    assert called.code == 0, called.text
    office = LocalOffice(tmp_path / "office", installed)
    only_this_machine(office)
    assert office.run(*PERIOD).code == 3
    assert office.sign("analis", *office.defer_all()).code == 3
    assert office.sign("kepala").code == 0
    assert office.run(*PERIOD).code == 3
    for officer, code in (("analis", 3), ("pengelola", 3), ("jf", 3), ("kepala", 0)):
        assert office.sign(officer).code == code
    closed = office.run(*PERIOD)
    assert closed.code in (0, 1) and "Cycle 2026-11 is closed" in closed.out, closed.text
    audit = office.run("audit", "2026-11")
    assert audit.code == 0 and "Everything holds" in audit.out, audit.text


def test_without_an_inventory_this_machine_is_looked_at(installed: Path, tmp_path: Path) -> None:
    """Cycles then lie where the user stands, never in the program's own folder."""
    called = sop_run("status", program=installed, cwd=tmp_path)
    assert called.code == 0 and f"No cycles in {tmp_path / 'var'}" in called.out


def test_the_man_page_travels_along(installed: Path) -> None:
    page = installed.parents[1] / "share/man/man1/sop-run.1"
    assert ".SH NAME" in page.read_text(encoding="utf-8")
