"""The time that a phase still takes, said beside its hosts as they finish."""

from __future__ import annotations

from orchestrator.cli.times import time_left
from orchestrator.model.evidence import Evidence
from orchestrator.workflow.survey import seconds_left, seconds_of

MANY = 10
"""Hosts of a phase from which on the time left is told."""

SHORT = 20.0
"""Seconds that nobody needs to be told of."""


class Pace:
    """One phase's hosts as they finish; says the time left only when it has become another."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._told = ""

    def words(self, evidence: Evidence | None, done: int, total: int) -> str:
        """What to add to a host's line: ` · about 2 min left`, or ''."""
        if (spent := seconds_of(evidence)) is not None:
            self._seconds.append(spent)
        left = seconds_left(self._seconds, total - done, total) if total >= MANY else None
        words = time_left(left) if left is not None and left >= SHORT else ""
        if not words or words == self._told:
            return ""
        self._told = words
        return f" · {words}"
