"""The 13 steps against their standard times (Mutu Baku)."""

from __future__ import annotations

from orchestrator.documents.content.clock import NONE, Clock, seconds_between, whole_minutes
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.people import officer_of
from orchestrator.documents.content.records import StepRow
from orchestrator.documents.content.said import say
from orchestrator.journal.state import CycleState, StepState
from orchestrator.sop.procedure import ROLE_NAMES, Step


def step_rows(state: CycleState, horizon: int, labels: Labels, clock: Clock) -> tuple[StepRow, ...]:
    """One row per step; what lies after `horizon` counts as not done yet."""
    return tuple(_row(state, step, horizon, labels, clock) for step in state.procedure)


def actual_seconds(step: Step, state: StepState) -> float | None:
    """How long a step took: a gate from opening to signature, machine work by its own clock."""
    if state.state != "passed":
        return None
    if state.seconds is not None and not step.is_gate:
        return max(state.seconds, 0.0)
    return seconds_between(state.started_at, state.ended_at)


def _row(state: CycleState, step: Step, horizon: int, labels: Labels, clock: Clock) -> StepRow:
    done = state.steps[step.number] if step.number <= horizon else StepState()
    is_done = done.state == "passed"
    start, end = (done.started_at, done.ended_at) if is_done else ("", "")
    seconds = actual_seconds(step, done) if step.minutes else None
    late = seconds is not None and step.minutes is not None and seconds > step.minutes * 60
    key = "none" if seconds is None else "late" if late else "on-time"
    over = (
        whole_minutes(max(60.0, seconds - step.minutes * 60))
        if late and seconds and (step.minutes)
        else 0
    )
    officer = officer_of(state, step, horizon)
    notes = [say(n.text) for n in state.notes if n.step == step.number <= horizon]
    return StepRow(
        number=step.number,
        activity=say(labels.translated(step.kegiatan)),
        short=_short(state, step, labels),
        role=labels.translated(ROLE_NAMES[step.role]) if step.role else NONE,
        officer=say(officer.name, 120) if officer else NONE,
        date=clock.span_dates(start, end),
        span=clock.span(start, end),
        started_at=start,
        ended_at=end,
        standard_minutes=step.minutes,
        actual_minutes=None if seconds is None else whole_minutes(seconds),
        standard=clock.number(step.minutes) if step.minutes else NONE,
        actual=_minutes(seconds, clock),
        punctual=labels.word("punctual", key).format(minutes=clock.number(over)),
        punctual_key=key,
        output=say(labels.translated(step.output)),
        note="; ".join(notes) or NONE,
    )


def _short(state: CycleState, step: Step, labels: Labels) -> str:
    change = state.office.steps.get(step.number)
    own = change.name if change else ""
    return say(own, 60) if own else labels.word("step_short", str(step.number))


def _minutes(seconds: float | None, clock: Clock) -> str:
    if seconds is None:
        return NONE
    minutes = whole_minutes(seconds)
    return clock.number(minutes) if minutes else "<1"
