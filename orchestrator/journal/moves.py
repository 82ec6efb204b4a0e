"""Moves that the fold makes on the steps of a cycle; each refuses what the procedure forbids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.journal.entry import Entry
from orchestrator.journal.state import CycleState, RelaxedRule, SignatureRecord, StepState
from orchestrator.model.canonical import canonical_json
from orchestrator.model.office import Officer
from orchestrator.model.statement import Statement
from orchestrator.sop import machine
from orchestrator.sop.relaxed import Relaxation, relaxations


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


def signature_record(officer: Officer, entry: Entry, statement: Statement) -> SignatureRecord:
    """What the state keeps of a signature, with the officer as office.yml has them now."""
    return SignatureRecord(
        statement.step,
        officer.id,
        officer.name,
        officer.role,
        entry.at,
        entry.body["statement"],
        entry.body["signature"],
        entry.seq,
        officer.valid_keys,
        statement.pdf,
        officer.certificates,
        officer,
    )


def relaxed_in(body: Mapping[str, Any]) -> tuple[Relaxation, ...]:
    """What an entry says is relaxed; raises KeyError or ValueError when it is malformed."""
    return tuple(
        Relaxation(str(r["code"]), str(r["words"]), {k: str(v) for k, v in r["facts"].items()})
        for r in body.get("relaxed", ())
    )


def note_relaxed(state: CycleState, at: str, told: Sequence[Relaxation] = ()) -> None:
    """Keep in the state which rules do not hold from now on; what once did not hold stays known.

    They follow from the office and the order themselves, so that nothing can be left out of the
    record; an entry may tell of more of them, which a later version of the program knew.
    """
    now = {_key(r.code, r.facts): r for r in relaxations(state.office, state.order)}
    for rule in told:
        now.setdefault(_key(rule.code, rule.facts), rule)
    running = {_key(r.code, r.facts) for r in state.relaxed if not r.until}
    state.relaxed = [
        r if r.until or _key(r.code, r.facts) in now else replace(r, until=at)
        for r in state.relaxed
    ]
    state.relaxed += [
        RelaxedRule(r.code, r.words, r.facts, at) for key, r in now.items() if key not in running
    ]


def _key(code: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """What tells one relaxation from another: its rule and the step that it is about."""
    return code, canonical_json(facts)
