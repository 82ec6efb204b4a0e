"""A year of cycles as the yearly recap says it (Rekapitulasi Tahunan)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content, Head, Letter, Signer, StepRow
from orchestrator.documents.content.said import joined, say
from orchestrator.documents.content.steps import step_rows
from orchestrator.documents.names import DocumentName
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.evidence import EvidenceItem, Phase

VERDICTS = ("updated", "nothing-to-do", "deferred", "incomplete", "rolled-back", "needs-human")
"""Verdicts with a column of their own; the others share one."""
REACHED = frozenset({"unreachable", "lost"})


@dataclass(frozen=True, slots=True)
class CycleRow:
    """One cycle in numbers."""

    cycle: str
    kind: str
    opened: str
    closed: str
    hosts: int
    system: int
    security: int
    antivirus: int
    items: int
    approved: int
    deferred: int
    succeeded: int
    good: int
    bad: int
    late: str  # steps beyond their standard time
    archive: str


@dataclass(frozen=True, slots=True)
class StepYear:
    """One step over the year; minutes are whole, None where it was not done."""

    number: int
    activity: str
    role: str
    standard: int | None
    months: tuple[int | None, ...]  # twelve, of the monthly cycles
    average: int | None
    longest: int | None
    done: int  # cycles, incidental ones too
    on_time: int
    late: int


@dataclass(frozen=True, slots=True)
class HostYear:
    """How often a host ended in which verdict."""

    host: str
    cycles: int
    verdicts: tuple[int, ...]  # as VERDICTS
    lost: int  # unreachable or lost
    other: int
    succeeded: int  # items brought up to date


@dataclass(frozen=True, slots=True)
class PatchRow:
    """A security item that was installed, and how long after its publication."""

    cycle: str
    host: str
    name: str
    after: str
    advisories: str
    published: str
    installed: str
    days: int


@dataclass(frozen=True, slots=True)
class YearContent:
    """Everything that the recap of a year says."""

    cycle: str  # the year
    plan_id: str
    as_of: str
    head: Head
    letter: Letter
    drafter: Signer
    establisher: Signer
    cycles: tuple[CycleRow, ...]
    steps: tuple[StepYear, ...]
    hosts: tuple[HostYear, ...]
    patches: tuple[PatchRow, ...]
    undated: int  # installed security items whose publication is not known


@dataclass(frozen=True, slots=True)
class _Part:
    """One cycle as read for the year."""

    state: CycleState
    content: Content
    steps: tuple[StepRow, ...]
    archived: bool


def build_year(year: int, cycles: Sequence[tuple[CycleState, bool]], labels: Labels) -> YearContent:
    """The year's content from its cycles, oldest first, each with whether it is archived.

    Letterhead and signers are those of the newest cycle. `cycles` is not empty.
    """
    parts = [_part(state, archived, labels) for state, archived in cycles]
    newest = parts[-1].content
    as_of = max(p.state.last_at for p in parts)
    clock = Clock(parts[-1].state.office.office.zone, labels.locale)
    dated = [list(_patches(p, labels)) for p in parts]
    patches = [row for rows in dated for row in rows if row is not None]
    return YearContent(
        cycle=str(year),
        plan_id=NONE,
        as_of=as_of,
        head=newest.head,
        letter=replace(newest.letter, date=clock.date(as_of), period=str(year)),
        drafter=newest.people.drafter,
        establisher=newest.people.establisher,
        cycles=tuple(_cycle_row(p, labels) for p in parts),
        steps=_steps(parts),
        hosts=_hosts(parts),
        patches=tuple(patches),
        undated=sum(row is None for rows in dated for row in rows),
    )


def late_steps(state: CycleState, labels: Labels) -> tuple[int, ...]:
    """Numbers of the steps that took longer than their standard time."""
    clock = Clock(state.office.office.zone, labels.locale)
    rows = step_rows(state, 13, labels, clock)
    return tuple(row.number for row in rows if row.punctual_key == "late")


def _part(state: CycleState, archived: bool, labels: Labels) -> _Part:
    clock = Clock(state.office.office.zone, labels.locale)
    return _Part(
        state,
        build_content(DocumentName.REPORT, state, labels),
        step_rows(state, 13, labels, clock),
        archived,
    )


def _cycle_row(part: _Part, labels: Labels) -> CycleRow:
    state, totals = part.state, part.content.totals
    clock = Clock(state.office.office.zone, labels.locale)
    late = [str(s.number) for s in part.steps if s.punctual_key == "late"]
    end = state.closed_at or (state.last_at if part.archived else "")
    return CycleRow(
        cycle=state.cycle,
        kind=part.content.kind,
        opened=clock.short_date(state.opened_at),
        closed=clock.short_date(end) if end else labels.word("recap_year", "running"),
        hosts=totals.hosts,
        system=totals.system,
        security=totals.security,
        antivirus=totals.antivirus,
        items=totals.items,
        approved=totals.approved if state.steps[3].state == "passed" else 0,
        deferred=totals.deferred,
        succeeded=totals.succeeded,
        good=totals.good_hosts,
        bad=sum(h.verdict_key != "none" and not h.good for h in part.content.hosts),
        late=joined(late) if late else NONE,
        archive=labels.word("recap_year", "archived" if part.archived else "not-archived"),
    )


def _steps(parts: Sequence[_Part]) -> tuple[StepYear, ...]:
    newest = parts[-1].steps
    return tuple(_step(row, parts) for row in newest if row.standard_minutes)


def _step(row: StepRow, parts: Sequence[_Part]) -> StepYear:
    months: list[int | None] = [None] * 12
    minutes, on_time, late = [], 0, 0
    for part in parts:
        this = next(s for s in part.steps if s.number == row.number)
        if this.actual_minutes is None:
            continue
        minutes.append(this.actual_minutes)
        on_time += this.punctual_key == "on-time"
        late += this.punctual_key == "late"
        cycle = CycleId.parse(part.state.cycle)
        if cycle.number is None:
            months[cycle.month - 1] = this.actual_minutes
    return StepYear(
        number=row.number,
        activity=row.short,
        role=row.role,
        standard=row.standard_minutes,
        months=tuple(months),
        average=round(sum(minutes) / len(minutes)) if minutes else None,
        longest=max(minutes, default=None),
        done=len(minutes),
        on_time=on_time,
        late=late,
    )


def _hosts(parts: Sequence[_Part]) -> tuple[HostYear, ...]:
    names = sorted({h.name for part in parts for h in part.content.hosts})
    verdicts: dict[str, Counter[str]] = {name: Counter() for name in names}
    cycles: Counter[str] = Counter()
    succeeded: Counter[str] = Counter()
    for part in parts:
        for host in part.content.hosts:
            cycles[host.name] += 1
            succeeded[host.name] += host.succeeded
            if host.verdict_key != "none":
                verdicts[host.name][host.verdict_key] += 1
    return tuple(
        HostYear(
            host=name,
            cycles=cycles[name],
            verdicts=tuple(verdicts[name][v] for v in VERDICTS),
            lost=sum(verdicts[name][v] for v in REACHED),
            other=sum(n for v, n in verdicts[name].items() if v not in {*VERDICTS, *REACHED}),
            succeeded=succeeded[name],
        )
        for name in names
    )


def _patches(part: _Part, labels: Labels) -> Iterator[PatchRow | None]:
    """The cycle's installed security items; None for one whose publication is not known."""
    state = part.state
    clock = Clock(state.office.office.zone, labels.locale)
    for host in state.hosts:
        checked, updated = state.last(host, Phase.CHECK), state.last(host, Phase.UPDATE)
        before = checked.read() if checked is not None else None
        after = updated.read() if updated is not None else None
        if before is None or after is None:
            continue
        offered = {(i.name, i.arch): i for i in before.items if i.kind == "security"}
        for item in after.items:
            found = offered.get((item.name, item.arch))
            if found is None or item.result != "updated":
                continue
            days = _days(found, after.ended)
            if days is None:
                yield None
                continue
            yield PatchRow(
                cycle=state.cycle,
                host=say(host),
                name=say(item.name),
                after=say(item.after),
                advisories=joined(tuple(say(a, 40) for a in found.advisories), 3),
                published=clock.short_date(f"{found.published}T12:00:00Z"),
                installed=clock.short_date(after.ended),
                days=days,
            )


def _days(item: EvidenceItem, installed: str) -> int | None:
    """Whole days from an item's publication to its installation; None when not known."""
    try:
        days = (date.fromisoformat(installed[:10]) - date.fromisoformat(item.published)).days
    except ValueError:
        return None
    return days if days >= 0 else None
