"""The day that a rule names: by example, and for every rule, month and set of holidays."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.model.house import ROOT
from orchestrator.model.schedule import ORDINALS, WEEKDAYS, Schedule, read_rule
from orchestrator.office.load import load_office
from orchestrator.office.workdays import working_days
from orchestrator.sop.calendar import due_date, due_dates

IS_WORKING = working_days(load_office(ROOT / "inventory" / "office.yml"))
RULES = [f"{n} working {d}" for n in ORDINALS for d in (*WEEKDAYS, "day") if n != "fifth"]
RULES += [f"{n} {d}" for n in ORDINALS for d in WEEKDAYS if n != "fifth"]
RULES += [f"day {n}" for n in range(1, 32)] + ["fifth working day"]


# By the Indonesian calendar: 1 January, 16 January 2026 (Isra Mikraj), 16 and 17 February (cuti
# bersama, Imlek), 18 to 24 March (Nyepi, Idul Fitri with cuti bersama), 24 and 25 December 2026.
@pytest.mark.parametrize(
    ("rule", "shift", "month", "expected"),
    [
        ("first working tuesday", "next", "2026-11", "2026-11-03"),
        ("first working thursday", "next", "2026-01", "2026-01-08"),  # the 1st is New Year
        ("First  Working  Day", "next", "2026-01", "2026-01-02"),
        ("second tuesday", "next", "2026-11", "2026-11-10"),
        ("third tuesday", "next", "2026-02", "2026-02-18"),  # the 17th is Imlek
        ("third tuesday", "previous", "2026-02", "2026-02-13"),  # 16 is cuti bersama, 14-15 weekend
        ("last working day", "next", "2026-02", "2026-02-27"),
        ("last friday", "next", "2026-11", "2026-11-27"),
        ("last friday", "next", "2026-12", "2026-12-28"),  # the 25th is Christmas
        ("last friday", "previous", "2026-12", "2026-12-23"),  # 24 is cuti bersama
        ("day 15", "next", "2026-11", "2026-11-16"),  # a Sunday
        ("day 31", "next", "2026-02", "2026-02-27"),  # 28th is a Saturday, and March is too late
        ("day 1", "previous", "2026-08", "2026-08-03"),  # a Saturday, and July is too early
        ("fourth working friday", "next", "2026-12", "2026-12-18"),  # there are three
    ],
)
def test_days_by_the_indonesian_calendar(rule: str, shift: str, month: str, expected: str) -> None:
    schedule = Schedule.model_validate({"rule": rule, "shift": shift})
    year, number = map(int, month.split("-"))
    assert due_date(schedule, year, number, IS_WORKING).isoformat() == expected


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_words(rule: str) -> None:
    words = Schedule(rule=rule).words
    assert words.startswith(("the ", "day ")) and "month" in words
    assert ("working day" in words) is True


@pytest.mark.parametrize(
    "text",
    ["", "tuesday", "first day", "day 0", "day 32", "day 05", "fifth monday", "sixth working day",
     "first working tuesday of the month", "daily", "first tuesday\n; rm"],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"write for example|use fourth or last"):
        read_rule(text)
    with pytest.raises(ValidationError):
        Schedule(rule=text)


@pytest.mark.parametrize("time", ["24:00", "8", "08:60", "0800", "8:5", "08:00:00", "*:00"])
def test_what_is_no_time_is_refused(time: str) -> None:
    with pytest.raises(ValidationError):
        Schedule(rule="day 1", time=time)


@settings(max_examples=300, deadline=None)
@given(
    rule=st.sampled_from(RULES),
    shift=st.sampled_from(["next", "previous"]),
    year=st.integers(2000, 2100),
    month=st.integers(1, 12),
    off=st.sets(st.integers(1, 31)),
)
def test_a_day_is_a_working_day_of_its_month(
    rule: str, shift: str, year: int, month: int, off: set[int]
) -> None:
    def is_working(day: date) -> bool:
        return day.weekday() < 5 and day.day not in off

    schedule = Schedule.model_validate({"rule": rule, "shift": shift})
    day = due_date(schedule, year, month, is_working)
    assert (day.year, day.month) == (year, month)
    first = date(year, month, 1)
    days = [first + timedelta(n) for n in range(31) if (first + timedelta(n)).month == month]
    if any(map(is_working, days)):
        assert is_working(day)
    # The rule's own day is taken wherever it is a working day.
    if schedule.day.working and schedule.day.weekday is not None:
        right = [d for d in days if d.weekday() == schedule.day.weekday and is_working(d)]
        assert not right or day in right


def test_the_next_dates_leave_out_what_is_past_and_go_over_the_year() -> None:
    schedule = Schedule(rule="first working tuesday")
    found = list(islice(due_dates(schedule, date(2026, 11, 4), IS_WORKING), 3))
    assert [period for period, _ in found] == ["2026-12", "2027-01", "2027-02"]
    (today,) = islice(due_dates(schedule, date(2026, 11, 3), IS_WORKING), 1)
    assert today == ("2026-11", date(2026, 11, 3))
