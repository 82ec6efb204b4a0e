"""The journal is durable, has one writer, and shows tampering at the exact entry."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.entry import BrokenChain, Entry
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.store import (
    INSERT,
    JournalWriter,
    StoredEntries,
    read_entries,
    write_copy,
)
from orchestrator.model.canonical import canonical_json
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.office import Officer
from orchestrator.workflow.settings import Settings
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


def test_each_pass_over_the_entries_finds_another_journal(tmp_path: Path) -> None:
    path = filled(tmp_path / "a")
    entries = list(read_entries(path))
    stored = StoredEntries(path, 3, entries[2].hash)
    assert list(stored) == list(stored) == entries[:3]
    shutil.rmtree(tmp_path / "a")
    filled(tmp_path / "a")  # the same words at another time
    with pytest.raises(BrokenChain, match="it is not the entry that was read before"):
        list(stored)
    with pytest.raises(BrokenChain, match="it is not the entry that was read before"):
        list(StoredEntries(path, 9, entries[2].hash))


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
    "removed at the beginning": ("DELETE FROM entry WHERE seq = 1", 1),
    "truncated by one": ("DELETE FROM entry WHERE seq = 5", 5),
    "truncated": ("DELETE FROM entry WHERE seq > 3", 4),
    "emptied": ("DELETE FROM entry", 1),
    "number": ("UPDATE entry SET seq = 9 WHERE seq = 5", 5),
    "hash": ("UPDATE entry SET hash = replace(hash, substr(hash, 1, 4), '0000') WHERE seq = 4", 4),
    "unreadable": ("UPDATE entry SET body = '{' WHERE seq = 2", 2),
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


def test_a_journal_spliced_with_a_chain_of_its_own_is_found(tmp_path: Path) -> None:
    """Whoever rewrites the end, hashes and all, does not meet the head that was written."""
    path = filled(tmp_path)
    entries = list(read_entries(path))
    forged = Entry(**{**entries[4].content(), "actor": "mallory"}).sealed()
    with sqlite3.connect(path) as db:
        db.executescript("DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete;")
        db.execute("DELETE FROM entry WHERE seq = 5")
    with sqlite3.connect(path) as db:
        db.execute(INSERT, (*list(forged.content().values())[:6], "{}", forged.prev, forged.hash))
        db.execute("UPDATE entry SET body = ? WHERE seq = 5", (canonical_json(forged.body),))
    with pytest.raises(BrokenChain, match="spliced") as caught:
        list(read_entries(path))
    assert caught.value.seq == 5


def test_entries_left_behind_in_the_write_ahead_log_are_missed(tmp_path: Path) -> None:
    """Somebody copies journal.db without its companions, or deletes them."""
    opened = Chain().entries[0]
    copied = tmp_path / "copied"
    copied.mkdir()
    with CycleBook(tmp_path, create=True) as book:
        book.record(opened.kind, opened.body, step=1)
        for name in ("journal.db", "journal.head"):
            shutil.copy(tmp_path / name, copied / name)
    with pytest.raises(BrokenChain) as caught:
        list(read_entries(copied / "journal.db"))
    assert caught.value.seq == 1


def test_a_file_that_is_cut_off_is_found(tmp_path: Path) -> None:
    """Cut at every page: either all entries are still there, or the first lost one is named."""
    path = filled(tmp_path)
    whole, entries = path.read_bytes(), list(read_entries(path))
    found = []
    for size in range(0, len(whole), 1024):
        path.write_bytes(whole[:size])
        seen: list[Entry] = []
        try:
            for entry in read_entries(path):
                seen.append(entry)
        except BrokenChain as error:
            found.append(size)
            assert error.seq == len(seen) + 1, size
        assert seen == entries[: len(seen)], "what is read is what was written"
        assert size in found or seen == entries
    assert len(found) > 3
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CannotRunError):
        CycleBook(tmp_path).__enter__()


def test_a_lost_or_lagging_head_file_is_no_fault(tmp_path: Path) -> None:
    """After a loss of power it may be older than the journal; it is never newer."""
    path = filled(tmp_path)
    head = tmp_path / "journal.head"
    newest = head.read_text(encoding="ascii")
    entries = list(read_entries(path))
    for text in (f"{3:020d} {entries[2].hash}\n", "", "0000"):
        head.write_text(text, encoding="ascii")
        assert list(read_entries(path)) == entries
    head.unlink()
    with CycleBook(tmp_path) as book:
        book.record("note.added", {"text": "one more"}, step=2)
        assert head.read_text(encoding="ascii") == f"{6:020d} {book.state.head}\n"
    assert newest.startswith(f"{5:020d} ")


def test_a_private_key_is_no_public_key() -> None:
    """office.yml is kept in the journal: a private key pasted into it is refused before that."""
    private = "-----BEGIN OPENSSH PRIVATE KEY-----"
    for field in ("keys", "revoked_keys"):
        with pytest.raises(ValidationError, match="should match pattern"):
            Officer.model_validate({"id": "a", "role": "jf", "name": "A", field: [private]})


def test_a_password_is_not_even_shown() -> None:
    settings = Settings(Path(), Path(), Path(), become_password="hunter2")
    assert "hunter2" not in repr(settings)


def test_copies_have_the_same_bytes(tmp_path: Path) -> None:
    entries = list(read_entries(filled(tmp_path)))
    for name in ("one.db", "two.db"):
        write_copy(entries, tmp_path / name)
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "two.db").read_bytes()
    assert list(read_entries(tmp_path / "one.db", frozen=True)) == entries


def commits(journal: Path) -> int:
    """Transactions in the write-ahead log: frames that say how large the database is after them.

    Source: SQLite's file format, section 4.1.
    """
    data = journal.with_name("journal.db-wal").read_bytes()
    step = 24 + int.from_bytes(data[8:12], "big")
    frames = [data[at : at + 24] for at in range(32, len(data), step)]
    return sum(f[8:16] == data[16:24] and f[4:8] != bytes(4) for f in frames)


def test_an_entry_costs_one_commit_and_no_other_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    for name in ("fsync", "fdatasync", "sync"):
        monkeypatch.setattr(os, name, lambda *_: waits.append(1))
    with JournalWriter(tmp_path / "journal.db", create=True) as writer:
        before = commits(writer.path)
        for number in range(1, 6):
            body = {"text": f"entry {number}"}
            writer.write(writer.next_entry("note.added", step=2, actor="x", host="", body=body))
            assert commits(writer.path) == before + number
        with writer.together():
            for _ in range(5):
                writer.write(writer.next_entry("x", step=2, actor="x", host="", body={}))
        assert commits(writer.path) == before + 6, "what belongs together is one"
        assert writer._db is not None
        assert writer._db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: each is durable"
    assert waits == []
