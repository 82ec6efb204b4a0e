"""How times were counted, notes on steps, and drafts that were sent back, in the office's words."""

from __future__ import annotations

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Counting, NoteRow, ReturnRow
from orchestrator.documents.content.said import say
from orchestrator.journal.state import CycleState, Note
from orchestrator.journal.times import StepTime, return_seconds
from orchestrator.model.note import LONGEST, REPORTED
from orchestrator.model.working_time import WEEKDAYS, Season, Span, read_hours
from orchestrator.sop.worktime import calendar_of


def counting_words(state: CycleState, until: str, labels: Labels, clock: Clock) -> Counting:
    """The working hours and the days off from the cycle's opening to `until`."""
    record, words = state.holidays, labels.sections["counting"]
    changed = clock.moment(state.recounted_at)
    if record is None:
        return Counting("elapsed", NONE, NONE, NONE, changed)
    calendar = calendar_of(state.office, record)
    off, special = [], []
    first, last = clock.local(state.opened_at), clock.local(until)
    if first is not None and last is not None and first <= last:
        off = [
            f"{clock.calendar_day(day)} ({say(name, 120)})"
            for day, name in calendar.days_off(first, last)
        ]
        special = [
            _season(season, labels, clock)
            for season in calendar.seasons
            if season.first_day <= last.date() and season.last_day >= first.date()
        ]
        special += [
            words["worked"].format(
                date=clock.calendar_day(day), hours=_hours(spans, clock) or words["off"]
            )
            for day, spans in sorted(calendar.worked.items())
            if first.date() <= day <= last.date()
        ]
    source = words["source" if record.source else "no-source"].format(source=say(record.source))
    days = "; ".join([*off, *special]) or words["no-holidays"]
    return Counting("work", _week(calendar.week, labels, clock), days, source, changed)


def _week(week: tuple[tuple[Span, ...], ...], labels: Labels, clock: Clock) -> str:
    """`Senin–Kamis 07.30–12.00 dan 13.00–16.00; Jumat …`: days of the same hours together."""
    groups: list[tuple[int, int]] = []
    for day in range(7):
        if groups and week[groups[-1][0]] == week[day]:
            groups[-1] = (groups[-1][0], day)
        else:
            groups.append((day, day))
    parts = []
    for first, last in groups:
        if week[first]:
            names = [labels.word("counting", WEEKDAYS[d]) for d in sorted({first, last})]
            parts.append(f"{'–'.join(names)} {_hours(week[first], clock)}")
    return "; ".join(parts)


def _season(season: Season, labels: Labels, clock: Clock) -> str:
    """`1 Maret 2027–30 Maret 2027: Senin–Kamis 08.00–12.00, …`."""
    given = [getattr(season, day) for day in WEEKDAYS]
    week = tuple(() if hours is None else read_hours(hours) for hours in given)
    hours = _week(week, labels, clock)
    closed = [labels.word("counting", d) for d, h in zip(WEEKDAYS, given, strict=True) if h == ""]
    if closed:
        hours = "; ".join(
            filter(None, [hours, f"{', '.join(closed)} {labels.word('counting', 'off')}"])
        )
    dates = f"{clock.calendar_day(season.first_day)}–{clock.calendar_day(season.last_day)}"
    return labels.word("counting", "worked").format(date=dates, hours=hours or NONE)


def _hours(spans: tuple[Span, ...], clock: Clock) -> str:
    return ", ".join(f"{clock.of_day(a)}–{clock.of_day(b)}" for a, b in spans)


def note_words(state: CycleState, time: StepTime, labels: Labels, clock: Clock) -> list[str]:
    """What stands beside a step: why it took longer, or that nobody said so, and other notes."""
    words = labels.sections["counting"]
    said = [words["reason"].format(text=_text(n, state, labels, clock)) for n in time.reasons]
    if time.lacks_reason:
        said = [words["no-reason"]]
    if time.uncertain:
        said.append(words["clock"])
    other = [n for n in state.notes if n.step == time.step and n.kind != "overrun"]
    # What a drafter notes for the report stands there in full, not beside the step.
    other = [n for n in other if not (n.step == 9 and n.kind in REPORTED)]
    return said + [_text(n, state, labels, clock) for n in other]


def _text(note: Note, state: CycleState, labels: Labels, clock: Clock) -> str:
    """A note; who wrote it where no key proves it, and when it came after the draft."""
    text = say(note.text, LONGEST)
    if note.officer and not note.signed:
        officer = state.office.officer(note.officer)
        name = say(officer.name if officer else note.officer, 120)
        text = labels.word("counting", "unsigned").format(
            text=text, name=name, actor=say(note.actor, 80)
        )
    drafted = state.steps[9].passed_seq
    if drafted and note.seq > drafted and note.step <= 9:
        at = clock.moment(note.at)
        text = labels.word("counting", "after-draft").format(text=text, at=at)
    return text


def report_notes(state: CycleState, labels: Labels, clock: Clock) -> tuple[NoteRow, ...]:
    """The drafter's own words for the report (notes of step 9), oldest first."""
    return tuple(
        NoteRow(n.kind, _text(n, state, labels, clock))
        for n in state.notes
        if n.step == 9 and n.kind in REPORTED
    )


def return_rows(state: CycleState, labels: Labels, clock: Clock) -> tuple[ReturnRow, ...]:
    """Every time that a gate sent the cycle back, oldest first."""
    rows = []
    for record in state.returns:
        officer = state.office.officer(record.officer)
        seconds = return_seconds(state, record)
        minutes = NONE if seconds is None else clock.minutes(seconds)
        rows.append(
            ReturnRow(
                step=record.step,
                to=record.to,
                activity=labels.word("step_short", str(record.step)),
                officer=say(officer.name if officer else record.officer, 120),
                at=clock.moment(record.at),
                actual=minutes,
                reason=say(record.reason, LONGEST),
            )
        )
    return tuple(rows)
