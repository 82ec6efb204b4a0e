"""A state that leaves evidence and plan in the journal says the same as one that holds them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.journal.bodies import InMemory, OnDisk
from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.fold import IllegalEntry, fold
from orchestrator.journal.store import read_entries, write_copy
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Phase, Status
from orchestrator.model.plan import Part
from orchestrator.workflow.plan import record_plan
from tests.unit.cycles import Chain, evidence, item


def worked() -> Chain:
    """A cycle whose hosts were checked and backed up."""
    chain = Chain()
    chain.check(item(1), item(2, name="curl"), item(3, "web2"))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    backup = {"evidence": evidence("backup", facts={"backup": {"method": "btrfs"}})}
    chain.run("backup", {"web1": backup, "web2": {"kind": "unreachable", "reason": "no route"}})
    return chain


@pytest.mark.parametrize("frozen", [True, False])
def test_the_state_is_the_same_wherever_the_bodies_are(tmp_path: Path, frozen: bool) -> None:
    chain, path = worked(), tmp_path / "journal.db"
    write_copy(chain.entries, path)
    on_disk = fold(read_entries(path, frozen=frozen), OnDisk(path, frozen=frozen))
    assert isinstance(chain.state.bodies, InMemory) and isinstance(on_disk.bodies, OnDisk)
    assert on_disk == chain.state and on_disk.outcomes == chain.state.outcomes
    assert tuple(on_disk.plan.items) == tuple(chain.state.plan.items)  # type: ignore[union-attr]
    backup = on_disk.last("web1", Phase.BACKUP)
    assert backup is not None and backup.status is Status.OK
    assert backup.evidence == evidence("backup", facts={"backup": {"method": "btrfs"}})
    lost = on_disk.last("web2", Phase.BACKUP)
    assert lost is not None and (lost.status, lost.evidence) == (None, None)


@pytest.mark.parametrize("value", ["x'00'", "'other'", "7"])
@pytest.mark.parametrize("column", ["actor", "at", "body", "step"])
def test_a_column_that_was_changed_since_is_not_believed(
    tmp_path: Path, column: str, value: str
) -> None:
    path = tmp_path / "journal.db"
    write_copy(worked().entries, path)
    state = read_state(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER entry_no_update")
        db.execute(f"UPDATE entry SET {column} = {value} WHERE kind = 'plan.part'")
    with pytest.raises(CannotRunError, match=r"journal entry \d+ is not the one that was read"):
        state.items_of("web1")


def test_what_was_changed_since_it_was_read_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_copy(worked().entries, path)
    state = read_state(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER entry_no_update")
        db.execute("UPDATE entry SET body = replace(body, 'btrfs', 'none!') WHERE kind = ?",
                   ("host.outcome",))  # fmt: skip
        db.execute("UPDATE entry SET body = replace(body, 'curl', 'wget') WHERE kind = ?",
                   ("plan.part",))  # fmt: skip
    outcome = state.last("web1", Phase.BACKUP)
    assert outcome is not None
    for read in (lambda: outcome.evidence, lambda: state.items_of("web1")):
        with pytest.raises(CannotRunError, match=r"journal entry \d+ is not the one that was read"):
            read()
    path.unlink()
    with pytest.raises(CannotRunError, match="cannot be read again"):
        read_state_of_nothing = OnDisk(path)
        read_state_of_nothing.body(1, b"")


def begun(folder: Path) -> CycleBook:
    book = CycleBook(folder, create=True)
    with book:
        chain = worked()
        for entry in chain.entries:
            if entry.kind == "plan.part":
                break
            book.record(entry.kind, entry.body, step=entry.step, host=entry.host)
    return CycleBook(folder)


def test_a_plan_is_on_record_whole_or_not_at_all(tmp_path: Path) -> None:
    parts = [Part(host="web1", items=(item(1),)), Part(host="web2", items=(item(1, "web2"),))]
    with begun(tmp_path) as book:
        before = book.state.seq
        with pytest.raises(IllegalEntry, match="are not numbered from 2"):
            record_plan(book, parts)
        with pytest.raises(AssertionError):  # its state would be ahead of the journal
            _ = book.state
    assert read_state(tmp_path).seq == before and read_state(tmp_path).planning is None
    with CycleBook(tmp_path) as book:
        record_plan(book, [parts[0], Part(host="web2", items=(item(2, "web2"),))])
        assert [i.host for i in book.state.items_of("web2")] == ["web2"]
    state = read_state(tmp_path)
    assert state.plan is not None and (state.seq, len(state.plan.items)) == (before + 3, 2)


def test_nothing_stays_beside_a_journal_whose_bodies_were_read(tmp_path: Path) -> None:
    """An open reader would keep SQLite's log from being put away with the writer."""
    with begun(tmp_path) as book:
        outcome = book.state.last("web1", Phase.CHECK)
        assert outcome is not None and outcome.read() is not None
        book.record("note.added", {"text": "x"}, step=2)
    assert {p.name for p in tmp_path.iterdir()} == {"journal.db", "journal.head", "journal.lock"}
