"""What a run tells while it works; the command line decides how to show it."""

from __future__ import annotations

from typing import Protocol

from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Outcome, Phase
from orchestrator.model.verdict import HostVerdict


class Progress(Protocol):
    """Receives what happens, as it happens."""

    def step(self, state: CycleState, number: int) -> None:
        """Work on a step begins or goes on."""

    def phase(self, phase: Phase, hosts: int, wave: int) -> None:
        """A phase begins on that many hosts."""

    def outcome(self, outcome: Outcome, done: int, total: int) -> None:
        """A host has finished the phase."""

    def waiting(self, host: str, words: str) -> None:
        """A host will be asked again (it restarts, or its work goes on)."""

    def verdict(self, verdict: HostVerdict) -> None:
        """A host has its verdict."""

    def document(self, path: str) -> None:
        """A document was written."""

    def say(self, words: str) -> None:
        """A remark."""


class Silent:
    """Says nothing; for programs and tests."""

    def step(self, state: CycleState, number: int) -> None:
        """Nothing."""

    def phase(self, phase: Phase, hosts: int, wave: int) -> None:
        """Nothing."""

    def outcome(self, outcome: Outcome, done: int, total: int) -> None:
        """Nothing."""

    def waiting(self, host: str, words: str) -> None:
        """Nothing."""

    def verdict(self, verdict: HostVerdict) -> None:
        """Nothing."""

    def document(self, path: str) -> None:
        """Nothing."""

    def say(self, words: str) -> None:
        """Nothing."""
