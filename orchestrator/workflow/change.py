"""Steps 5 to 8: wave by wave, back up, update, antivirus, test, and restore where it must be.

Each function asks only hosts that have no outcome yet, so running again goes on where it stopped.
"""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.journal.judge import judge, may_test, may_update, needs_restore, package_items
from orchestrator.journal.state import CycleState
from orchestrator.model.amount import borne_failures, canary_size, wave_size
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import CHANGING, OutcomeKind, Phase
from orchestrator.model.statement import Statement
from orchestrator.model.verdict import GOOD, Verdict
from orchestrator.signature.ssh import verify
from orchestrator.sop.window import after_window, before_window
from orchestrator.workflow.exclusive import alone_on
from orchestrator.workflow.putback import judge_all, pass_open, put_back, require_unrevoked
from orchestrator.workflow.requests import requests_for
from orchestrator.workflow.run import Run

HARMLESS = GOOD | {Verdict.INCOMPLETE, Verdict.SUPERSEDED, Verdict.NOT_STARTED}
"""Verdicts that do not count against the wave's abort limit."""


def change(run: Run) -> None:
    """SOP steps 5 to 8 up to the gate; ends with a verdict for every host."""
    if run.state.to_restore or run.state.source is not None:
        put_back(run)
        return
    require_signatures(run.state)
    _require_window(run.state)
    unjudged = [h for h in run.state.hosts if h not in run.state.verdicts]
    with alone_on(
        run.settings, run.state.cycle, (h for h in unjudged if run.state.has_approved(h))
    ):
        _all_waves(run)


def _all_waves(run: Run) -> None:
    run.progress.step(run.state, 6)
    judged: dict[str, bool] = {}
    for number, wave in waves(run.state):
        begun = any(run.state.last(h, Phase.BACKUP) is not None for h in wave)
        # A wave that has begun is brought to its end: stopping inside it leaves hosts untested.
        if not begun and (reason := _no_more(run.state, judged)):
            run.book.record("note.added", {"text": reason}, step=7)
            run.progress.say(reason)
            break
        _wave(run, number, wave)
    judge_all(run)
    pass_open(run)


def _require_window(state: CycleState) -> None:
    """Nothing begins before the ordered window does."""
    assert state.order is not None
    if before_window(state.order, datetime.now(UTC)):
        raise CannotRunError(
            f"the ordered window begins at {state.order.window_start}",
            "nothing was changed on any host; run the same command again then",
        )


def _no_more(state: CycleState, judged: dict[str, bool]) -> str:
    """Why no further wave may begin, or ''."""
    assert state.order is not None
    if too_many_failed(state, judged):
        return "more hosts failed than the order allows; the hosts left over are not started"
    if after_window(state.order, datetime.now(UTC)):
        return "the ordered window is over; the hosts left over are not started"
    return ""


def waves(state: CycleState) -> list[tuple[int, list[str]]]:
    """Hosts with approved items in numbered waves: 0, the canary, unless it is off; then 1, 2, …"""
    assert state.order is not None
    hosts = list(state.in_scope)
    first = canary_size(state.order.canary, len(hosts))
    size = wave_size(state.order.wave, len(hosts))
    rest = [hosts[i : i + size] for i in range(first, len(hosts), size)]
    return [(n, w) for n, w in enumerate([hosts[:first], *rest]) if w]


def too_many_failed(state: CycleState, judged: dict[str, bool] | None = None) -> bool:
    """Whether more hosts failed or were lost than the order allows (unreachable ones count).

    `judged` keeps which hosts of waves that ended did, so that none is judged again after each.
    """
    assert state.order is not None
    failed = judged if judged is not None else {}
    for host in state.hosts:
        if host not in failed and state.last(host, Phase.BACKUP) is not None:
            failed[host] = judge(state, host).verdict not in HARMLESS
    borne = borne_failures(state.order.abort_limit, len(state.in_scope))
    return borne is not None and sum(failed.values()) > borne


def _wave(run: Run, number: int, hosts: list[str]) -> None:
    state = run.state

    def ask(phase: Phase, chosen: list[str]) -> None:
        run.phase(phase, requests_for(state, chosen, phase), number)

    def fresh(phase: Phase) -> list[str]:
        return [h for h in hosts if state.last(h, phase) is None]

    ask(Phase.BACKUP, fresh(Phase.BACKUP))
    ask(
        Phase.UPDATE,
        [h for h in fresh(Phase.UPDATE) if may_update(state, h) and package_items(state, h)],
    )
    ask(
        Phase.ANTIVIRUS, [h for h in fresh(Phase.ANTIVIRUS) if may_test(state, h) and _av(state, h)]
    )
    ask(Phase.TEST, [h for h in fresh(Phase.TEST) if may_test(state, h)])
    ask(Phase.RESTORE, [h for h in hosts if needs_restore(state, h)])
    ask(Phase.TEST, [h for h in hosts if _restored_untested(state, h)])


def _av(state: CycleState, host: str) -> bool:
    return any(i.kind == "antivirus" for i in state.approved(host))


def _restored_untested(state: CycleState, host: str) -> bool:
    """Whether a host was restored and has not been tested since."""
    restore = state.last(host, Phase.RESTORE)
    if restore is None or restore.kind is not OutcomeKind.EVIDENCE:
        return False
    phases = [o.phase for o in state.outcomes[host]]
    return Phase.TEST not in phases[phases.index(Phase.RESTORE) :]


def require_signatures(state: CycleState) -> None:
    """Invariant I1: verify the signatures of steps 3 and 4 over this very plan, here and now.

    Raises CannotRunError naming the step; then nothing is changed on any host.
    """
    assert state.plan is not None
    begun = any(run.phase in CHANGING for run in state.runs)
    for step in (gate for gate in state.procedure if gate.number in (3, 4)):
        signatures = {s.role: s for s in state.signed(step.number)}
        for role in step.signers:
            record = signatures.get(role)
            reason = "it is not signed"
            if record is not None:
                statement = Statement.model_validate_json(record.statement)
                reason = verify(record.statement, record.signature, record.officer, record.keys)
                if not reason and statement.plan_id != state.plan.id:
                    reason = "it is for another plan"
                if not reason and not begun:
                    require_unrevoked(state, record)
            if reason:
                raise CannotRunError(
                    f"step {step.number} has no valid signature by {role}: {reason}",
                    "nothing was changed on any host; sop-run audit says more",
                )
