"""Indonesia's days off as they go into the journal."""

from __future__ import annotations

from datetime import date

import pytest

from orchestrator.model.errors import UsageError
from orchestrator.model.working_time import HolidayRecord, WorkingTime
from orchestrator.office.holidays import holiday_record, is_needed

BOTH = WorkingTime()
NONE = WorkingTime(national_holidays=False, collective_leave=False)


def test_the_year_and_the_next_are_kept_by_name() -> None:
    record = holiday_record(BOTH, range(2026, 2027))
    assert (record.first_year, record.last_year) == (2026, 2027)
    assert record.days[date(2026, 8, 17)] == "Hari Kemerdekaan Republik Indonesia"
    assert date(2026, 12, 24) in record.days, "cuti bersama"
    assert date(2027, 1, 1) in record.days
    assert HolidayRecord.model_validate(record.model_dump(mode="json", by_alias=True)) == record


def test_each_kind_can_be_left_out() -> None:
    national = holiday_record(WorkingTime(collective_leave=False), range(2026, 2027))
    assert date(2026, 12, 25) in national.days and date(2026, 12, 24) not in national.days
    leave = holiday_record(WorkingTime(national_holidays=False), range(2026, 2027))
    assert date(2026, 12, 24) in leave.days and date(2026, 12, 25) not in leave.days
    assert holiday_record(NONE, range(2026, 2027)).days == {}
    assert holiday_record(NONE, range(2500, 2501)).source == "", "needs no package"


def test_what_is_on_record_stays() -> None:
    """A later package may know better; the cycle's documents stay the same."""
    before = holiday_record(BOTH, range(2026, 2027))
    old = before.model_copy(update={"days": {date(2026, 2, 3): "as it was known then"}})
    after = holiday_record(BOTH, range(2026, 2029), old)
    assert {d for d in after.days if d.year == 2026} == {date(2026, 2, 3)}
    assert not {d for d in after.days if d.year == 2027}
    assert date(2028, 8, 17) in after.days and date(2029, 8, 17) in after.days
    other = holiday_record(WorkingTime(collective_leave=False), range(2026, 2027), old)
    assert date(2026, 8, 17) in other.days, "another choice is looked up afresh"


def test_when_a_record_is_needed() -> None:
    record = holiday_record(BOTH, range(2026, 2027))
    assert is_needed(BOTH, range(2026, 2027), None)
    assert not is_needed(BOTH, range(2026, 2028), record)
    assert is_needed(BOTH, range(2026, 2029), record), "the cycle has passed a second year's end"
    assert is_needed(NONE, range(2026, 2027), record)


def test_a_year_without_known_holidays_is_told() -> None:
    with pytest.raises(UsageError, match="knows no holidays of 2150") as caught:
        holiday_record(BOTH, range(2150, 2151))
    assert "extra_holidays" in caught.value.hint
    assert holiday_record(BOTH, range(2100, 2101)).last_year == 2100, "the next is not needed yet"
