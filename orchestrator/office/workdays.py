"""Which days an office works: the one place that the schedule asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from orchestrator.model.office import Office

COUNTRY = "ID"
CATEGORIES = ("public", "government")
"""Hari libur nasional, and cuti bersama as far as the package `holidays` knows its decrees."""


def working_days(office: Office) -> Callable[[date], bool]:
    """The predicate `is_working_day` of this office: Monday to Friday without public holidays."""
    del office  # every office has the same days, until office.yml says otherwise

    def is_working_day(day: date) -> bool:
        return day.weekday() < 5 and day not in _holidays(day.year)

    return is_working_day


@lru_cache(maxsize=32)
def _holidays(year: int) -> frozenset[date]:
    import holidays  # takes a moment to import

    return frozenset(holidays.country_holidays(COUNTRY, years=year, categories=CATEGORIES))
