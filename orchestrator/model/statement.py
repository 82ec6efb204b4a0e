"""What an officer signs at a gate: the exact bytes, as canonical JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orchestrator.model.canonical import canonical_json
from orchestrator.model.evidence import Record
from orchestrator.model.note import StepReason
from orchestrator.model.plan import Order

NAMESPACE = "sop-run/gate/1"
"""Namespace of the SSH signatures, so that a signature made elsewhere is worth nothing here."""


_ONLY_IF_SAID = frozenset({"reasons", "pdf", "number", "serial", "hosts"})
"""Left out where they say nothing, so that statements made before they existed stay as signed."""


class ItemDecision(Record):
    """An item that the officers put off, with the reason."""

    number: int
    approved: bool
    reason: str = ""


class SignedPdf(Record):
    """The PDF that an officer signed with a certificate before signing the gate."""

    name: str
    sha256: str
    size: int  # bytes
    field: str  # the signature's field in the PDF
    certificate: str  # SHA-256 of the certificate
    data: str  # SHA-256 of the data that the PDF carries


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
    reasons: tuple[StepReason, ...] = ()  # why steps took longer than their standard time
    pdf: SignedPdf | None = None  # steps 10 and 11, where a certificate was used
    number: str = ""  # step 11: the number under which the report is established
    serial: int | None = None  # step 11: {number} in it, where the office counts
    hosts: tuple[str, ...] = ()  # restore: the hosts that go back to their backup

    def canonical(self) -> str:
        """The signed text."""
        data = self.model_dump(mode="json", by_alias=True)
        return canonical_json(
            {k: v for k, v in data.items() if k not in _ONLY_IF_SAID or v not in ("", None, [])}
        )
