"""The 13 steps against their standard times (Mutu Baku)."""

from __future__ import annotations

from orchestrator.documents.content.clock import NONE, Clock, whole_minutes
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.people import officer_of
from orchestrator.documents.content.records import StepRow
from orchestrator.documents.content.said import say
from orchestrator.documents.content.times import note_words
from orchestrator.journal.state import CycleState, StepState
from orchestrator.journal.times import StepTime, step_time
from orchestrator.sop.procedure import Step


def step_rows(state: CycleState, horizon: int, labels: Labels, clock: Clock) -> tuple[StepRow, ...]:
    """One row per step; what lies after `horizon` counts as not done yet."""
    return tuple(_row(state, step, horizon, labels, clock) for step in state.procedure)


def _row(state: CycleState, step: Step, horizon: int, labels: Labels, clock: Clock) -> StepRow:
    done = state.steps[step.number] if step.number <= horizon else StepState()
    is_done = done.state == "passed"
    start, end = (done.started_at, done.ended_at) if is_done else ("", "")
    time = StepTime(step.number, step.minutes)
    if is_done and step.minutes:
        time = step_time(state, step)
    seconds = time.seconds
    key = "unclear" if time.uncertain else "none"
    if seconds is not None:
        key = "late" if time.late else "on-time"
    over = whole_minutes(max(60.0, time.over_seconds)) if time.late else 0
    officer = officer_of(state, step, horizon)
    notes = note_words(state, time, labels, clock) if step.number <= horizon else []
    return StepRow(
        number=step.number,
        activity=say(labels.translated(step.kegiatan)),
        short=_short(state, step, labels),
        role=say(labels.translated(state.office.role_name(step.role)), 160) if step.role else NONE,
        officer=say(officer.name, 120) if officer else NONE,
        date=clock.span_dates(start, end),
        span=clock.span(start, end),
        started_at=start,
        ended_at=end,
        standard_minutes=step.minutes,
        actual_minutes=None if seconds is None else whole_minutes(seconds),
        standard=clock.number(step.minutes) if step.minutes else NONE,
        actual=NONE if seconds is None else clock.minutes(seconds),
        punctual=labels.word("punctual", key).format(minutes=clock.number(over)),
        punctual_key=key,
        output=say(labels.translated(step.output)),
        note="; ".join(notes) or NONE,
    )


def _short(state: CycleState, step: Step, labels: Labels) -> str:
    change = state.office.steps.get(step.number)
    own = change.name if change else ""
    return say(own, 60) if own else labels.word("step_short", str(step.number))
