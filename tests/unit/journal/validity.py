"""When the state of a cycle is valid: the SOP as statements about one state, not about moves."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import CHANGING
from orchestrator.model.statement import Statement
from orchestrator.sop import machine

OVER_A_PLAN = (3, 4, 8, 10, 11)


def violations(state: CycleState, *, office_fixed: bool = True) -> list[str]:
    """Everything that is wrong with a state; `office_fixed`: office.yml did not change in it."""
    return [*_steps(state), *_plan(state), *_gates(state, office_fixed), *_hosts(state),
            *_end(state)]  # fmt: skip


def _steps(state: CycleState) -> Iterator[str]:
    status = {n: s.state for n, s in state.steps.items()}
    if list(status) != list(range(1, 14)) or status[1] != "passed":
        yield "there are 13 steps, and the first has passed"
    for step, stand in status.items():
        before = machine.OPENS_AFTER[step] if stand != "waiting" else ()
        before += machine.PASSES_AFTER.get(step, ()) if stand == "passed" else ()
        for other in before:
            if status[other] != "passed":
                yield f"step {step} is {stand} although step {other} has not passed"
        if stand == "waiting" and step in machine.SELF_OPENING and machine.may_open(status, step):
            yield f"step {step} waits although it may open"
        times = state.steps[step]
        if (stand == "passed") != bool(times.ended_at) or (stand == "waiting") == bool(
            times.started_at
        ):
            yield f"step {step} is {stand} with the times of another state"
        if stand == "passed" and times.ended_at < times.started_at:
            yield f"step {step} ended before it began"


def _plan(state: CycleState) -> Iterator[str]:
    passed = {n for n, s in state.steps.items() if s.state == "passed"}
    if 2 in passed and state.plan is None:
        yield "step 2 has passed without a plan"
    if state.plan is not None and (state.plan.revision, state.plan.origin, state.plan.hosts) != (
        state.revision, state.origin, state.hosts
    ):  # fmt: skip
        yield "the plan is of another revision, journal or set of hosts"
    numbers = {i.number for i in state.plan.items} if state.plan else set()
    if state.planning is not None and state.plan is not None:
        yield "a plan is made and under way"
    if not set(state.decisions) <= numbers or (state.decisions and 3 not in passed):
        yield "decisions without a confirmed plan"
    if (state.order is not None) != (4 in passed):
        yield "an order is there exactly when step 4 has passed"
    if state.in_scope and 3 not in passed:
        yield "items are approved before step 3"
    if state.revision != 1 + sum(r.to == 2 for r in state.returns):
        yield "the revision counts the returns to step 2"
    for record in state.returns:
        if machine.RETURNS.get(record.step) != record.to or not record.reason.strip():
            yield f"step {record.step} was sent back to step {record.to}, or without a reason"


def _gates(state: CycleState, office_fixed: bool) -> Iterator[str]:
    plan_id = state.plan.id if state.plan else ""
    for record in state.signatures:
        statement = Statement.model_validate_json(record.statement)
        if (statement.plan_id, statement.cycle, statement.step, statement.decision) != (
            plan_id, state.cycle, record.step, "sign"
        ) or record.step not in OVER_A_PLAN:  # fmt: skip
            yield f"the signature on step {record.step} is over something else"
        if state.steps[record.step].state == "waiting":
            yield f"step {record.step} is signed before it is open"
    for step in (s for s in state.procedure if s.is_gate):
        signed = state.signed(step.number)
        if len({s.role for s in signed}) != len(signed):
            yield f"step {step.number} carries two signatures of one role"
        if state.steps[step.number].state != "passed":
            continue
        roles = {s.role for s in signed}
        if not roles or (office_fixed and roles != set(step.signers)):
            yield f"step {step.number} has passed with signatures of {sorted(roles)}"
    if office_fixed and state.office.rules.separation_of_duties:
        by = {(s.step, s.role): s.officer for s in state.signatures}
        one = [s for s in state.signatures if s.step == 8]
        if len({s.officer for s in one}) != len(one):
            yield "one officer tested twice"
        drafts = next(s.role for s in state.procedure if s.number == 9)
        drafter = {by[8, drafts]} if drafts and (8, drafts) in by else set()
        orderer, verifier, establisher = (
            {s.officer for s in state.signatures if s.step == n} for n in (4, 10, 11)
        )
        if orderer & {s.officer for s in one}:
            yield "who ordered has tested"
        if drafter & (verifier | establisher):
            yield "who drafted has verified or established"
        if verifier & establisher:
            yield "who verified has established"
    if state.gate is not None and state.steps[state.gate.number].state != "open":
        yield "the gate that waits is not open"


def _hosts(state: CycleState) -> Iterator[str]:
    ordered = state.steps[3].state == state.steps[4].state == "passed"
    known = set(state.hosts)
    if not set(state.verdicts) | set(state.outcomes) <= known:
        yield "a host is not of this cycle"
    if state.verdicts and not ordered:
        yield "verdicts before the order"
    if state.steps[7].state == "passed" and set(state.verdicts) != known:
        yield "step 7 has passed, and a host has no verdict"
    worked = {o.phase for outcomes in state.outcomes.values() for o in outcomes}
    if worked & CHANGING and not ordered:
        yield "a host was changed without an order"


def _end(state: CycleState) -> Iterator[str]:
    if state.archive_manifest and state.steps[11].state != "passed":
        yield "archived before the report was established"
    if state.steps[12].state == "passed" and not state.archive_manifest:
        yield "step 12 has passed without an archive"
    closed = all(s.state == "passed" for s in state.steps.values())
    if bool(state.closed_at) != closed:
        yield "a cycle is closed exactly when all steps have passed"
