"""Which days an office works: the one place that the schedule asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

from orchestrator.model.office import Office
from orchestrator.office.holidays import holiday_record
from orchestrator.sop.worktime import WorkCalendar, calendar_of


def working_days(office: Office) -> Callable[[date], bool]:
    """The predicate `is_working_day` of this office: a day with working hours in `working_time`.

    It raises UsageError for a year whose holidays nobody knows.
    """

    @cache
    def calendar(year: int) -> WorkCalendar:
        return calendar_of(office, holiday_record(office.working_time, range(year, year + 1)))

    def is_working_day(day: date) -> bool:
        return bool(calendar(day.year).spans_on(day))

    return is_working_day
