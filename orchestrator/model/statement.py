"""What an officer signs at a gate: the exact bytes, as canonical JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orchestrator.model.canonical import canonical_json
from orchestrator.model.evidence import Record
from orchestrator.model.plan import Order

NAMESPACE = "sop-run/gate/1"
"""Namespace of the SSH signatures, so that a signature made elsewhere is worth nothing here."""


class ItemDecision(Record):
    """An item that the officers put off, with the reason."""

    number: int
    approved: bool
    reason: str = ""


class Statement(Record):
    """A gate's decision, bound to cycle, step, plan, journal head and the documents shown."""

    statement_schema: Literal["sop-run/statement/1"] = Field("sop-run/statement/1", alias="schema")
    cycle: str
    step: int
    decision: Literal["sign", "return", "restore"]
    reason: str = ""
    officer: str
    role: str
    at: str
    plan_id: str
    journal_head: str
    documents: dict[str, str] = Field(default_factory=dict)  # file name → SHA-256
    decisions: tuple[ItemDecision, ...] = ()  # step 3: items that are put off
    order: Order | None = None  # step 4
    hosts: tuple[str, ...] = ()  # restore: the hosts that go back to their backup

    def canonical(self) -> str:
        """The signed text; without hosts their key is left out, as before there was any."""
        left_out = None if self.hosts else {"hosts"}
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude=left_out))
