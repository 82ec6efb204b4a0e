"""Asks hosts again until their transaction has ended: start-or-attach, so nothing runs twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from orchestrator.fleet.run import PhaseCall, run_phase
from orchestrator.model.evidence import CHANGING, Outcome, OutcomeKind, Status

ASK_AGAIN_SECONDS = 2.0
RECONNECTS = 2
"""How often a host that cannot be reached is tried again in a changing phase without a hint that
it restarts."""


def run_settled(
    call: PhaseCall,
    on_outcome: Callable[[Outcome], None],
    *,
    restart_seconds: float,
    on_wait: Callable[[str, str], None] = lambda host, words: None,
) -> None:
    """Run a phase until every host has a final outcome, and hand each on once.

    A host that answers `rebooting` or `running` is asked again, and may be unreachable in
    between, for at most `restart_seconds` without news; then its last outcome stands.
    """
    pending: dict[str, Outcome] = {}
    restarting: dict[str, float] = {}  # host → monotonic deadline
    misses: dict[str, int] = {}

    def judge(outcome: Outcome) -> None:
        evidence = outcome.read()
        host = outcome.host
        if evidence is not None and evidence.status in (Status.REBOOTING, Status.RUNNING):
            if host not in restarting or evidence.status is Status.RUNNING:
                restarting[host] = time.monotonic() + restart_seconds
            pending[host] = outcome
            on_wait(host, str(evidence.status))
        elif outcome.kind is OutcomeKind.UNREACHABLE and call.phase in CHANGING:
            misses[host] = misses.get(host, 0) + 1
            pending[host] = outcome
        else:
            on_outcome(outcome)

    requests = dict(call.requests)
    while requests:
        pending.clear()
        run_phase(replace(call, requests=requests), judge)
        now = time.monotonic()
        requests = {}
        for host, outcome in pending.items():
            late = now > restarting[host] if host in restarting else misses[host] > RECONNECTS
            if late:
                on_outcome(_given_up(outcome))
            else:
                requests[host] = dict(call.requests[host])
        if requests:
            time.sleep(ASK_AGAIN_SECONDS)


def _given_up(outcome: Outcome) -> Outcome:
    """A host that never came back is unreachable, whatever it said last."""
    if outcome.kind is OutcomeKind.UNREACHABLE:
        return outcome
    evidence = outcome.read()
    words = f"it said '{evidence.status}' and never finished" if evidence else "it never finished"
    return Outcome(
        host=outcome.host, phase=outcome.phase, kind=OutcomeKind.UNREACHABLE, reason=words
    )
