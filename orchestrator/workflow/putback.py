"""Carries an order to restore out: hosts back to their backup, tested, judged (SOP step 8)."""

from __future__ import annotations

from orchestrator.journal.judge import judge
from orchestrator.journal.state import CycleState, SignatureRecord
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import OutcomeKind, Phase
from orchestrator.model.statement import Statement
from orchestrator.signature.ssh import made_by, verify
from orchestrator.workflow.exclusive import alone_on
from orchestrator.workflow.requests import requests_for
from orchestrator.workflow.run import Run

WAVE = 1
"""All hosts of an order go back together; none of them is a canary."""


def put_back(run: Run) -> None:
    """Restore and test every host that is ordered back and has no verdict; then judge."""
    state = run.state
    hosts = list(state.to_restore)
    require_order(state)
    with alone_on(run.settings, state.cycle, hosts):
        run.progress.step(state, 8)
        run.phase(
            Phase.RESTORE,
            requests_for(state, [h for h in hosts if not _since(state, h)], Phase.RESTORE),
            WAVE,
        )
        tested = [h for h in hosts if _since(state, h) == [Phase.RESTORE] and _answered(state, h)]
        run.phase(Phase.TEST, requests_for(state, tested, Phase.TEST), WAVE)
        judge_all(run)
    pass_open(run)


def _since(state: CycleState, host: str) -> list[Phase]:
    """The phases that a host went through since it was ordered back."""
    order = state.restore_order(host)
    assert order is not None
    return [o.phase for o in state.outcomes.get(host, [])[order.outcomes_before[host] :]]


def _answered(state: CycleState, host: str) -> bool:
    restore = state.last(host, Phase.RESTORE)
    return restore is not None and restore.kind is OutcomeKind.EVIDENCE


def require_unrevoked(state: CycleState, record: SignatureRecord) -> None:
    """Refuse a signature whose key is revoked by now.

    Not to be asked once hosts are being changed: such work is brought to its end, so that they are
    tested and judged. Raises CannotRunError.
    """
    officer = state.office.officer(record.officer)
    if officer is not None and made_by(record.signature, officer.revoked_keys):
        raise CannotRunError(
            f"the key that signed step {record.step} for {record.officer} has been revoked since",
            "nothing was changed on any host. If it was signed before the key was lost, put the "
            "key back among keys: until the work is done; if not, leave this cycle, and use "
            "sop-run remediate for what is urgent",
        )


def require_order(state: CycleState) -> None:
    """Invariant I1: verify the signature of each order that is about to be carried out, now.

    Raises CannotRunError; then nothing is changed on any host.
    """
    orders = [state.restore_order(host) for host in state.to_restore]
    for order in orders:
        assert order is not None and state.plan is not None
        record = order.signature
        reason = verify(record.statement, record.signature, record.officer, record.keys)
        if not reason and not any(_since(state, host) for host in order.hosts):
            require_unrevoked(state, record)
        statement = Statement.model_validate_json(record.statement)
        if not reason and statement.plan_id != state.plan.id:
            reason = "it is for another plan"
        if not reason and statement.hosts != order.hosts:
            reason = "it is for other hosts"
        if reason:
            raise CannotRunError(
                f"the order to restore has no valid signature by {record.officer}: {reason}",
                "nothing was changed on any host; sop-run audit says more",
            )


def judge_all(run: Run) -> None:
    """Record the verdict of every host that has none."""
    for host in run.state.hosts:
        if host not in run.state.verdicts:
            verdict = judge(run.state, host)
            run.book.record(
                "host.verdict", verdict.model_dump(mode="json", exclude={"host"}), host=host
            )
            run.progress.verdict(verdict)


def pass_open(run: Run) -> None:
    """Pass the steps of the work that are still open."""
    for step in (6, 7, 5):
        if run.state.steps[step].state == "open":
            run.book.record("step.passed", step=step)
