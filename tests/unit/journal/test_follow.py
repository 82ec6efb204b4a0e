"""Looking on while a journal grows: nothing twice, nothing missed, and never the lock."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from orchestrator.journal import follow
from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.entry import Entry
from orchestrator.journal.follow import Follower, holder
from orchestrator.journal.store import write_copy
from orchestrator.model.errors import CannotRunError
from tests.unit.cycles import Chain


@contextmanager
def opened(folder: Path) -> Iterator[CycleBook]:
    """A cycle that is being written, with its first entry."""
    with CycleBook(folder, create=True) as book:
        first = Chain().entries[0]
        book.record(first.kind, first.body, step=1)
        yield book


def kinds(follower: Follower) -> list[str]:
    return [entry.kind for entry, _ in follower.new()]


def test_each_entry_is_read_once_with_the_state_after_it(tmp_path: Path) -> None:
    with opened(tmp_path) as book:
        follower = Follower(tmp_path)
        assert kinds(follower) == ["cycle.opened"]
        assert kinds(follower) == []
        body = {"phase": "check", "wave": 0, "hosts": list(book.state.hosts)}
        book.record("phase.started", body)
        book.record("phase.ended", {"phase": "check", "wave": 0, "seconds": 1.0})
        seen = [(entry.kind, bool(state.runs[-1].ended_at)) for entry, state in follower.new()]
        assert seen == [("phase.started", False), ("phase.ended", True)]
        assert follower.state is not None and follower.state.head == book.state.head
    assert follower.state == read_state(tmp_path)


@pytest.mark.parametrize("notes", [1, 2, 3, 4])
def test_a_long_journal_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: int
) -> None:
    monkeypatch.setattr(follow, "AT_ONCE", 2)
    with opened(tmp_path) as book:
        for number in range(notes):
            book.record("note.added", {"text": str(number)}, step=2)
        follower = Follower(tmp_path)
        assert kinds(follower) == ["cycle.opened", *["note.added"] * notes]
        assert follower.state == book.state


def test_a_journal_without_entries_is_no_cycle_yet(tmp_path: Path) -> None:
    book = CycleBook(tmp_path, create=True)
    with book:
        follower = Follower(tmp_path)
        assert kinds(follower) == []
        assert follower.state is None


def test_a_run_begins_while_somebody_looks_on(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    follower = Follower(tmp_path)
    kinds(follower)
    for _ in range(20):  # between two entries of a half-read look, too
        look = follower.new()
        with CycleBook(tmp_path) as book:
            book.record("note.added", {"text": "seen"}, step=2)
            assert next(look)[0].kind == "note.added"
            book.record("note.added", {"text": "seen again"}, step=2)
        assert kinds(follower) == ["note.added"]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_journal_that_was_replaced_is_told(tmp_path: Path, kept: int) -> None:
    chain = Chain()
    body = {"phase": "check", "wave": 0, "hosts": list(chain.hosts)}
    chain.add("phase.started", body)
    write_copy(chain.entries, tmp_path / "journal.db")
    follower = Follower(tmp_path)
    assert len(kinds(follower)) == 2
    (tmp_path / "journal.db").unlink()
    other: list[Entry] = Chain(hosts=("other",)).entries if not kept else chain.entries[:kept]
    write_copy(other, tmp_path / "journal.db")
    with pytest.raises(CannotRunError, match="replaced"):
        kinds(follower)


def test_an_altered_entry_is_told(tmp_path: Path) -> None:
    chain = Chain()
    write_copy(chain.entries, tmp_path / "journal.db")
    follower = Follower(tmp_path)
    kinds(follower)
    entry = chain.add("phase.started", {"phase": "check", "wave": 0, "hosts": list(chain.hosts)})
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db, db:
        row = (entry.seq, entry.at, entry.kind, None, "mallory", "", "{}", entry.prev, entry.hash)
        db.execute("INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?)", row)
    with pytest.raises(CannotRunError, match="altered"):
        kinds(follower)


def test_the_process_at_work_is_known_without_touching_its_lock(tmp_path: Path) -> None:
    assert holder(tmp_path) is None, "there is no lock yet"
    with opened(tmp_path):
        assert holder(tmp_path) == os.getpid()
    assert holder(tmp_path) == 0


def test_whose_lock_it_is_on_another_machine_cannot_be_told(tmp_path: Path) -> None:
    (tmp_path / "journal.lock").write_text("process 1 on elsewhere.invalid since 2026-11-02")
    assert holder(tmp_path) is None
    (tmp_path / "journal.lock").write_text("\x1b[2J")
    assert holder(tmp_path) is None
    assert holder(tmp_path, tmp_path / "no such list") is None
