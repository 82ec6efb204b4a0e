"""Working time: additive, monotone, never more than elapsed, nothing on days off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.office import Office
from orchestrator.model.working_time import HolidayRecord, Span
from orchestrator.sop.worktime import WorkCalendar, calendar_of
from tests.unit.cycles import office

JAKARTA = ZoneInfo("Asia/Jakarta")
# Zones that put their clocks forward and back, skip a whole day, or lie far from UTC.
ZONES = ["Asia/Jakarta", "Asia/Jayapura", "Europe/Berlin", "America/St_Johns", "Pacific/Apia",
         "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Kiritimati"]  # fmt: skip
FIRST = datetime(2011, 12, 20, tzinfo=UTC)  # Apia has no 30 December 2011


def record(days: dict[date, str] | None = None) -> HolidayRecord:
    return HolidayRecord(
        schema="sop-run/holidays/1", source="test", national=True, collective=True,
        first_year=2026, last_year=2027, days=days or {},
    )  # fmt: skip


def calendar(times: dict[str, object] | None = None, **days: str) -> WorkCalendar:
    """The shipped hours, changed by `times`; holidays as d2026_12_25='name'."""
    off = {date(*map(int, key[1:].split("_"))): name for key, name in days.items()}
    return calendar_of(office(working_time=times or {}), record(off))


def at(text: str, zone: ZoneInfo = JAKARTA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def minutes(start: str, end: str, times: WorkCalendar) -> float:
    return times.seconds(at(start), at(end)) / 60


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    marks = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    return tuple(zip(marks[::2], marks[1::2], strict=False))


DAYS = st.dates(date(2011, 12, 1), date(2012, 4, 30))
CALENDARS = st.builds(
    WorkCalendar,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    week=st.lists(spans(), min_size=7, max_size=7).map(tuple),
    holidays=st.dictionaries(DAYS, st.just("libur"), max_size=8),
    worked=st.dictionaries(DAYS, spans(), max_size=4),
)
MOMENTS = st.integers(0, 120 * 86400).map(lambda s: FIRST + timedelta(seconds=s))


@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS)
def test_it_adds_up_and_is_never_more_than_elapsed(
    times: WorkCalendar, one: datetime, two: datetime, three: datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    whole = times.seconds(first, last)
    assert whole == pytest.approx(times.seconds(first, middle) + times.seconds(middle, last))
    assert 0 <= times.seconds(first, middle) <= whole <= (last - first).total_seconds()


@given(CALENDARS, MOMENTS, MOMENTS)
def test_nothing_counts_when_all_days_are_off(
    times: WorkCalendar, one: datetime, two: datetime
) -> None:
    first, last = sorted((one, two))
    day = first.date() - timedelta(days=3)
    off = {}
    while day <= last.date() + timedelta(days=3):
        off[day] = "libur"
        day += timedelta(days=1)
    assert WorkCalendar(times.zone, times.week, off).seconds(first, last) == 0


@given(st.sampled_from(ZONES).map(ZoneInfo), MOMENTS, MOMENTS)
def test_an_office_that_never_closes_counts_all_time(
    zone: ZoneInfo, one: datetime, two: datetime
) -> None:
    first, last = sorted((one, two))
    always = WorkCalendar(zone, (((0, 1440),),) * 7)
    assert always.seconds(first, last) == pytest.approx((last - first).total_seconds())


def test_the_shipped_week() -> None:
    times = calendar()
    assert minutes("2026-11-23 00:00", "2026-11-30 00:00", times) == 37.5 * 60
    assert minutes("2026-11-23 11:50", "2026-11-23 13:10", times) == 20, "the break does not count"
    assert minutes("2026-11-27 11:20", "2026-11-27 13:10", times) == 20, "Friday's is longer"
    assert minutes("2026-11-27 16:20", "2026-11-30 07:40", times) == 20, "nor does the weekend"
    assert minutes("2026-11-23 20:00", "2026-11-23 23:00", times) == 0


def test_holidays_leave_and_days_that_are_worked_all_the_same() -> None:
    more = {
        "extra_holidays": {"2026-12-24": "Cuti bersama Natal"},
        "worked_days": {"2026-12-25": "08:00-10:00", "2026-12-26": "08:00-09:00"},
    }
    off = {"d2026_12_25": "Hari Raya Natal"}
    span = ("2026-12-24 00:00", "2026-12-27 00:00")
    assert minutes(*span, calendar(None, **off)) == 7.5 * 60
    assert minutes(*span, calendar(more, **off)) == 180
    named = calendar(more, **off).days_off(at(span[0]), at(span[1]))
    assert named == [(date(2026, 12, 24), "Cuti bersama Natal")]


def test_a_season_has_its_own_hours() -> None:
    ramadan = {"first_day": "2026-11-24", "last_day": "2026-11-27", "monday": "10:00-11:00",
               "tuesday": "08:00-12:00, 12:30-15:00", "friday": ""}  # fmt: skip
    off = {"d2026_11_26": "Hari libur"}
    times = calendar({"seasons": [ramadan]}, **off)
    hours = [minutes(f"2026-11-{d} 00:00", f"2026-11-{d + 1} 00:00", times) / 60
             for d in range(23, 28)]  # fmt: skip
    assert hours == [7.5, 6.5, 7.5, 0, 0], "Monday lies before it, Wednesday is as usual"
    assert [d.day for d, _ in times.days_off(at("2026-11-23 00:00"), at("2026-11-30 00:00"))] == [
        26
    ]


def test_a_cycle_that_passes_the_end_of_the_year() -> None:
    new_year = {"d2027_1_1": "Tahun Baru Masehi"}
    span = ("2026-12-31 15:30", "2027-01-04 08:00")  # Thursday to Monday
    assert minutes(*span, calendar(None, **new_year)) == 60
    assert minutes(*span, calendar()) == 60 + 7.5 * 60


def test_clocks_that_are_put_forward_and_back() -> None:
    """Berlin: at night on 29 March an hour is missing, on 25 October one comes twice."""
    berlin = ZoneInfo("Europe/Berlin")
    night = WorkCalendar(berlin, (((0, 360),),) * 7)
    for day, hours in (("2026-03-29", 5), ("2026-10-25", 7), ("2026-06-01", 6)):
        start = at(f"{day} 00:00", berlin)
        assert night.seconds(start, start + timedelta(days=1)) == hours * 3600, day


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-11-23T02:00:00+00:00", "2026-11-23T01:00:00+00:00", "before the start"),
        ("2026-11-23T02:00:00", "2026-11-23T03:00:00+00:00", "needs an offset"),
        ("1970-01-01T00:00:00+00:00", "2026-11-23T03:00:00+00:00", "longer than any cycle"),
    ],
)
def test_what_is_no_span_is_refused(start: str, end: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        calendar().seconds(datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_the_office_keeps_its_working_time_through_the_journal() -> None:
    first = office(
        working_time={"extra_holidays": {"2026-11-24": "HUT Kota"}, "saturday": "08:00-12:00"}
    )
    assert Office.model_validate(first.model_dump(mode="json")) == first
