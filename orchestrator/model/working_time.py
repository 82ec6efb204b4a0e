"""An office's working hours and days off (`working_time:` in office.yml), and holidays on record.

The shipped hours are those of Presidential Regulation 21/2023: 37.5 hours in five days, from 07.30,
with a break of an hour, on Friday of an hour and a half.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from orchestrator.model.evidence import Record

DAY_MINUTES = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Span = tuple[int, int]
"""Minutes since midnight, from and until; 1440 is the end of the day."""

_SPAN = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–]\s*(\d{1,2})[:.](\d{2})")


def read_hours(text: str) -> tuple[Span, ...]:
    """`07:30-12:00, 13:00-16:00` as spans; '' is a day off.

    Raises ValueError when a span is none, ends before it begins, or begins before the last ended.
    """
    spans: list[Span] = []
    for part in (p.strip() for p in text.split(",") if text.strip()):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not HH:MM-HH:MM; several stand with commas between them")
        hours = [int(number) for number in match.groups()]
        start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if hours[1] > 59 or hours[3] > 59 or end > DAY_MINUTES:
            raise ValueError(f"{part!r} names a time that no day has")
        if end <= start:
            raise ValueError(
                f"{part!r} ends before it begins; write work past midnight as two days' spans"
            )
        if spans and start < spans[-1][1]:
            raise ValueError(f"{part!r} begins before {spans[-1][1] // 60:02d}:"
                             f"{spans[-1][1] % 60:02d}, when the span before it ends")  # fmt: skip
        spans.append((start, end))
    return tuple(spans)


def _checked(text: str) -> str:
    read_hours(text)
    return text


Hours = Annotated[
    str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_checked)
]
DayName = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]


class Season(BaseModel):
    """Days with other hours, such as Ramadan; a weekday that is left out keeps its usual hours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_day: date
    last_day: date
    monday: Hours | None = None
    tuesday: Hours | None = None
    wednesday: Hours | None = None
    thursday: Hours | None = None
    friday: Hours | None = None
    saturday: Hours | None = None
    sunday: Hours | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Season:
        if self.last_day < self.first_day:
            raise ValueError("last_day lies before first_day")
        return self

    def hours_on(self, day: date) -> str | None:
        """The season's own hours of a day, None when the usual ones hold."""
        if not self.first_day <= day <= self.last_day:
            return None
        hours: str | None = getattr(self, WEEKDAYS[day.weekday()])
        return hours


class WorkingTime(BaseModel):
    """When the office works: only that time counts for its officers' steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    monday: Hours = "07:30-12:00, 13:00-16:00"
    tuesday: Hours = "07:30-12:00, 13:00-16:00"
    wednesday: Hours = "07:30-12:00, 13:00-16:00"
    thursday: Hours = "07:30-12:00, 13:00-16:00"
    friday: Hours = "07:30-11:30, 13:00-16:30"
    saturday: Hours = ""
    sunday: Hours = ""
    national_holidays: bool = True  # Indonesia's public holidays, from the package `holidays`
    collective_leave: bool = True  # cuti bersama, as far as that package knows it
    seasons: tuple[Season, ...] = ()  # the first that names a day's weekday holds
    extra_holidays: dict[date, DayName] = {}  # day → why: local holidays, later decrees
    worked_days: dict[date, Hours] = {}  # day → hours, whatever else would hold on that day

    @model_validator(mode="after")
    def _works_at_all(self) -> WorkingTime:
        if not any(getattr(self, day) for day in WEEKDAYS):
            raise ValueError("no day of the week has working hours")
        return self

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """The spans of Monday to Sunday."""
        return tuple(read_hours(getattr(self, day)) for day in WEEKDAYS)


class HolidayRecord(Record):
    """Indonesia's days off as the journal keeps them, so that later counts give the same.

    `first_year` to `last_year` are the years that the record covers, both included.
    """

    record_schema: Literal["sop-run/holidays/1"] = Field("sop-run/holidays/1", alias="schema")
    source: str  # `holidays 0.109, ID`, or '' when the office counts none
    national: bool
    collective: bool
    first_year: int
    last_year: int
    days: dict[date, str]  # day → name in Indonesian
