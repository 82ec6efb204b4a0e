"""Notes on a step: why it took longer, what deviated, what the report should say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.journal.book import CycleBook
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import now_utc
from orchestrator.journal.times import step_time
from orchestrator.model.errors import UsageError
from orchestrator.model.note import LONGEST, REPORTED, NoteKind, NoteStatement
from orchestrator.office.load import load_office
from orchestrator.signature.ssh import sign as ssh_sign
from orchestrator.workflow.calendar import keep_calendar
from orchestrator.workflow.gates import check_valid_today, officer_named
from orchestrator.workflow.monthly import adopt_office, find_cycle
from orchestrator.workflow.settings import Settings


@dataclass(frozen=True)
class Remark:
    """What somebody wants to note. `kind` None: the reason of an overrun that has none yet,
    else a remark."""

    step: int
    text: str
    kind: NoteKind | None = None


def note(
    settings: Settings, cycle: str, officer_id: str, remark: Remark, *, key: Path | None = None
) -> tuple[CycleState, NoteKind]:
    """Record a note; with `key` it is signed, without it the journal says who ran the program.

    Returns the state afterwards and the kind that it was recorded as. Raises UsageError for
    whatever the procedure does not allow; nothing is recorded then.
    """
    text = " ".join(remark.text.split())
    if not text:
        raise UsageError("a note says something", "write the TEXT behind the options")
    if len(text) > LONGEST:
        raise UsageError(
            f"a note has at most {LONGEST} characters, this one {len(text)}", "make it shorter"
        )
    folder = find_cycle(settings, cycle)
    office = load_office(settings.office)
    with CycleBook(folder) as book:
        _may_note(book.state, remark)
        adopt_office(book, office)
        keep_calendar(book)
        officer = officer_named(book.state, officer_id)
        kind = remark.kind or _kind(book.state, remark.step)
        body = {"text": text, "kind": kind, "officer": officer.id}
        if key is None:
            book.record("note.added", body, step=remark.step)
        else:
            statement = NoteStatement(
                schema="sop-run/note/1",
                cycle=book.state.cycle,
                journal_head=book.state.head,
                step=remark.step,
                kind=kind,
                text=text,
                officer=officer.id,
                at=now_utc(),
            ).canonical()
            check_valid_today(officer, book.state.office.office.zone)
            body |= {"statement": statement, "signature": ssh_sign(statement, officer, key)}
            book.record("note.added", body, step=remark.step, actor=officer.id)
        return book.state, kind


def _kind(state: CycleState, number: int) -> NoteKind:
    step = next(s for s in state.procedure if s.number == number)
    return "overrun" if step_time(state, step, now_utc()).lacks_reason else "remark"


def _may_note(state: CycleState, remark: Remark) -> None:
    """What the fold would refuse, in words that help."""
    number = remark.step
    if state.closed_at:
        raise UsageError(
            f"cycle {state.cycle} is closed: nothing is added to it any more",
            "note it in the next cycle, for example at its step 2",
        )
    if number not in state.steps:
        raise UsageError(f"there is no step {number}", "the SOP has steps 1 to 13")
    if remark.kind == "overrun" and state.steps[number].state == "waiting":
        raise UsageError(f"step {number} has not begun, so it did not take longer")
    if number == 9 and state.steps[9].state == "passed" and remark.kind in (None, *REPORTED):
        step = next(s for s in state.procedure if s.number == 9)
        if remark.kind is None and step_time(state, step).lacks_reason:
            return
        raise UsageError(
            "the draft is made: what is added to step 9 now would stand in a report that nobody "
            "verified",
            f"send it back first (sop-run return {state.cycle} …), or note it at step 10 or 11",
        )
