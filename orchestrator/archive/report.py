"""What an audit found: one line for each thing that was checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import bagit

from orchestrator.journal.state import CycleState


@dataclass(frozen=True)
class Check:
    """One thing that was verified: what, whether it holds, and what was found."""

    name: str
    ok: bool
    detail: str
    archive: str = ""  # in an audit of several: which one


@dataclass
class Report:
    """All checks of an audit, in order."""

    checks: list[Check] = field(default_factory=list)
    state: CycleState | None = None  # when the journal could be read to its end
    manifest: str = ""  # SHA-256 of an archive's tag manifest, when it could be read
    trusted: bool = False  # whether keys from outside were given

    @property
    def ok(self) -> bool:
        """Whether everything held."""
        return all(c.ok for c in self.checks)

    @property
    def failed(self) -> Check | None:
        """The first thing that failed, or None."""
        return next((c for c in self.checks if not c.ok), None)

    def add(self, name: str, ok: bool, detail: str) -> None:
        """Record one check."""
        self.checks.append(Check(name, ok, detail))

    def attempt(self, name: str, action: Callable[[], str]) -> bool:
        """Run one check: what it returns was found, what it raises is its failure."""
        try:
            self.add(name, True, action())
        except (OSError, ValueError, KeyError, RecursionError, bagit.BagError) as error:
            self.add(name, False, str(error) or type(error).__name__)
            return False
        return True
