"""Indonesia's days off from the package `holidays`, in the form that the journal keeps."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version

import holidays

from orchestrator.model.errors import UsageError
from orchestrator.model.working_time import HolidayRecord, WorkingTime

COUNTRY = "ID"


def holiday_record(
    times: WorkingTime, years: range, before: HolidayRecord | None = None
) -> HolidayRecord:
    """The days off of `years`; what `before` records of the same choice is taken over as it is.

    The year after the last is added where it is known: a cycle may pass the end of the year.
    Raises UsageError when the package knows no holidays of one of the years.
    """
    if before is not None and not _same_choice(times, before):
        before = None
    first, last = years.start, years.stop  # stop: one more than was asked for
    days: dict[date, str] = {}
    if not (times.national_holidays or times.collective_leave):
        source = ""
    else:
        source = f"holidays {version('holidays')}, {COUNTRY}"
        for year in (*years, last):
            found = _days_of(year, times)
            if before is not None and before.first_year <= year <= before.last_year:
                found = {day: name for day, name in before.days.items() if day.year == year}
            if found is None and year == last:
                last -= 1
            elif found is None:
                raise UsageError(
                    f"the package holidays {version('holidays')} knows no holidays of {year}",
                    "look at this machine's clock; if it is right, set working_time: "
                    "national_holidays and collective_leave to false in office.yml and list the "
                    "year's days under extra_holidays",
                )
            else:
                days |= found
    return HolidayRecord(
        schema="sop-run/holidays/1",
        source=source,
        national=times.national_holidays,
        collective=times.collective_leave,
        first_year=first,
        last_year=last,
        days=dict(sorted(days.items())),
    )


def is_needed(times: WorkingTime, years: range, record: HolidayRecord | None) -> bool:
    """Whether the journal's record is missing, of another choice, or ends too early."""
    if record is None or not _same_choice(times, record):
        return True
    return not (record.first_year <= years.start and years.stop - 1 <= record.last_year)


def _same_choice(times: WorkingTime, record: HolidayRecord) -> bool:
    asked = (times.national_holidays, times.collective_leave)
    return asked == (record.national, record.collective)


def _days_of(year: int, times: WorkingTime) -> dict[date, str] | None:
    """A year's days off by name; None when the package knows none of that year."""
    chosen = {"public": times.national_holidays, "government": times.collective_leave}
    if not holidays.country_holidays(COUNTRY, years=year):
        return None
    categories = tuple(name for name, wanted in chosen.items() if wanted)
    found = holidays.country_holidays(COUNTRY, years=year, categories=categories, language="id")
    return dict(found.items())
