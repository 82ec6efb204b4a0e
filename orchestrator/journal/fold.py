"""Entries → state. The only place that says what an entry means, and which entry may follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from orchestrator.journal.entry import Entry
from orchestrator.journal.state import (
    CycleState,
    Decision,
    DocumentRecord,
    Note,
    PhaseRun,
    ReturnRecord,
    SignatureRecord,
    StepState,
)
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import CHANGING, Outcome, Phase
from orchestrator.model.office import Office
from orchestrator.model.plan import Plan
from orchestrator.model.statement import Statement
from orchestrator.model.verdict import HostVerdict
from orchestrator.sop import machine

STEP_OF_PHASE = {
    Phase.CHECK: 2,
    Phase.BACKUP: 6,
    Phase.UPDATE: 7,
    Phase.ANTIVIRUS: 7,
    Phase.TEST: 8,
    Phase.RESTORE: 8,
}


class IllegalEntry(CannotRunError):
    """An entry that the procedure does not allow at this place; nothing was recorded."""


def fold(entries: Iterable[Entry]) -> CycleState:
    """The state after all entries; raises IllegalEntry at the first that may not stand there."""
    state: CycleState | None = None
    for entry in entries:
        state = step_forward(state, entry)
    if state is None:
        raise IllegalEntry("the journal is empty")
    return state


def step_forward(state: CycleState | None, entry: Entry) -> CycleState:
    """Check one entry against the state, then apply it; the state is unchanged when it is refused.

    Raises IllegalEntry naming the entry and the rule.
    """
    try:
        if state is None:
            if entry.kind != "cycle.opened":
                raise machine.IllegalStep("a journal begins with cycle.opened")
            state = _opened(entry)
        else:
            APPLY[entry.kind](state, entry)
    except (machine.IllegalStep, KeyError, TypeError, ValueError) as error:
        raise IllegalEntry(
            f"journal entry {entry.seq} ({entry.kind}) is not allowed: {error}"
        ) from (error)
    state.head, state.seq, state.last_at = entry.hash, entry.seq, entry.at
    return state


def _require(condition: bool, words: str) -> None:
    if not condition:
        raise machine.IllegalStep(words)


def _opened(entry: Entry) -> CycleState:
    body = entry.body
    state = CycleState(
        cycle=body["cycle"],
        office=Office.model_validate(body["office"]),
        opened_at=entry.at,
        origin=entry.hash,
        kind=body["kind"],
        hosts=tuple(body["hosts"]),
        addresses=dict(body["addresses"]),
        tool_version=body["tool_version"],
        operator=entry.actor,
        previous_cycle=body["previous_cycle"],
        previous_manifest=body["previous_manifest"],
    )
    _require(bool(state.hosts) and len(set(state.hosts)) == len(state.hosts), "hosts are wrong")
    state.steps[1] = StepState("passed", entry.at, entry.at, actor=entry.actor)
    _open_ready(state, entry.at)
    return state


def _status(state: CycleState) -> dict[int, machine.StepStatus]:
    return {number: step.state for number, step in state.steps.items()}


def _open(state: CycleState, step: int, at: str) -> None:
    state.steps[step] = StepState("open", at)


def _open_ready(state: CycleState, at: str) -> None:
    for step in machine.SELF_OPENING:
        if machine.may_open(_status(state), step):
            _open(state, step, at)
    for step, after in machine.OPENS_AT_LATEST.items():
        if state.steps[after].state == "passed" and machine.may_open(_status(state), step):
            _open(state, step, at)


def _pass(state: CycleState, step: int, entry: Entry, seconds: float | None = None) -> None:
    machine.check_pass(_status(state), step)
    current = state.steps[step]
    current.state, current.ended_at, current.actor = "passed", entry.at, entry.actor
    if seconds is not None:
        current.seconds = seconds
    _open_ready(state, entry.at)


def _step_passed(state: CycleState, entry: Entry) -> None:
    step = entry.step or 0
    _require(step in state.steps, "there is no such step")
    gate = next(s for s in state.procedure if s.number == step)
    _require(not gate.is_gate, f"step {step} passes by signature only")
    if step == 2:
        _require(state.plan is not None, "step 2 passes with a plan")
    if step == 7:
        missing = [h for h in state.hosts if h not in state.verdicts]
        _require(
            not missing, f"step 7 passes when every host has a verdict; {missing[:1]} has none"
        )
    if step == 12:
        _require(bool(state.archive_manifest), "step 12 passes with an archive")
    _pass(state, step, entry, entry.body.get("seconds"))


def _phase_started(state: CycleState, entry: Entry) -> None:
    phase = Phase(entry.body["phase"])
    step = STEP_OF_PHASE[phase]
    if phase in CHANGING or phase is Phase.TEST:
        _require(
            state.steps[3].state == "passed" and state.steps[4].state == "passed",
            "no host is changed before steps 3 and 4 are signed",
        )
    if state.steps[step].state == "waiting" and machine.may_open(_status(state), step):
        _open(state, step, entry.at)
    _require(state.steps[step].state == "open", f"step {step} is not open")
    unknown = set(entry.body["hosts"]) - set(state.hosts)
    _require(not unknown, f"{sorted(unknown)[:1]} is not in the cycle")
    state.runs.append(
        PhaseRun(phase, entry.body["wave"], tuple(entry.body["hosts"]), started_at=entry.at)
    )


def _phase_ended(state: CycleState, entry: Entry) -> None:
    _require(bool(state.runs) and not state.runs[-1].ended_at, "no phase is under way")
    run = replace(state.runs[-1], ended_at=entry.at, seconds=entry.body["seconds"])
    state.runs[-1] = run
    step = state.steps[STEP_OF_PHASE[run.phase]]
    step.seconds = (step.seconds or 0.0) + float(entry.body["seconds"])


def _outcome(state: CycleState, entry: Entry) -> None:
    outcome = Outcome.model_validate({**entry.body, "host": entry.host})
    _require(entry.host in state.hosts, f"{entry.host} is not in the cycle")
    _require(
        bool(state.runs)
        and not state.runs[-1].ended_at
        and state.runs[-1].phase == outcome.phase
        and entry.host in state.runs[-1].hosts,
        "no such phase is under way on this host",
    )
    outcome.read()  # evidence that cannot be read is refused here, not found later
    state.outcomes.setdefault(entry.host, []).append(outcome)


def _plan_made(state: CycleState, entry: Entry) -> None:
    plan = Plan.model_validate(entry.body["plan"])
    _require(state.steps[2].state == "open", "a plan is made in step 2")
    _require(plan.id == entry.body["id"], "the plan's id is not its SHA-256")
    _require(
        (plan.cycle, plan.origin, plan.revision) == (state.cycle, state.origin, state.revision),
        "another cycle's plan",
    )
    _require(plan.hosts == state.hosts, "the plan's hosts are not the cycle's")
    _require(
        [i.number for i in plan.items] == list(range(1, len(plan.items) + 1)),
        "items are not numbered from 1",
    )
    state.plan, state.decisions, state.order = plan, {}, None


def _document(state: CycleState, entry: Entry) -> None:
    body = entry.body
    state.documents[body["name"]] = DocumentRecord(
        body["name"], body["sha256"], body["size"], entry.step or 0, entry.at, entry.seq
    )


def _read_statement(state: CycleState, entry: Entry, decision: str) -> Statement:
    """The statement, after every check that needs no cryptography."""
    statement = Statement.model_validate_json(entry.body["statement"])
    _require(statement.canonical() == entry.body["statement"], "the statement is not canonical")
    _require(statement.decision == decision, f"the statement does not say {decision}")
    _require(statement.cycle == state.cycle, f"the statement is for cycle {statement.cycle}")
    gate = state.gate
    _require(gate is not None, "no gate is open")
    assert gate is not None
    _require(statement.step == gate.number == entry.step, f"the open gate is step {gate.number}")
    _require(
        state.plan is not None and statement.plan_id == state.plan.id, "it is for another plan"
    )
    _require(statement.journal_head == state.head, "it was made for another journal head (replay)")
    officer = state.office.officer(statement.officer)
    _require(officer is not None and entry.actor == statement.officer, "unknown officer")
    assert officer is not None
    _require(officer.role == statement.role, "the officer has another role")
    _require(
        officer.role in gate.signers,
        f"step {gate.number} is signed by {' and '.join(gate.signers)}, not by {officer.role}",
    )
    shown = {name: record.sha256 for name, record in state.documents.items()}
    for name, digest in statement.documents.items():
        _require(shown.get(name) == digest, f"{name} is not the document on record")
    return statement


def _gate_signed(state: CycleState, entry: Entry) -> None:
    statement = _read_statement(state, entry, "sign")
    officer = state.office.officer(statement.officer)
    assert officer is not None and state.plan is not None
    gate = next(s for s in state.procedure if s.number == statement.step)
    by_role = {s.role for s in state.signed(gate.number)}
    _require(officer.role not in by_role, f"{officer.role} has signed step {gate.number} already")
    if state.office.rules.separation_of_duties:
        signed: dict[int, dict[str, str]] = {}
        for signature in state.signatures:
            signed.setdefault(signature.step, {})[signature.role] = signature.officer
        drafter = next(s.role for s in state.procedure if s.number == 9) or ""
        conflict = machine.duty_conflict(gate.number, officer.id, signed, drafter)
        _require(not conflict, f"separation of duties: {conflict}")
    if gate.number == 4:
        _require(statement.order is not None, "step 4 is signed with an order")
    numbers = {i.number for i in state.plan.items}
    _require(all(d.number in numbers for d in statement.decisions), "no such item in the plan")
    _require(gate.number == 3 or not statement.decisions, "items are decided in step 3")
    if gate.number == 8:
        _require(state.steps[7].state == "passed", "the tests are not finished")
    state.signatures.append(
        SignatureRecord(
            gate.number,
            officer.id,
            officer.name,
            officer.role,
            entry.at,
            entry.body["statement"],
            entry.body["signature"],
            entry.seq,
            officer.valid_keys,
        )
    )
    if gate.number == 3:
        state.decisions = {d.number: Decision(d.approved, d.reason) for d in statement.decisions}
    if gate.number == 4:
        state.order = statement.order
    if by_role | {officer.role} == set(gate.signers):
        _pass(state, gate.number, entry)


def _gate_returned(state: CycleState, entry: Entry) -> None:
    statement = _read_statement(state, entry, "return")
    _require(bool(statement.reason.strip()), "a return has a reason")
    target = machine.return_target(_status(state), statement.step)
    state.returns.append(
        ReturnRecord(statement.step, target, statement.reason, statement.officer, entry.at)
    )
    for step in range(target, 14):
        state.steps[step] = StepState()
    state.signatures = [s for s in state.signatures if s.step < target]
    if target == 2:
        state.revision += 1
        state.plan, state.decisions, state.order = None, {}, None
        state.outcomes, state.verdicts = {}, {}
    _open_ready(state, entry.at)


def _verdict(state: CycleState, entry: Entry) -> None:
    _require(entry.host in state.hosts, f"{entry.host} is not in the cycle")
    _require(state.steps[4].state == "passed", "verdicts come after the order")
    _require(entry.host not in state.verdicts, f"{entry.host} has a verdict already")
    state.verdicts[entry.host] = HostVerdict.model_validate({**entry.body, "host": entry.host})


def _office_changed(state: CycleState, entry: Entry) -> None:
    state.office = Office.model_validate(entry.body["office"])


def _note(state: CycleState, entry: Entry) -> None:
    state.notes.append(Note(entry.step or 0, entry.actor, entry.body["text"], entry.at))


def _archived(state: CycleState, entry: Entry) -> None:
    _require(state.steps[12].state == "open", "the archive is made in step 12")
    state.archive_manifest = entry.body["manifest_sha256"]
    state.archive_path = entry.body["path"]


def _closed(state: CycleState, entry: Entry) -> None:
    _require(state.steps[13].state == "open", "the cycle closes in step 13")
    state.closed_at = entry.at
    _pass(state, 13, entry)


APPLY: dict[str, Callable[[CycleState, Entry], None]] = {
    "step.passed": _step_passed,
    "phase.started": _phase_started,
    "phase.ended": _phase_ended,
    "host.outcome": _outcome,
    "plan.made": _plan_made,
    "document.rendered": _document,
    "gate.signed": _gate_signed,
    "gate.returned": _gate_returned,
    "host.verdict": _verdict,
    "office.changed": _office_changed,
    "note.added": _note,
    "archive.made": _archived,
    "cycle.closed": _closed,
}
