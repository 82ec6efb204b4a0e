"""What a signed order to restore means: hosts go back to the backup of their cycle (SOP step 8)."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.journal.entry import Entry
from orchestrator.journal.moves import (
    open_ready,
    open_step,
    pass_step,
    require,
    signature_record,
)
from orchestrator.journal.state import CycleState, RestoreOrder, SignatureRecord, StepState
from orchestrator.model.evidence import Phase, Status
from orchestrator.model.statement import Statement
from orchestrator.sop.shown import CHECK_LIST

UNTOUCHED = frozenset({Status.REFUSED, Status.BLOCKED, Status.SUPERSEDED})


def restore_ordered(state: CycleState, entry: Entry) -> None:
    """An officer orders hosts back.

    In the cycle that changed them, everything from the test on is done again: it would otherwise
    report and archive a host as it is no more. In a cycle of its own, which restores from a closed
    one, the order stands for the gates 3 and 4: what goes back is what was confirmed there.
    """
    statement = _read(state, entry)
    officer = state.office.officer(statement.officer)
    assert officer is not None
    record = signature_record(officer, entry, statement)
    if state.source is not None:
        require(state.steps[3].state == "open", "it has been ordered already")
        require(set(statement.hosts) == set(state.hosts), "it is not for the cycle's hosts")
        state.signatures.append(record)
        for number in (3, 4):
            _pass_by_order(state, number, record, entry)
    else:
        _within(state, statement, entry)
    before = {host: len(state.outcomes.get(host, [])) for host in statement.hosts}
    state.restores.append(RestoreOrder(statement.hosts, statement.reason, record, before))


def _pass_by_order(state: CycleState, number: int, record: SignatureRecord, entry: Entry) -> None:
    """Pass a gate by the order alone: nobody else confirmed anything, so nobody else is named."""
    step = next(s for s in state.procedure if s.number == number)
    role = record.person.role if record.person is not None else step.role
    pass_step(state, number, entry)
    signers = (role,) if role is not None else ()
    state.steps[number].held = replace(step, role=role, signers=signers)


def check_phase(state: CycleState, phase: Phase, hosts: list[str]) -> None:
    """Refuse phases for which there is no order: of what may be put back, and by what."""
    if state.source is not None:
        allowed = phase in (Phase.CHECK, Phase.RESTORE, Phase.TEST)
        require(allowed, f"a cycle that restores has no {phase}")
    if phase is Phase.RESTORE and (state.source is not None or state.steps[7].state == "passed"):
        left = sorted(set(hosts) - set(state.to_restore))
        require(not left, f"nobody has ordered {left[:1]} to be restored")


def _within(state: CycleState, statement: Statement, entry: Entry) -> None:
    """The order's effect on the open cycle: back to step 8, and the hosts are judged anew."""
    require(state.steps[7].state == "passed", "the change is not at its end yet")
    require(not state.archive_manifest, "the cycle is archived")
    for host in statement.hosts:
        require(host in state.hosts, f"{host} is not in the cycle")
        require(host in state.verdicts, f"{host} is being restored already")
        require(may_restore(state, host), f"{host} was not changed in this cycle, or is back")
    for step in range(8, 14):
        state.steps[step] = StepState()
    open_step(state, 8, entry.at)
    # What was shown for the steps undone is out of date: nobody can sign for it any more.
    state.documents = {n: d for n, d in state.documents.items() if d.step < 8}
    state.signatures = [s for s in state.signatures if s.step < 8]
    state.number, state.serial = "", None  # of a report that is no more
    for host in statement.hosts:
        del state.verdicts[host]
    open_ready(state, entry.at)


def may_restore(state: CycleState, host: str) -> bool:
    """Whether the cycle has a backup of the host, began to change it, and has not put it back."""
    backup = state.last(host, Phase.BACKUP)
    evidence = backup.read() if backup is not None else None
    if evidence is None or evidence.status is not Status.OK:
        return False
    restore = state.last(host, Phase.RESTORE)
    answer = restore.read() if restore is not None else None
    if answer is not None and answer.status is Status.OK:
        return False
    return was_changed(state, host)


def was_changed(state: CycleState, host: str) -> bool:
    """Whether update or antivirus changed the host; without their word it must be assumed."""
    for phase in (Phase.UPDATE, Phase.ANTIVIRUS):
        outcome = state.last(host, phase)
        evidence = outcome.read() if outcome is not None else None
        if outcome is None or (evidence is not None and evidence.status in UNTOUCHED):
            continue
        if evidence is None or evidence.status is not Status.OK:
            return True
        if evidence.facts.get("packages_changed") or evidence.facts.get("rebooted"):
            return True
        if any(item.result != "unchanged" for item in evidence.items):
            return True
    return False


def _read(state: CycleState, entry: Entry) -> Statement:
    """The statement, after every check that needs no cryptography."""
    statement = Statement.model_validate_json(entry.body["statement"])
    require(isinstance(entry.body["signature"], str), "the signature is no text")
    require(statement.canonical() == entry.body["statement"], "the statement is not canonical")
    require(statement.decision == "restore", "the statement does not say restore")
    require(statement.cycle == state.cycle, f"the statement is for cycle {statement.cycle}")
    require(statement.step == entry.step == restore_step(state), "it is for another step")
    require(state.plan is not None and statement.plan_id == state.plan.id, "it is for another plan")
    require(statement.journal_head == state.head, "it was made for another journal head (replay)")
    require(bool(statement.reason.strip()), "an order to restore has a reason")
    hosts = statement.hosts
    require(bool(hosts) and len(set(hosts)) == len(hosts), "its hosts are wrong")
    officer = state.office.officer(statement.officer)
    require(officer is not None and entry.actor == statement.officer, "unknown officer")
    assert officer is not None
    require(officer.role == statement.role, "the officer has another role")
    allowed = state.office.rules.restore_by
    require(officer.role in allowed, f"a restore is ordered by {' or '.join(allowed)}")
    shown = {name: record.sha256 for name, record in state.documents.items()}
    if state.source is not None:
        require(CHECK_LIST in statement.documents, f"the statement does not name {CHECK_LIST}")
    for name, digest in statement.documents.items():
        require(shown.get(name) == digest, f"{name} is not the document on record")
    return statement


def restore_step(state: CycleState) -> int:
    """The step that an order to restore belongs to: 8 in the cycle itself, 4 in one of its own."""
    return 4 if state.source is not None else 8
