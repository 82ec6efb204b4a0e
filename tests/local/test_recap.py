"""Records across months: the list of cycles, and the yearly recap of real ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.local.conftest import LocalOffice

CYCLES = ["2026-10", "2026-11", "2026-12"]


@pytest.fixture
def office(months: LocalOffice, tmp_path: Path) -> LocalOffice:
    """A copy of the three months."""
    shutil.copytree(months.folder, tmp_path / "office", symlinks=True)
    return LocalOffice(tmp_path / "office")


def test_the_list_of_cycles(office: LocalOffice) -> None:
    assert office.run("monthly", "--period", "2027-01").code == 3
    facts = json.loads(office.run("status", "--json").out)
    assert [f["cycle"] for f in facts] == [*CYCLES, "2027-01"]
    for fact in facts[:3]:
        assert (fact["kind"], fact["archive"], fact["overruns"]) == ("monthly", "made", [])
        assert fact["period"] == fact["cycle"] and sum(fact["verdicts"].values()) == 1
    assert (facts[3]["archive"], facts[3]["verdicts"]) == ("none", {})
    shutil.rmtree(office.home / "archive/2026/2026-10")
    (office.home / "archive/2026/2026-11/tagmanifest-sha256.txt").write_text("", encoding="utf-8")
    listed = office.run("status", "--year", "2026").out.splitlines()
    assert [line.split()[0] for line in listed] == ["CYCLE", *CYCLES]
    assert [line.split()[8] for line in listed[1:]] == ["missing", "other", "made"]
    later = office.run("status", "--year", "2027").out.splitlines()
    assert len(later) == 2 and later[1].endswith(
        "step 3, waits for Analis Sistem Informasi dan Jaringan"
    )
    assert office.run("status", "2026-11", "--year", "2026").code == 2


def test_the_recap_of_a_year(office: LocalOffice) -> None:
    called = office.run("recap", "2026")
    assert called.code == 0, called.text
    path = office.home / "recap/2026/rekapitulasi-tahunan-2026.xlsx"
    assert called.out.strip() == str(path)
    first = path.read_bytes()
    book = load_workbook(path)
    assert book.sheetnames == [
        "Siklus", "Waktu per Langkah", "Hasil per Peladen", "Waktu Tanggap",
    ]  # fmt: skip
    rows = [[c.value for c in row] for row in book["Siklus"].iter_rows(min_col=1, max_col=17)]
    assert [r[1] for r in rows if isinstance(r[0], int)] == CYCLES
    assert all(r[16] == "Diarsipkan" for r in rows if isinstance(r[0], int))
    assert office.run("recap", "2026").code == 0 and path.read_bytes() == first

    # A cycle whose folder is gone is read from its archive, with the same numbers.
    shutil.rmtree(office.home / "cycles/2026-10")
    assert office.run("recap", "2026").code == 0
    again = load_workbook(path)["Siklus"]
    assert rows == [[c.value for c in row] for row in again.iter_rows(min_col=1, max_col=17)]
    assert office.run("recap", "2025").code == 2
    journal = office.home / "archive/2026/2026-10/data/journal.db"
    data = bytearray(journal.read_bytes())
    data[data.index(b"cycle.opened")] ^= 1
    journal.write_bytes(bytes(data))
    called = office.run("recap", "2026")
    assert called.code == 4 and "2026-10 cannot be read: journal entry 1" in called.err
