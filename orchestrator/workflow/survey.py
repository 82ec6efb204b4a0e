"""What there is to see of a cycle that is worked on: the phase under way, each host, the waves.

Told from the entries alone, as they come, so that whoever looks on needs no word from the process
that does the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from orchestrator.fleet.run import forks_for
from orchestrator.journal.entry import Entry
from orchestrator.journal.judge import reason_of
from orchestrator.journal.state import CycleState, PhaseRun
from orchestrator.model.evidence import READING, Evidence, Outcome, Phase, Status
from orchestrator.model.verdict import GOOD
from orchestrator.workflow.change import waves

ENOUGH = 3
"""Hosts that must have finished a phase before anything is said of the time left."""

CHECK_STEP = 2

LONGEST = 86400.0
"""Seconds that a host can be believed to have taken."""


@dataclass(frozen=True)
class Seen:
    """The last that is known of a host: an outcome in one word, and why it is none of the good."""

    phase: Phase
    word: str  # a status, or `unreachable`, `failed`
    good: bool
    reason: str = ""


@dataclass(frozen=True)
class HostView:
    """A host as it stands; `doing` is the phase that it is in now, or None."""

    host: str
    doing: Phase | None
    seen: Seen | None
    verdict: str = ""
    reason: str = ""
    finding: bool = False


@dataclass(frozen=True)
class PhaseView:
    """The phase under way. Times are in seconds; `left` is None where it cannot be told."""

    phase: Phase
    wave: int
    last_wave: int | None  # number of the last wave; None: the phase is in no waves
    done: int
    hosts: int
    elapsed: float
    left: float | None = None


class Watched:
    """What the entries tell of the work, beyond the state."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self._done: set[str] = set()  # of the phase under way
        self._seconds: list[float] = []  # that hosts took in it
        self._last_at = ""  # when the last of them finished
        self._last_wave: int | None = None

    def see(self, entry: Entry, state: CycleState) -> None:
        """Take an entry in, with the state after it; each once, in their order."""
        if entry.kind == "phase.started":
            self._done, self._seconds, self._last_at = set(), [], ""
            self._last_wave = last_wave(state, state.runs[-1].phase)
        elif entry.kind == "gate.returned" and state.returns[-1].to == CHECK_STEP:
            self.seen.clear()  # what was seen was of a plan that is no more
        elif entry.kind == "host.outcome":
            outcome = Outcome.recorded(entry.host, entry.body)
            evidence = outcome.read()
            self.seen[entry.host] = seen(outcome, evidence)
            self._done.add(entry.host)
            if (spent := seconds_of(evidence)) is not None:
                self._seconds.append(spent)
            self._last_at = entry.at

    def phase(self, state: CycleState, now: str) -> PhaseView | None:
        """The phase that is under way at `now` (UTC ISO 8601), or None."""
        run = under_way(state)
        if run is None:
            return None
        total, done = len(run.hosts), len(self._done)
        left = seconds_left(self._seconds, total - done, total)
        quiet = _between(self._last_at or run.started_at, now)
        if left is not None and quiet > left:
            left = None  # the hosts that are left take longer than the others did
        return PhaseView(
            run.phase, run.wave, self._last_wave, done, total,
            _between(run.started_at, now), left,
        )  # fmt: skip

    def hosts(self, state: CycleState) -> list[HostView]:
        """Every host of the cycle, in the cycle's order."""
        run = under_way(state)
        busy = set(run.hosts) - self._done if run is not None else set()
        return [self._host(state, host, run, busy) for host in state.hosts]

    def _host(self, state: CycleState, host: str, run: PhaseRun | None, busy: set[str]) -> HostView:
        doing = run.phase if run is not None and host in busy else None
        last, verdict = self.seen.get(host), state.verdicts.get(host)
        if verdict is not None:
            word, bad = str(verdict.verdict), verdict.verdict not in GOOD
            return HostView(host, doing, last, word, verdict.reason, finding=bad)
        bad = last is not None and not last.good
        return HostView(host, doing, last, "", last.reason if last and bad else "", finding=bad)


def seen(outcome: Outcome, evidence: Evidence | None) -> Seen:
    """An outcome in one word."""
    if evidence is None:
        return Seen(outcome.phase, str(outcome.kind), good=False, reason=reason_of(outcome))
    good = evidence.status is Status.OK
    return Seen(outcome.phase, str(evidence.status), good, "" if good else reason_of(outcome))


def seconds_of(evidence: Evidence | None) -> float | None:
    """How long a host took just now; None where that is not known, or was done earlier."""
    if evidence is None or evidence.attached or not 0 <= evidence.seconds <= LONGEST:
        return None  # also a number that is none: a host may tell anything
    return evidence.seconds


def seconds_left(spent: Sequence[float], left: int, hosts: int) -> float | None:
    """About how long `left` of so many hosts still take, if they are like those that finished.

    The median of what those took, times the hosts left, by as many as are worked on at once.
    """
    if len(spent) < ENOUGH or not left:
        return None
    return median(spent) * left / min(forks_for(hosts), hosts)


def under_way(state: CycleState) -> PhaseRun | None:
    """The run of a phase that has begun and not ended, or None."""
    run = state.runs[-1] if state.runs else None
    return run if run is not None and not run.ended_at else None


def last_wave(state: CycleState, phase: Phase) -> int | None:
    """The number of the last wave; None where hosts are not worked on in waves."""
    if phase in READING or state.order is None or state.source is not None or state.to_restore:
        return None
    found = waves(state)
    return found[-1][0] if found else None


def _between(start: str, end: str) -> float:
    """Seconds between two times of the journal; 0 where the clock was set back."""
    span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return max(0.0, span.total_seconds())
