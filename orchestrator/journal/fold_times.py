"""What notes, the working calendar and a clock that goes back mean for a cycle."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from orchestrator.journal.entry import Entry
from orchestrator.journal.moves import note_relaxed, relaxed_in, require
from orchestrator.journal.state import ClockJump, CycleState, Note
from orchestrator.model.note import LONGEST, REPORTED, NoteKind, NoteStatement
from orchestrator.model.office import Office
from orchestrator.model.working_time import HolidayRecord


def office_changed(state: CycleState, entry: Entry) -> None:
    """office.yml as it holds from now on; other working hours count for the whole cycle."""
    office = Office.model_validate(entry.body["office"])
    if (office.working_time, office.office.zone) != (
        state.office.working_time,
        state.office.office.zone,
    ):
        _recounted(state, entry)
    told = relaxed_in(entry.body)
    before = state.procedure
    state.office = office
    note_relaxed(state, entry.at, told)
    # Half a gate that is others' now would never be whole: all of them sign it anew.
    pairs = zip(before, state.procedure, strict=True)
    changed = {new.number for old, new in pairs if set(old.signers) != set(new.signers)}
    state.signatures = [s for s in state.signatures if s.step not in changed]


def calendar_recorded(state: CycleState, entry: Entry) -> None:
    """The national days off that count from now on, for the whole cycle."""
    require(not state.closed_at, "the cycle is closed")
    record = HolidayRecord.model_validate(entry.body)
    require(record.first_year <= record.last_year, "its years are reversed")
    years = {day.year for day in record.days}
    require(
        all(record.first_year <= year <= record.last_year for year in years),
        "it names days of years that it does not cover",
    )
    before = state.holidays
    if before is not None:
        known = {d: n for d, n in record.days.items() if before.first_year <= d.year}
        if {d: n for d, n in known.items() if d.year <= before.last_year} != before.days:
            _recounted(state, entry)
    state.holidays = record


def _recounted(state: CycleState, entry: Entry) -> None:
    """Times of steps that passed already may be counted otherwise now: the report says so."""
    if any(state.steps[n].state == "passed" for n in range(2, 14)):
        state.recounted_at = entry.at


def note_added(state: CycleState, entry: Entry) -> None:
    """A note on a step. An officer is its actor only under the officer's own signature."""
    body = entry.body
    require(not state.closed_at, "the cycle is closed")
    step, text, kind = entry.step or 0, body["text"], body.get("kind", "remark")
    require(isinstance(text, str) and bool(text.strip()), "a note says something")
    require(len(text) <= LONGEST, f"a note has at most {LONGEST} characters")
    require(kind in get_args(NoteKind), f"{kind!r} is no kind of note")
    require(step in state.steps or step == 0, "there is no such step")
    named = body.get("officer", "")
    require(not named or state.office.officer(named) is not None, "unknown officer")
    if kind == "overrun":
        require(bool(step) and state.steps[step].state != "waiting", f"step {step} has not begun")
    if step == 9 and kind in REPORTED:
        require(
            state.steps[9].state != "passed",
            "the draft is made; what is added now would stand in a report that nobody verified",
        )
    signed = "statement" in body
    if signed:
        _check_statement(state, entry)
    else:
        require(state.office.officer(entry.actor) is None, "an officer's note is signed")
    state.notes.append(Note(step, entry.actor, text, entry.at, kind, named, entry.seq, signed))


def _check_statement(state: CycleState, entry: Entry) -> None:
    body = entry.body
    statement = NoteStatement.model_validate_json(body["statement"])
    require(statement.canonical() == body["statement"], "the statement is not canonical")
    signature = body["signature"]
    require(isinstance(signature, str) and bool(signature), "the signature is missing")
    require(statement.cycle == state.cycle, f"the statement is for cycle {statement.cycle}")
    require(statement.journal_head == state.head, "it was made for another journal head (replay)")
    said = (statement.step, statement.kind, statement.text, statement.officer, statement.officer)
    noted = (entry.step, body["kind"], body["text"], body["officer"], entry.actor)
    require(said == noted, "the statement says something else")


def clock_jump(state: CycleState, entry: Entry) -> ClockJump | None:
    """The jump when the entry's time lies before that of the entry before it."""
    if datetime.fromisoformat(entry.at) < datetime.fromisoformat(state.last_at):
        return ClockJump(entry.seq, state.last_at, entry.at)
    return None
