"""The number under which a report is established (SOP step 11)."""

from __future__ import annotations

from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.model.errors import UsageError
from orchestrator.model.text import printable
from orchestrator.sop.numbering import counts, letter_number
from orchestrator.workflow.monthly import cycles
from orchestrator.workflow.settings import Settings

LONGEST = 100


def final_number(
    settings: Settings, state: CycleState, step: int, given: str
) -> tuple[str, int | None]:
    """The report's number and, where the office's pattern counts, its {number}.

    Outside step 11 there is none. Raises UsageError for a number that cannot be used.
    """
    if step != 11:
        if given:
            raise UsageError("the number is given at step 11 only", "leave out --number")
        return "", None
    pattern = state.office.letters.number_pattern
    if not given and not counts(pattern):
        return letter_number(pattern, state.cycle, None), None
    others = [
        read_state(settings.cycle_folder(name))
        for name in cycles(settings.home)
        if name[:4] == state.cycle[:4] and name != state.cycle
    ]
    if given:
        return _as_given(given, others), None
    used = [other.serial for other in others if other.serial is not None]
    serial = max([*used, state.office.letters.first_number - 1]) + 1
    return letter_number(pattern, state.cycle, serial), serial


def _as_given(given: str, others: list[CycleState]) -> str:
    number = given.strip()
    if not number or number != printable(number, LONGEST):
        raise UsageError(
            f"--number {printable(given, 60)!r} cannot be printed",
            f"one line of at most {LONGEST} characters, for example 500.12.12/0123/2026",
        )
    for other in others:
        if other.number == number:
            raise UsageError(
                f"number {number} is that of cycle {other.cycle}", "give the number of this report"
            )
    return number
