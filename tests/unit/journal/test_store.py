"""The journal is durable, has one writer, and shows tampering at the exact entry."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.entry import BrokenChain, Entry
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.store import read_entries, write_copy
from orchestrator.model.errors import UsageError
from tests.unit.cycles import Chain


def filled(folder: Path) -> Path:
    """A journal with five entries."""
    opened = Chain().entries[0]
    with CycleBook(folder, create=True) as book:
        book.record(opened.kind, opened.body, step=1)
        for number in range(4):
            book.record("note.added", {"text": f"remark {number} ✓ \u202e"}, step=2)
    return folder / "journal.db"


def test_written_entries_are_read_back_in_order(tmp_path: Path) -> None:
    entries = list(read_entries(filled(tmp_path)))
    assert [e.seq for e in entries] == [1, 2, 3, 4, 5]
    assert read_state(tmp_path).notes[3].text == "remark 3 ✓ \u202e"
    assert [Entry.from_line(e.line()) for e in entries] == entries


def test_a_second_writer_is_refused_naming_the_holder(tmp_path: Path) -> None:
    filled(tmp_path)
    with CycleBook(tmp_path), pytest.raises(UsageError, match=r"in use by process \d+ on"):
        CycleBook(tmp_path).__enter__()
    with CycleBook(tmp_path) as book:  # the lock is free again
        assert book.state.seq == 5


def test_an_illegal_entry_is_not_written(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with CycleBook(tmp_path) as book, pytest.raises(IllegalEntry):
        book.record("cycle.closed", step=13)
    assert len(list(read_entries(path))) == 5


def test_sqlite_itself_refuses_to_change_entries(tmp_path: Path) -> None:
    with sqlite3.connect(filled(tmp_path)) as db:
        for statement in ("UPDATE entry SET actor='x'", "DELETE FROM entry WHERE seq=5"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)


TAMPERING = {
    "altered": ("UPDATE entry SET body = replace(body, 'remark 1', 'remark X')", 3),
    "actor": ("UPDATE entry SET actor = 'mallory' WHERE seq = 4", 4),
    "removed": ("DELETE FROM entry WHERE seq = 2", 2),
    "reordered": (
        "UPDATE entry SET seq = CASE seq WHEN 3 THEN 40 ELSE seq END;"
        "UPDATE entry SET seq = 3 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 40",
        3,
    ),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found_at_the_exact_entry(tmp_path: Path, kind: str) -> None:
    path = filled(tmp_path)
    script, seq = TAMPERING[kind]
    with sqlite3.connect(path) as db:
        db.executescript(f"DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete; {script}")
    with pytest.raises(BrokenChain) as caught:
        list(read_entries(path))
    assert caught.value.seq == seq


def test_spliced_journal_is_found(tmp_path: Path) -> None:
    first = list(read_entries(filled(tmp_path / "a")))
    second = list(read_entries(filled(tmp_path / "b")))
    write_copy([*first[:2], *second[2:]], tmp_path / "spliced.db")
    with pytest.raises(BrokenChain, match="does not follow") as caught:
        list(read_entries(tmp_path / "spliced.db", frozen=True))
    assert caught.value.seq == 3


def test_copies_have_the_same_bytes(tmp_path: Path) -> None:
    entries = list(read_entries(filled(tmp_path)))
    for name in ("one.db", "two.db"):
        write_copy(entries, tmp_path / name)
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "two.db").read_bytes()
    assert list(read_entries(tmp_path / "one.db", frozen=True)) == entries
