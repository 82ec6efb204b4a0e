"""What signatures and returns at gates mean (SOP steps 3, 4, 8, 10, 11); no cryptography."""

from __future__ import annotations

from orchestrator.journal.entry import Entry
from orchestrator.journal.moves import (
    note_relaxed,
    open_ready,
    pass_step,
    require,
    signature_record,
    status,
)
from orchestrator.journal.state import (
    CycleState,
    Decision,
    Note,
    ReturnRecord,
    StepState,
)
from orchestrator.model.plan import Order
from orchestrator.model.statement import Statement
from orchestrator.sop import machine
from orchestrator.sop.shown import DEMANDED


def _read_statement(state: CycleState, entry: Entry, decision: str) -> Statement:
    """The statement, after every check that needs no cryptography."""
    statement = Statement.model_validate_json(entry.body["statement"])
    require(isinstance(entry.body["signature"], str), "the signature is no text")
    require(statement.canonical() == entry.body["statement"], "the statement is not canonical")
    require(statement.decision == decision, f"the statement does not say {decision}")
    require(statement.cycle == state.cycle, f"the statement is for cycle {statement.cycle}")
    gate = state.gate
    require(gate is not None, "no gate is open")
    assert gate is not None
    require(statement.step == gate.number == entry.step, f"the open gate is step {gate.number}")
    require(state.plan is not None and statement.plan_id == state.plan.id, "it is for another plan")
    require(statement.journal_head == state.head, "it was made for another journal head (replay)")
    officer = state.office.officer(statement.officer)
    require(officer is not None and entry.actor == statement.officer, "unknown officer")
    assert officer is not None
    require(officer.role == statement.role, "the officer has another role")
    require(
        state.source is None or gate.number > 4,
        "a cycle that restores is ordered by `sop-run restore`, not gate by gate",
    )
    require(
        officer.role in gate.signers,
        f"step {gate.number} is signed by {' and '.join(gate.signers)}, not by {officer.role}",
    )
    shown = {name: record.sha256 for name, record in state.documents.items()}
    for name, digest in statement.documents.items():
        require(shown.get(name) == digest, f"{name} is not the document on record")
    for name in DEMANDED[gate.number]:
        require(name in statement.documents, f"the statement does not name {name}")
    return statement


def gate_signed(state: CycleState, entry: Entry) -> None:
    """An officer signs the open gate; the last of its signers passes it."""
    statement = _read_statement(state, entry, "sign")
    officer = state.office.officer(statement.officer)
    assert officer is not None and state.plan is not None
    gate = next(s for s in state.procedure if s.number == statement.step)
    by_role = {s.role for s in state.signed(gate.number)}
    require(officer.role not in by_role, f"{officer.role} has signed step {gate.number} already")
    signed: dict[int, dict[str, str]] = {}
    for signature in state.signatures:
        signed.setdefault(signature.step, {})[signature.role] = signature.officer
    conflict = machine.duty_conflict(state.office, gate.number, officer.id, signed)
    require(not conflict, f"separation of duties: {conflict}")
    if gate.number == 4:
        require(statement.order is not None, "step 4 is signed with an order")
    last = len(state.plan.items)
    require(all(1 <= d.number <= last for d in statement.decisions), "no such item in the plan")
    require(gate.number == 3 or not statement.decisions, "items are decided in step 3")
    require(gate.number == 11 or not statement.number, "a number is given in step 11")
    if statement.pdf is not None:
        require(gate.number in (10, 11), "PDFs are signed in steps 10 and 11")
        require(
            statement.pdf.certificate in officer.certificates,
            "office.yml does not have the certificate that signed the PDF",
        )
    if gate.number == 8:
        require(state.steps[7].state == "passed", "the tests are not finished")
        require(not state.to_restore, "hosts are being restored")
    for reason in statement.reasons:
        require(2 <= reason.step <= gate.number, f"step {reason.step} is not before this gate")
        require(bool(reason.text.strip()), f"the reason for step {reason.step} is empty")
    state.signatures.append(signature_record(officer, entry, statement))
    if gate.number == 3:
        state.decisions = {d.number: Decision(d.approved, d.reason) for d in statement.decisions}
    if gate.number == 4:
        state.order, state.draft = statement.order, None
        note_relaxed(state, entry.at)
    if gate.number == 11:
        state.number, state.serial = statement.number, statement.serial
    for reason in statement.reasons:
        text, at, seq = reason.text, entry.at, entry.seq
        state.notes.append(
            Note(reason.step, officer.id, text, at, "overrun", officer.id, seq, signed=True)
        )
    if by_role | {officer.role} == set(gate.signers):
        pass_step(state, gate.number, entry)
        state.steps[gate.number].held = gate


def gate_returned(state: CycleState, entry: Entry) -> None:
    """An officer sends the open gate back; what hangs on it is undone, the record stays."""
    statement = _read_statement(state, entry, "return")
    require(bool(statement.reason.strip()), "a return has a reason")
    target = machine.return_target(status(state), statement.step)
    gate = state.steps[statement.step]
    state.returns.append(
        ReturnRecord(
            statement.step,
            target,
            statement.reason,
            statement.officer,
            entry.at,
            entry.seq,
            gate.started_at,
            gate.opened_seq,
        )
    )
    for step in range(target, 14):
        state.steps[step] = StepState()
    # What was shown for the steps undone is out of date: nobody can sign for it any more.
    state.documents = {n: d for n, d in state.documents.items() if d.step < target}
    state.signatures = [s for s in state.signatures if s.step < target]
    if target == 2:
        state.revision += 1
        state.plan, state.decisions, state.order, state.draft = None, {}, None, None
        state.outcomes, state.verdicts = {}, {}
        note_relaxed(state, entry.at)
    open_ready(state, entry.at)


def order_drafted(state: CycleState, entry: Entry) -> None:
    """Terms other than the office's rules, which the order's document is to show (SOP step 4)."""
    require(state.steps[4].state == "open", "an order is drafted while step 4 is open")
    state.draft, state.drafted_seq = Order.model_validate(entry.body["order"]), entry.seq
