"""Whether a cycle is to be opened today, by the office's rule (before SOP step 1).

What a timer starts may open a cycle and check its hosts, nothing more: as soon as a cycle has
reached its first gate, only people go on with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from orchestrator.journal.book import read_state
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.model.office import Office
from orchestrator.model.schedule import EXAMPLES, Schedule
from orchestrator.office.workdays import working_days
from orchestrator.sop.calendar import due_date, due_dates
from orchestrator.workflow.settings import Settings


@dataclass(frozen=True)
class Due:
    """This month's cycle, its day, and whether it is to be opened (or its check finished) now."""

    cycle: CycleId
    day: date
    now: bool
    words: str


def schedule_of(office: Office, settings: Settings) -> Schedule:
    """The office's schedule; raises UsageError where office.yml has none."""
    if office.schedule is None:
        raise UsageError(
            f"{settings.office} has no schedule",
            f"add `schedule:` with `rule: …`, for example {EXAMPLES} (docs/how-to/schedule.md)",
        )
    return office.schedule


def today_in(office: Office) -> date:
    """The date that the office has now."""
    return datetime.now(office.office.zone).date()


def look(settings: Settings, office: Office, today: date) -> Due:
    """Whether the month's cycle is due: its day has come, and it has reached no gate yet."""
    schedule = schedule_of(office, settings)
    day = due_date(schedule, today.year, today.month, working_days(office))
    cycle = CycleId(today.year, today.month)
    if (settings.cycle_folder(str(cycle)) / "journal.db").exists():
        state = read_state(settings.cycle_folder(str(cycle)))
        # Only a first check that was cut off goes on: what was sent back waits for a person.
        if state.steps[2].state == "open" and not state.returns:
            return Due(cycle, day, True, f"the check of cycle {cycle} was not finished")
        return Due(cycle, day, False, f"cycle {cycle} is open already; people go on with it")
    if today < day:
        return Due(cycle, day, False, f"cycle {cycle} is due on {day:%A} {day}, not today")
    return Due(cycle, day, True, f"cycle {cycle} is due since {day:%A} {day}")


def upcoming(settings: Settings, office: Office, today: date, count: int) -> list[tuple[str, date]]:
    """The next `count` (period, date) by the office's rule, today included."""
    is_working: Callable[[date], bool] = working_days(office)
    return list(islice(due_dates(schedule_of(office, settings), today, is_working), count))
