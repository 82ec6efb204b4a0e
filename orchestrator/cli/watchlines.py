"""What `sop-run watch` prints where there is no terminal to draw on: one line for each change."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.cli.pace import Pace
from orchestrator.cli.times import span, time_words
from orchestrator.cli.watchview import (
    Sight,
    headline,
    phase_words,
    stand_words,
    wave_words,
    worker_words,
)
from orchestrator.cli.words import t
from orchestrator.journal.entry import Entry
from orchestrator.journal.state import CycleState
from orchestrator.journal.times import step_times
from orchestrator.model.evidence import Outcome
from orchestrator.model.text import printable
from orchestrator.workflow.survey import HostView, PhaseView, Watched


class Changes:
    """Says what changed since the last time it was asked; begins with where everything stands."""

    def __init__(self) -> None:
        self._steps: dict[int, str] = {}
        self._stand = ""
        self._worker: int | None = None
        self._pace = Pace()

    def begin(self, sight: Sight) -> Iterator[str]:
        """Where the cycle stands when one begins to look."""
        stamp = _stamp(sight.now)
        state = sight.state
        yield f"{stamp}  {headline(sight)}"
        self._worker = sight.worker
        self._steps = {n: s.state for n, s in state.steps.items()}
        passed = [n for n, s in self._steps.items() if s == "passed"]
        yield f"{stamp}  {t(f'{len(passed)} of {len(self._steps)} steps passed')}"
        for step in state.procedure:
            now = self._steps[step.number]
            if now == "open":
                yield f"{stamp}  {t(f'step {step.number}, {t(step.title)}')}: {now}"
        phase = sight.watched.phase(state, sight.now)
        if phase is not None:
            yield f"{stamp}  {phase_words(phase)}"
        for host in sight.watched.hosts(state):
            if host.verdict or host.finding:
                yield f"{stamp}  {_host_words(host)}"
        yield from self._standing(sight, stamp)

    def entry(self, entry: Entry, state: CycleState, watched: Watched) -> Iterator[str]:
        """What an entry changed; the state is the one after it."""
        stamp = _stamp(entry.at)
        words = self._words(entry, state, watched)
        if words:
            yield f"{stamp}  {words}"
        before, self._steps = self._steps, {n: s.state for n, s in state.steps.items()}
        if before == self._steps:
            return
        times = step_times(state, entry.at)
        for step in state.procedure:
            now, time = self._steps[step.number], times[step.number]
            if now != before.get(step.number):
                spent = step.minutes and now == "passed" and time.seconds is not None
                late = f", {t('LATE')}" if spent and time.late else ""
                more = f", {t(time_words(time))}{late}" if spent else ""
                yield f"{stamp}  {t(f'step {step.number}, {t(step.title)}')}: {now}{more}"

    def look(self, sight: Sight) -> Iterator[str]:
        """What changed besides the entries: who works on it, and what it waits for."""
        stamp = _stamp(sight.now)
        under_way = sight.watched.phase(sight.state, sight.now) is not None
        # Between phases processes come and go: each signature is made by one of its own.
        if under_way and sight.worker != self._worker:
            self._worker = sight.worker
            if words := worker_words(sight):
                yield f"{stamp}  {words}"
        yield from self._standing(sight, stamp)

    def _standing(self, sight: Sight, stamp: str) -> Iterator[str]:
        words = stand_words(sight.state)
        if words != self._stand:
            self._stand = words
            if words:
                yield f"{stamp}  {words}"

    def _words(self, entry: Entry, state: CycleState, watched: Watched) -> str:
        phase = watched.phase(state, entry.at)
        match entry.kind:
            case "phase.started" if phase is not None:
                self._pace = Pace()
                count = t(f"{phase.hosts} host{'s' if phase.hosts != 1 else ''}")
                return f"{phase.phase}{wave_words(phase)}: {count}"
            case "host.outcome" if phase is not None:
                return self._outcome(entry, phase, watched)
            case "phase.ended":
                run = state.runs[-1]
                return f"{run.phase}: {t(f'ended after {t(span(run.seconds or 0.0))}')}"
            case "host.verdict":
                verdict = state.verdicts[entry.host]
                reason = f": {printable(verdict.reason, 200)}" if verdict.reason else ""
                return f"{printable(entry.host, 64)} {verdict.verdict}{reason}"
            case "gate.signed":
                return f"{t(f'step {entry.step} signed by')} {printable(entry.actor, 64)}"
            case "gate.returned":
                last = state.returns[-1]
                back = t(f"step {last.step} sent it back to step {last.to}")
                reason = printable(last.reason, 200)
                return f"{back} ({printable(last.officer, 64)}): {reason}"
            case "restore.ordered":
                ordered = len(state.restores[-1].hosts)
                return t(f"{ordered} hosts are ordered back to their backup")
            case "note.added":
                note = state.notes[-1]
                return f"{t(f'note at step {note.step}')}: {printable(note.text, 200)}"
            case _:
                return ""

    def _outcome(self, entry: Entry, phase: PhaseView, watched: Watched) -> str:
        seen = watched.seen[entry.host]
        evidence = Outcome.recorded(entry.host, entry.body).read()
        width = max(2, len(str(phase.hosts)))
        words = f"[{phase.done:>{width}}/{phase.hosts}] {printable(entry.host, 64)}"
        words += f" {seen.phase} {seen.word}"
        if seen.reason:
            words += f": {printable(seen.reason, 200)}"
        # What hosts say is never translated: a part of it might read like a message of ours.
        return words + self._pace.words(evidence, phase.done, phase.hosts)


def _host_words(host: HostView) -> str:
    last = f"{host.seen.phase} {host.seen.word}" if host.seen is not None else ""
    reason = f": {printable(host.reason, 200)}" if host.reason else ""
    return f"{printable(host.host, 64)} {host.verdict or last}{reason}"


def _stamp(at: str) -> str:
    """A journal's time to the second."""
    return f"{at[:19].replace('T', ' ')} UTC"
