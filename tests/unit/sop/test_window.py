"""Maintenance windows are read in the office's time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from orchestrator.model.plan import Order
from orchestrator.sop.window import after_window, before_window, parse_window

JAKARTA = ZoneInfo("Asia/Jakarta")


def test_a_window_is_in_the_office_s_time() -> None:
    start, end = parse_window("2026-11-23 22:00/2026-11-24 02:00", JAKARTA)
    assert (start, end) == ("2026-11-23T22:00+07:00", "2026-11-24T02:00+07:00")
    order = Order(window_start=start, window_end=end)
    at = datetime.fromisoformat
    assert before_window(order, at("2026-11-23T14:59:59+00:00"))
    assert not before_window(order, at("2026-11-23T15:00:00+00:00"))
    assert not after_window(order, at("2026-11-23T18:59:59+00:00"))
    assert after_window(order, at("2026-11-23T19:00:00+00:00"))


def test_no_window_means_at_once_and_for_ever() -> None:
    now = datetime.fromisoformat("2026-11-23T00:00:00+00:00")
    assert not before_window(Order(), now) and not after_window(Order(), now)


@pytest.mark.parametrize(
    "text", ["", "tonight", "2026-11-23 22:00", "2026-11-24 02:00/2026-11-23 22:00", "a/b"]
)
def test_wrong_windows_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|ends before"):
        parse_window(text, JAKARTA)
