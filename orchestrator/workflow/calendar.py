"""The working calendar goes into the journal before anything is measured with it."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.journal.book import CycleBook
from orchestrator.office.holidays import holiday_record, is_needed


def keep_calendar(book: CycleBook) -> None:
    """Record the days off from the year of the cycle's opening to this year and the next.

    Once recorded, a year stays as it was: a later version of the package changes no document.
    Raises UsageError when the package does not know a year.
    """
    state = book.state
    if state.closed_at:
        return
    times, zone = state.office.working_time, state.office.office.zone
    opened = datetime.fromisoformat(state.opened_at).astimezone(zone).year
    today = datetime.now(UTC).astimezone(zone).year
    years = range(min(opened, today), max(opened, today) + 1)
    if is_needed(times, years, state.holidays):
        record = holiday_record(times, years, state.holidays)
        book.record("calendar.recorded", record.model_dump(mode="json", by_alias=True))
