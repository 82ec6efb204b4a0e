"""The maintenance window that an order names (SOP step 4). Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from orchestrator.model.plan import Order

FORM = "YYYY-MM-DD HH:MM/YYYY-MM-DD HH:MM"


def parse_window(text: str, zone: ZoneInfo) -> tuple[str, str]:
    """Read `START/END` in the office's time; returns both as ISO 8601 with offset.

    Raises ValueError with the expected form, or when the end does not lie after the start.
    """
    start_text, slash, end_text = text.partition("/")
    try:
        start, end = (datetime.fromisoformat(t.strip()) for t in (start_text, end_text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not {FORM}") from error
    if not slash:
        raise ValueError(f"{text!r} is not {FORM}")
    start, end = (t if t.tzinfo else t.replace(tzinfo=zone) for t in (start, end))
    if end <= start:
        raise ValueError("the window ends before it begins")
    return start.isoformat(timespec="minutes"), end.isoformat(timespec="minutes")


def before_window(order: Order, now: datetime) -> bool:
    """Whether the window has not begun yet; an order without a window begins at once."""
    return bool(order.window_start) and now < datetime.fromisoformat(order.window_start)


def after_window(order: Order, now: datetime) -> bool:
    """Whether the window is over."""
    return bool(order.window_end) and now >= datetime.fromisoformat(order.window_end)
