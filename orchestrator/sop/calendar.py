"""Which day of a month a rule names, given what a working day is. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date

from orchestrator.model.schedule import Schedule

IsWorkingDay = Callable[[date], bool]


def due_date(schedule: Schedule, year: int, month: int, is_working_day: IsWorkingDay) -> date:
    """The day of the month's check; it never leaves its month.

    A rule that counts working days takes the nearest there is where the month has too few. A day
    that is moved off a holiday goes the other way where its month would end first. In a month
    without any working day it stays where it is.
    """
    rule = schedule.day
    days = [date(year, month, n) for n in range(1, monthrange(year, month)[1] + 1)]
    if rule.weekday is None and not rule.working:
        return _moved(days[min(rule.number, len(days)) - 1], days, schedule.shift, is_working_day)
    right = [day for day in days if rule.weekday in (None, day.weekday())]
    working = [day for day in right if is_working_day(day)]
    if rule.working and working:
        return working[-1] if rule.number == -1 else working[min(rule.number, len(working)) - 1]
    day = right[-1] if rule.number == -1 else right[min(rule.number, len(right)) - 1]
    return _moved(day, days, schedule.shift, is_working_day)


def _moved(day: date, days: list[date], shift: str, is_working_day: IsWorkingDay) -> date:
    """The day, or the nearest working day of its month, first in the direction of `shift`."""
    later = [d for d in days if d >= day]
    earlier = [d for d in reversed(days) if d <= day]
    order = later + earlier if shift == "next" else earlier + later
    return next((d for d in order if is_working_day(d)), day)


def due_dates(
    schedule: Schedule, since: date, is_working_day: IsWorkingDay
) -> Iterator[tuple[str, date]]:
    """(`2026-11`, its day) for every month from the one of `since` on, days before it left out."""
    year, month = since.year, since.month
    while True:
        day = due_date(schedule, year, month, is_working_day)
        if day >= since:
            yield f"{year:04d}-{month:02d}", day
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
