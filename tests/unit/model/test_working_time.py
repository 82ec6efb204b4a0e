"""Working hours as an office writes them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from orchestrator.model.working_time import WorkingTime, read_hours


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        ("07:30-12:00, 13:00-16:00", ((450, 720), (780, 960))),
        ("07.30–12.00,13.00–16.00", ((450, 720), (780, 960))),
        ("00:00-24:00", ((0, 1440),)),
        ("7:30-12:00", ((450, 720),)),
    ],
)
def test_hours(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert read_hours(text) == spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all day", "is not HH:MM-HH:MM"),
        ("07:30-12:00,", "is not HH:MM-HH:MM"),
        ("22:00-02:00", "ends before it begins"),
        ("08:00-08:00", "ends before it begins"),
        ("07:30-12:60", "a time that no day has"),
        ("07:30-24:01", "a time that no day has"),
        ("07:30-12:00, 11:00-13:00", "begins before 12:00"),
    ],
)
def test_hours_that_are_none(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_hours(text)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"montag": "08:00-12:00"}, "Extra inputs"),
        ({"extra_holidays": {"2026-13-01": "x"}}, "valid date"),
        ({"extra_holidays": {"2026-12-24": ""}}, "at least 1 character"),
        ({"seasons": [{"first_day": "2027-02-08"}]}, "Field required"),
        ({"seasons": [{"first_day": "2027-03-08", "last_day": "2027-03-07"}]}, "lies before"),
        ({"worked_days": {"2026-12-24": "morning"}}, "is not HH:MM-HH:MM"),
        (dict.fromkeys(["monday", "tuesday", "wednesday", "thursday", "friday"], ""), "no day of"),
    ],
)
def test_mistakes_are_told(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        WorkingTime.model_validate(fields)
