"""Asks hosts again until their transaction has ended: start-or-attach, so nothing runs twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from orchestrator.fleet.run import PhaseCall, run_phase
from orchestrator.model.evidence import Outcome, OutcomeKind, Phase, Status

ASK_AGAIN_SECONDS = 2.0
RECONNECTS = 2
"""How often a host that cannot be reached for its backup is tried again: nothing has begun yet."""
BEGUN = frozenset({Phase.UPDATE, Phase.ANTIVIRUS, Phase.TEST, Phase.RESTORE})
"""Phases of hosts that have just answered, and on which work goes on while the line is cut."""


def run_settled(
    call: PhaseCall,
    on_outcome: Callable[[Outcome], None],
    *,
    restart_seconds: float,
    on_wait: Callable[[str, str], None] = lambda host, words: None,
    before_wait: Callable[[], None] = lambda: None,
) -> None:
    """Run a phase until every host has a final outcome, and hand each on once.

    A host that answers `rebooting` or `running` is asked again, and a host on which work has begun
    may be out of reach, for at most `restart_seconds` without news; then its last outcome stands.
    All hosts of a round are waited for, so a host is given up only when it was asked after that.
    `before_wait` is called between two rounds and may raise to end the phase there: what goes on
    on the hosts is attached to when they are asked again.
    """
    pending: dict[str, Outcome] = {}
    waiting: dict[str, float] = {}  # host → monotonic deadline
    misses: dict[str, int] = {}
    told: dict[str, str] = {}

    def tell(host: str, words: str) -> None:
        if told.get(host) != words:
            told[host] = words
            on_wait(host, words)

    def judge(outcome: Outcome) -> None:
        evidence = outcome.read()
        host = outcome.host
        if evidence is not None and evidence.status in (Status.REBOOTING, Status.RUNNING):
            if evidence.status is Status.RUNNING:
                waiting.pop(host, None)  # a sign of life
            else:
                waiting.setdefault(host, time.monotonic() + restart_seconds)
            pending[host] = outcome
            tell(host, str(evidence.status))
        elif outcome.kind is OutcomeKind.UNREACHABLE and call.phase in BEGUN:
            waiting.setdefault(host, time.monotonic() + restart_seconds)
            pending[host] = outcome
            tell(host, str(outcome.kind))
        elif outcome.kind is OutcomeKind.UNREACHABLE and call.phase is Phase.BACKUP:
            misses[host] = misses.get(host, 0) + 1
            pending[host] = outcome
        else:
            on_outcome(outcome)

    requests = dict(call.requests)
    while requests:
        pending.clear()
        asked = time.monotonic()
        run_phase(replace(call, requests=requests), judge)
        requests = {}
        for host, outcome in pending.items():
            late = asked > waiting.get(host, asked) or misses.get(host, 0) > RECONNECTS
            if late:
                on_outcome(_given_up(outcome))
            else:
                requests[host] = dict(call.requests[host])
        if requests:
            before_wait()
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
