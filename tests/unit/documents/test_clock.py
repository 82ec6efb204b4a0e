"""Dates, times and durations as an Indonesian office writes them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from orchestrator.documents.content.clock import (
    Clock,
    seconds_between,
    whole_minutes,
)
from orchestrator.sop.numbering import roman_month

JAKARTA = Clock(ZoneInfo("Asia/Jakarta"))
AT = "2026-11-22T01:40:00.123456Z"


def test_dates_and_times():
    assert JAKARTA.date(AT) == "22 November 2026"
    assert JAKARTA.day_date(AT) == "Minggu, 22 November 2026"
    assert JAKARTA.moment(AT) == "22 November 2026, 08.40 WIB"
    assert JAKARTA.span(AT, "2026-11-22T02:15:00Z") == "08.40–09.15"
    assert JAKARTA.span_dates(AT, "2026-11-22T18:00:00Z") == "22/11/2026–23/11/2026"
    assert JAKARTA.period("2026-08") == "Agustus 2026"


def test_hours_of_a_day_in_each_language():
    assert (JAKARTA.of_day(450), JAKARTA.of_day(1440)) == ("07.30", "24.00")
    assert Clock(ZoneInfo("Asia/Jakarta"), "en_GB").of_day(450) == "07:30"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Pontianak", "08.40 WIB"),
        ("Asia/Makassar", "09.40 WITA"),
        ("Asia/Jayapura", "10.40 WIT"),
        ("Europe/Paris", "02.40 Europe/Paris"),
    ],
)
def test_the_zone_is_named(zone, words):
    assert Clock(ZoneInfo(zone)).moment(AT).endswith(words)


@pytest.mark.parametrize("at", ["", "never", "2026-11-22T01:40:00", "9999-12-31T23:59:59Z"])
def test_what_is_no_moment_is_a_dash(at):
    assert JAKARTA.moment(at) == JAKARTA.date(at) == JAKARTA.time(at) == "–"


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(0, 0), (59.9, 0), (60, 1), (61, 2), (900, 15), (900.1, 16)]
)
def test_a_begun_minute_counts(seconds, minutes):
    assert whole_minutes(seconds) == minutes


def test_spans_never_run_backwards():
    assert seconds_between("2026-11-22T02:00:00Z", AT) is None
    assert seconds_between(AT, "") is None
    assert seconds_between(AT, "2026-11-22T01:41:00.123456Z") == 60


def test_sizes_and_months():
    assert [JAKARTA.size(n) for n in (0, 12, 1_500, 812_000_000, 2_260_000_000)] == [
        "–",
        "12 B",
        "1,5 kB",
        "812 MB",
        "2,3 GB",
    ]
    assert (roman_month(1), roman_month(11)) == ("I", "XI")
