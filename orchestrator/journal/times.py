"""How long each step took against its standard time (Mutu Baku), and why it took longer.

Work of the program is measured by its own monotonic clock. What officers do is measured in the
office's working time, from the journal's times; where the clock was set back in between, no
duration is stated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from orchestrator.journal.state import ClockJump, CycleState, Note, ReturnRecord, StepState
from orchestrator.sop.procedure import Step
from orchestrator.sop.worktime import calendar_of

Counting = Literal["work", "machine", "elapsed"]
"""work: the office's working time; machine: the program's monotonic clock; elapsed: by the clock,
in journals that have no working calendar on record."""

MACHINE_STEPS = (2, 5, 6, 7)
"""Steps that the program carries out; 5 lasts as long as the work on hosts that it monitors.
Step 8 is both: the tests by the monotonic clock, then the officers in working time."""

TOLERANCE_SECONDS = 60.0
"""A clock set back by less is as good as right: durations are told in whole minutes."""


@dataclass(frozen=True)
class StepTime:
    """A step's time. `seconds` is None when it has not begun, or is not known (`uncertain`)."""

    step: int
    standard_minutes: int | None
    seconds: float | None = None
    counting: Counting = "work"
    running: bool = False  # the step is open: the time until now
    uncertain: bool = False  # the clock was set back, so the duration is not stated
    reasons: tuple[Note, ...] = ()  # why it took longer, as noted since it opened

    @property
    def over_seconds(self) -> float:
        """How much longer than the standard it took, 0 when it did not."""
        if self.seconds is None or self.standard_minutes is None:
            return 0.0
        return max(0.0, self.seconds - self.standard_minutes * 60)

    @property
    def late(self) -> bool:
        """Whether it took longer than the standard."""
        return self.over_seconds > 0

    @property
    def lacks_reason(self) -> bool:
        """Whether it took longer and nobody has said why."""
        return self.late and not self.reasons


def step_time(state: CycleState, step: Step, now: str = "") -> StepTime:
    """The time of a step; an open one is measured until `now` (UTC ISO 8601), if given."""
    stand = state.steps[step.number]
    reasons = tuple(
        n
        for n in state.notes
        if n.kind == "overrun" and n.step == step.number and n.seq >= stand.opened_seq
    )
    end = stand.ended_at if stand.state == "passed" else now
    recorded = state.holidays is not None
    time = StepTime(
        step.number, step.minutes, None, "work" if recorded else "elapsed", reasons=reasons
    )
    if stand.state == "waiting" or not end:
        return time
    time = replace(time, running=stand.state == "open")
    machine = max(stand.seconds or 0.0, 0.0)
    if recorded and step.number in MACHINE_STEPS:
        return replace(time, seconds=machine, counting="machine")
    if not recorded and stand.seconds is not None and not step.is_gate:
        return replace(time, seconds=machine, counting="machine")
    start, before = stand.started_at, 0.0
    if recorded and step.number == 8:
        # The tests themselves, then the officers' part, which begins when all of them are done.
        if state.steps[7].state != "passed":
            return replace(time, seconds=machine)
        tested = state.steps[7]
        # An order to restore opens it anew, long after: what came before is not of this step.
        if stand.opened_seq <= tested.passed_seq:
            start, before = tested.ended_at, machine
            stand = replace(stand, opened_seq=tested.passed_seq)
    own = None if _is_uncertain(state, stand, start, end) else _between(state, start, end)
    if own is None:
        return replace(time, uncertain=True)
    return replace(time, seconds=before + own)


def step_times(state: CycleState, now: str = "") -> dict[int, StepTime]:
    """Step → its time, for all steps."""
    return {step.number: step_time(state, step, now) for step in state.procedure}


def return_seconds(state: CycleState, record: ReturnRecord) -> float | None:
    """How long a gate was open before it sent the cycle back; None when that is not known."""
    gate = StepState("passed", opened_seq=record.opened_seq, passed_seq=record.seq)
    if _is_uncertain(state, gate, record.opened_at, record.at):
        return None
    return _between(state, record.opened_at, record.at)


def returned_to(state: CycleState) -> ReturnRecord | None:
    """The return because of which a step is open now, or None."""
    last = state.returns[-1] if state.returns else None
    if last is None or state.steps[last.to].state != "open":
        return None
    # An order to restore may have opened it since.
    return last if state.steps[last.to].opened_seq == last.seq else None


def reasons_wanted(state: CycleState, now: str) -> list[StepTime]:
    """Steps for which the open gate's officer is asked why they took so long.

    The gate itself, and steps without a gate before it.
    """
    gate = state.gate
    if gate is None:
        return []
    asked = [s for s in state.procedure if s.number <= gate.number]
    asked = [s for s in asked if s.number == gate.number or not s.is_gate]
    return [t for t in (step_time(state, s, now) for s in asked) if t.lacks_reason]


def _between(state: CycleState, start: str, end: str) -> float | None:
    """Seconds that count between two UTC times, None when they are no span."""
    try:
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        last = max(last, first)
        if state.holidays is None:
            return (last - first).total_seconds()
        return calendar_of(state.office, state.holidays).seconds(first, last)
    except (ValueError, TypeError):
        return None


def _is_uncertain(state: CycleState, stand: StepState, start: str, end: str) -> bool:
    """Whether the clock was set back while the step was open, or is known to have run ahead.

    A step that ended at a time which a later entry had not reached yet ended by a wrong clock.
    """
    try:
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    except (ValueError, TypeError):
        return True
    if (first - last).total_seconds() > TOLERANCE_SECONDS:
        return True
    for jump in state.jumps:
        if jump_seconds(jump) <= TOLERANCE_SECONDS or jump.seq <= stand.opened_seq:
            continue
        inside = not stand.passed_seq or jump.seq <= stand.passed_seq
        after = datetime.fromisoformat(jump.after)
        if inside or (last - after).total_seconds() > TOLERANCE_SECONDS:
            return True
    return False


def jump_seconds(jump: ClockJump) -> float:
    """By how much the journal's time goes back there."""
    before, after = datetime.fromisoformat(jump.before), datetime.fromisoformat(jump.after)
    return (before - after).total_seconds()
