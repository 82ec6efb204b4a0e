"""Working time between two moments: what a human step's standard time is compared with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.model.office import Office
from orchestrator.model.working_time import HolidayRecord, Season, Span, read_hours

LONGEST = timedelta(days=366 * 20)
"""Beyond this a span is a wrong clock's, not an office's."""


@dataclass(frozen=True)
class WorkCalendar:
    """Which moments are working time, in the office's time zone."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]  # Monday to Sunday
    holidays: Mapping[date, str] = field(default_factory=dict)  # day off → its name
    worked: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)  # goes before all else
    seasons: tuple[Season, ...] = ()

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The working spans of a day, in minutes since midnight."""
        if day in self.worked:
            return self.worked[day]
        return () if day in self.holidays else self.usual_on(day)

    def usual_on(self, day: date) -> tuple[Span, ...]:
        """What a day's spans would be were it no holiday."""
        for season in self.seasons:
            hours = season.hours_on(day)
            if hours is not None:
                return read_hours(hours)
        return self.week[day.weekday()]

    def seconds(self, start: datetime, end: datetime) -> float:
        """Working seconds from `start` to `end`, both with offset; never more than elapsed.

        Raises ValueError when they are reversed, without offset, or more than 20 years apart.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("a moment needs an offset")
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end < start:
            raise ValueError("the end lies before the start")
        if end - start > LONGEST:
            raise ValueError("the span is longer than any cycle")
        total, reached = timedelta(0), start
        for opens, closes in self._open(start, end):
            # A clock that is put forward folds hours onto each other: none is counted twice.
            since, until = max(opens, reached), min(closes, end)
            if until > since:
                total += until - since
                reached = until
        return total.total_seconds()

    def days_off(self, start: datetime, end: datetime) -> list[tuple[date, str]]:
        """The named days off from `start` to `end` on which the office else would work."""
        first, last = (t.astimezone(self.zone).date() for t in (start, end))
        return [
            (day, name)
            for day, name in sorted(self.holidays.items())
            if first <= day <= last and day not in self.worked and self.usual_on(day)
        ]

    def _open(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Working spans around start and end as UTC, by their beginning."""
        spans = []
        # Two days more on both sides: no zone is farther than that from UTC, whatever it skips.
        day = start.date() - timedelta(days=2)
        while day <= end.date() + timedelta(days=2):
            spans += list(self._utc(day))
            day += timedelta(days=1)
        return sorted(spans)

    def _utc(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        midnight = datetime(day.year, day.month, day.day)  # local; made aware below
        for first, last in self.spans_on(day):
            opens, closes = (
                (midnight + timedelta(minutes=m)).replace(tzinfo=self.zone).astimezone(UTC)
                for m in (first, last)
            )
            yield opens, closes


def calendar_of(office: Office, record: HolidayRecord) -> WorkCalendar:
    """The calendar that counts: the office's hours and exceptions, and the holidays on record."""
    times = office.working_time
    return WorkCalendar(
        zone=office.office.zone,
        week=times.week,
        holidays={**record.days, **times.extra_holidays},
        worked={day: read_hours(hours) for day, hours in times.worked_days.items()},
        seasons=times.seasons,
    )
