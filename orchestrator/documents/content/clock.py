"""Dates, times and numbers as an Indonesian office writes them, in the office's time zone."""

from __future__ import annotations

import math
from datetime import date as Day
from datetime import datetime
from datetime import time as Time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

NONE = "–"
_ZONE_NAMES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Ujung_Pandang": "WITA",
    "Asia/Jayapura": "WIT",
}


class Clock:
    """Turns UTC ISO 8601 times into words; an empty or unreadable time is '–'."""

    def __init__(self, zone: ZoneInfo, locale: str = "id") -> None:
        self.zone = zone
        self.locale = locale

    def local(self, at: str) -> datetime | None:
        """The moment in the office's time zone, or None."""
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
        try:
            return moment.astimezone(self.zone)
        except OverflowError:
            return None

    @property
    def zone_name(self) -> str:
        """WIB, WITA or WIT; elsewhere the name of the zone."""
        return _ZONE_NAMES.get(self.zone.key, self.zone.key.replace("_", " "))

    def date(self, at: str, pattern: str = "d MMMM y") -> str:
        """`22 November 2026`."""
        moment = self.local(at)
        return _date(moment.date(), pattern, self.locale) if moment else NONE

    def day_date(self, at: str) -> str:
        """`Minggu, 22 November 2026`."""
        return self.date(at, "EEEE, d MMMM y")

    def short_date(self, at: str) -> str:
        """`22/11/2026`."""
        return self.date(at, "dd/MM/y")

    def time(self, at: str) -> str:
        """`08.40`, without the zone."""
        moment = self.local(at)
        return _short_time(moment.hour, moment.minute, self.locale) if moment else NONE

    def of_day(self, minutes: int) -> str:
        """`07.30`, from minutes since midnight; the end of a day is `24.00`."""
        colon = ":" in _short_time(0, 0, self.locale)
        return f"{minutes // 60:02d}{':' if colon else '.'}{minutes % 60:02d}"

    def second(self, at: str) -> str:
        """`08.40.05`, for logs, without the zone."""
        moment = self.local(at)
        return format_time(moment, "medium", locale=self.locale) if moment else NONE

    def order(self, at: str) -> float:
        """A moment as a number to sort by; what is not known comes last."""
        moment = self.local(at)
        return moment.timestamp() if moment else math.inf

    def moment(self, at: str) -> str:
        """`22 November 2026, 08.40 WIB`."""
        return f"{self.date(at)}, {self.time(at)} {self.zone_name}" if self.local(at) else NONE

    def span(self, start: str, end: str) -> str:
        """`08.40–09.15`; an end that is not known yet is left open."""
        if not self.local(start):
            return NONE
        return f"{self.time(start)}–{self.time(end)}" if self.local(end) else f"{self.time(start)}–"

    def span_dates(self, start: str, end: str) -> str:
        """`22/11/2026`, or both dates when the span passes midnight."""
        first, last = self.short_date(start), self.short_date(end)
        return first if last in (first, NONE) else f"{first}–{last}"

    def calendar_day(self, day: Day) -> str:
        """`22 November 2026`, of a day of the calendar."""
        return _date(day, "d MMMM y", self.locale)

    def minutes(self, seconds: float) -> str:
        """Whole minutes, a begun one counted; `<1` below one."""
        minutes = whole_minutes(seconds)
        return self.number(minutes) if minutes else "<1"

    def period(self, month: str) -> str:
        """`November 2026`, from `2026-11`."""
        return self.date(f"{month}-15T00:00:00Z", "MMMM y")

    def number(self, value: float) -> str:
        """`1.234,5`: the language's separators."""
        return _number(value, self.locale)

    def size(self, value: int) -> str:
        """Bytes as kB, MB or GB; 0 is '–'."""
        if value <= 0:
            return NONE
        for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if value >= factor:
                return f"{self.number(round(value / factor, 1))} {unit}"
        return f"{value} B"


# Documents of large fleets write the same few times and numbers again and again.


@lru_cache(maxsize=24 * 60)
def _short_time(hour: int, minute: int, locale: str) -> str:
    return format_time(Time(hour, minute), "short", locale=locale)


@lru_cache(maxsize=4096)
def _date(day: Day, pattern: str, locale: str) -> str:
    return format_date(day, pattern, locale=locale)


@lru_cache(maxsize=4096, typed=True)
def _number(value: float, locale: str) -> str:
    return format_decimal(value, locale=locale)


def seconds_between(start: str, end: str) -> float | None:
    """Seconds from one UTC time to another, None when either is missing or they are reversed."""
    try:
        span = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):
        return None
    return span if span >= 0 else None


def whole_minutes(seconds: float) -> int:
    """Minutes, a begun minute counted whole; less than one minute is 0."""
    return 0 if seconds < 60 else math.ceil(seconds / 60)
