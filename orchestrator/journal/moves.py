"""Moves that the fold makes on the steps of a cycle; each refuses what the procedure forbids."""

from __future__ import annotations

from orchestrator.journal.entry import Entry
from orchestrator.journal.state import CycleState, StepState
from orchestrator.sop import machine


def require(condition: bool, words: str) -> None:
    """Raise IllegalStep with these words unless the condition holds."""
    if not condition:
        raise machine.IllegalStep(words)


def status(state: CycleState) -> dict[int, machine.StepStatus]:
    """Step → waiting, open or passed, as the rules of the SOP take it."""
    return {number: step.state for number, step in state.steps.items()}


def open_step(state: CycleState, step: int, at: str) -> None:
    """Open a step afresh, by the entry that is being applied."""
    state.steps[step] = StepState("open", at, opened_seq=state.seq + 1)


def open_ready(state: CycleState, at: str) -> None:
    """Open every step that opens by itself now."""
    for step in machine.SELF_OPENING:
        if machine.may_open(status(state), step):
            open_step(state, step, at)
    for step, after in machine.OPENS_AT_LATEST.items():
        if state.steps[after].state == "passed" and machine.may_open(status(state), step):
            open_step(state, step, at)


def pass_step(state: CycleState, step: int, entry: Entry, seconds: float | None = None) -> None:
    """Pass an open step, and open what follows; raises IllegalStep when it may not pass."""
    machine.check_pass(status(state), step)
    current = state.steps[step]
    current.state, current.ended_at, current.actor = "passed", entry.at, entry.actor
    current.passed_seq = entry.seq
    if seconds is not None:
        current.seconds = seconds
    open_ready(state, entry.at)
