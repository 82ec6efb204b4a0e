"""A remark that a person makes about a step of a cycle."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orchestrator.model.canonical import canonical_json
from orchestrator.model.evidence import Record

NoteKind = Literal["remark", "overrun", "deviation", "suggestion"]
"""remark: anything worth knowing; overrun: why a step took longer than its standard time;
deviation: what was done otherwise than the SOP says; suggestion: goes into the report's Saran."""

REPORTED = ("remark", "suggestion")
"""Kinds that, on step 9, become part of the draft's own text."""

LONGEST = 1000
"""Characters of a note."""


class StepReason(Record):
    """Why a step took longer than its standard time, as an officer says it when signing."""

    step: int
    text: str


class NoteStatement(Record):
    """What an officer signs under a note: the exact bytes, as canonical JSON.

    It is signed in the namespace of the gates; its schema keeps it from being taken for a gate's.
    """

    note_schema: Literal["sop-run/note/1"] = Field("sop-run/note/1", alias="schema")
    cycle: str
    journal_head: str  # so that it is worth nothing at another place or in another cycle
    step: int
    kind: NoteKind
    text: str
    officer: str
    at: str

    def canonical(self) -> str:
        """The signed text."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))
