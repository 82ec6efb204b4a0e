"""How the work went, moment by moment (SOP step 5), as the journal and the hosts' clocks tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.reading import HostReading
from orchestrator.documents.content.records import ProgressRow
from orchestrator.documents.content.said import say
from orchestrator.journal.state import CycleState, PhaseRun
from orchestrator.model.evidence import READING, OutcomeKind, Phase


def progress_rows(
    state: CycleState,
    readings: Iterable[HostReading],
    horizon: int,
    labels: Labels,
    clock: Clock,
) -> tuple[ProgressRow, ...]:
    """Phases, answers of hosts and remarks on steps 4 to `horizon`, by time."""
    log = _Log(labels, clock)
    rows: list[ProgressRow] = []
    left_out = {Phase.CHECK} if state.rehearsal else READING
    for run in state.runs:
        if run.phase not in left_out:
            rows += log.phase(run)
    for reading in readings:
        rows += log.answers(reading)
    rows += [
        log.row(n.at, "note", activity=labels.word("progress", "note").format(step=n.step),
                subject=say(n.actor), result=say(n.text))
        for n in state.notes if 4 <= n.step <= horizon
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda r: clock.order(r.at)))


class _Log:
    def __init__(self, labels: Labels, clock: Clock) -> None:
        self.labels, self.clock = labels, clock

    def row(
        self, at: str, key: str, *, activity: str, subject: str, result: str, lasted: str = NONE
    ) -> ProgressRow:
        date, time = self.clock.short_date(at), self.clock.second(at)
        return ProgressRow(at, date, time, activity, subject, result, lasted, key)

    def phase(self, run: PhaseRun) -> Iterator[ProgressRow]:
        """The beginning and the end of a phase."""
        word = self.labels.sections["progress"]
        wave = word["wave"].format(wave=run.wave) if run.wave else word["canary"]
        hosts = word["hosts"].format(hosts=self.clock.number(len(run.hosts)))
        subject = hosts if run.phase in READING else f"{wave}, {hosts}"
        name = self.labels.word("phase", run.phase)
        begun = word["started"]
        yield self.row(run.started_at, "started", activity=name, subject=subject, result=begun)
        if run.ended_at:
            yield self.row(
                run.ended_at,
                "ended",
                activity=name,
                subject=subject,
                result=word["ended"],
                lasted=self.duration(run.seconds),
            )

    def answers(self, reading: HostReading) -> Iterator[ProgressRow]:
        """What a host answered to each phase after the check."""
        for outcome, evidence in reading.outcomes:
            if outcome.phase is Phase.CHECK:
                continue
            if evidence is not None:
                at, key, lasted = evidence.ended, evidence.status.value, evidence.seconds
            else:
                unreachable = outcome.kind is OutcomeKind.UNREACHABLE
                key = "unreachable" if unreachable else "no-evidence"
                at, lasted = "", None
            yield self.row(
                at,
                key,
                activity=self.labels.word("phase", outcome.phase),
                subject=say(reading.host),
                result=self.labels.word("progress", key),
                lasted=self.duration(lasted),
            )

    def duration(self, seconds: float | None) -> str:
        """`45 detik`, `3 menit 5 detik`, or '–'."""
        if seconds is None or seconds < 0:
            return NONE
        whole = max(1, round(seconds))
        key = "seconds" if whole < 60 else "minutes"
        minutes, rest = divmod(whole, 60)
        return self.labels.word("progress", key).format(
            minutes=self.clock.number(minutes), seconds=whole if key == "seconds" else rest
        )
