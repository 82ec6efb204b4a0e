"""What a host program answers, and what the runner says when it does not (SOP steps 2, 6, 7, 8).

The evidence is kept verbatim as a JSON object; these records read the parts that decisions need.
Its form is described in docs/reference/evidence.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

SCHEMA = "sop-run/evidence/1"
LARGEST = 2**53
"""Bytes of a package: what every reader of JSON and of a workbook can hold."""


class Phase(StrEnum):
    """What is done to hosts, in the order of the SOP; `doctor` is before it and never journaled."""

    CHECK = "check"
    REHEARSE = "rehearse"  # what the change would do; read only
    BACKUP = "backup"
    UPDATE = "update"
    ANTIVIRUS = "antivirus"
    TEST = "test"
    RESTORE = "restore"
    DOCTOR = "doctor"


READING = frozenset({Phase.CHECK, Phase.REHEARSE})
"""Phases that change nothing on a host and need no signature; a dry run has no others."""

CHANGING = frozenset({Phase.BACKUP, Phase.UPDATE, Phase.ANTIVIRUS, Phase.RESTORE})
"""Phases that change a host and so need valid signatures of steps 3 and 4 over the plan."""


class Status(StrEnum):
    """How a phase ended on a host, by the host program's own word."""

    OK = "ok"
    FAILED = "failed"
    REFUSED = "refused"  # preflight or backup said no; nothing was changed
    BLOCKED = "blocked"  # a lock was held beyond the limit; nothing was changed
    SUPERSEDED = "superseded"  # an approved version is no longer offered; nothing was changed
    RUNNING = "running"  # the detached transaction goes on; ask again
    REBOOTING = "rebooting"  # the host is about to restart; ask again


class Record(BaseModel):
    """Base of the records: frozen, unknown fields kept out of the way."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Problem(Record):
    """Something that an officer should know: a stable code, what is wrong, what to do."""

    code: str
    message: str
    hint: str = ""


class EvidenceItem(Record):
    """One item of evidence; which fields are set depends on the phase."""

    kind: Literal["system", "security", "antivirus"] = Field(alias="class")
    name: str
    arch: str = ""
    from_version: str = Field("", alias="from")
    to_version: str = Field("", alias="to")
    after: str = ""  # update, antivirus, restore: version found afterwards
    result: str = ""  # updated, unchanged, failed, superseded, not-attempted, restored, possible
    source: str = ""
    size: int = Field(0, ge=0, le=LARGEST)  # bytes to download
    sha256: str = ""  # of the package file, from signed metadata
    severity: str = ""
    advisories: tuple[str, ...] = ()
    reboot: bool = False
    published: str = ""  # check: YYYY-MM-DD, when the oldest pending fix with an advisory came out
    message: str = ""


class NewPackage(Record):
    """A package that is not on the host yet and that the update would bring."""

    name: str
    arch: str = ""
    version: str
    size: int = Field(0, ge=0, le=LARGEST)  # bytes to download
    sha256: str = ""


_OBJECTS = ("advisories", "backup", "baseline", "simulation")
_LISTS = ("parts", "tests")


class Evidence(Record):
    """A host program's whole answer for one phase."""

    evidence_schema: Literal["sop-run/evidence/1"] = Field(alias="schema")
    phase: Phase
    status: Status
    started: str  # UTC, ISO 8601, by the host's clock
    ended: str
    seconds: float = 0.0  # monotonic duration on the host
    transaction: str = ""
    attached: bool = False  # the answer is the receipt of work begun by an earlier call
    facts: dict[str, Any] = Field(default_factory=dict)
    items: tuple[EvidenceItem, ...] = ()
    problems: tuple[Problem, ...] = ()

    @field_validator("facts")
    @classmethod
    def _known_shapes(cls, facts: dict[str, Any]) -> dict[str, Any]:
        """Facts that the program reads have the shape that it reads, or it is no evidence."""
        for name in _OBJECTS:
            if not isinstance(facts.get(name), dict | None):
                raise ValueError(f"facts.{name} is no object")
        for name in _LISTS:
            rows = facts.get(name)
            if rows is not None and not (
                isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
            ):
                raise ValueError(f"facts.{name} is no list of objects")
        missing = (facts.get("advisories") or {}).get("missing")
        if not isinstance(missing, list | None):
            raise ValueError("facts.advisories.missing is no list")
        return facts

    @property
    def new_packages(self) -> tuple[NewPackage, ...]:
        """Check: what an update would install besides the items; ValueError when malformed."""
        return _NEW_PACKAGES.validate_python(self.facts.get("new_packages") or [])

    @property
    def removals(self) -> tuple[str, ...]:
        """Check: names of packages that an update would remove; ValueError when malformed."""
        return _NAMES.validate_python(self.facts.get("removals") or [])


_NEW_PACKAGES = TypeAdapter(tuple[NewPackage, ...])
_NAMES = TypeAdapter(tuple[str, ...])


class OutcomeKind(StrEnum):
    """What the runner knows of a host after a phase."""

    EVIDENCE = "evidence"
    UNREACHABLE = "unreachable"  # no connection
    FAILED = "failed"  # connected, but no valid evidence came back


class _Body(Record):
    """An outcome as the journal has it (entry `host.outcome`)."""

    phase: Phase
    kind: OutcomeKind
    evidence: dict[str, Any] | None = None  # verbatim; valid as Evidence when kind is EVIDENCE
    reason: str = ""


class Outcome:
    """The result of one phase on one host: evidence, or the reason why there is none.

    Evidence is large, and a cycle has it of every host: an outcome that stands in the journal may
    hold a way to read it instead, so what is read often should be kept by the reader.
    """

    __slots__ = ("_evidence", "_load", "_status", "host", "kind", "phase", "reason")

    def __init__(
        self, *, host: str, phase: Phase, kind: OutcomeKind,
        evidence: dict[str, Any] | None = None, reason: str = "",
    ) -> None:  # fmt: skip
        self.host, self.phase, self.kind, self.reason = host, phase, kind, reason
        self._evidence = evidence
        self._load: Callable[[], Mapping[str, Any]] | None = None
        self._status: Status | None = None

    @classmethod
    def recorded(
        cls, host: str, body: Mapping[str, Any], load: Callable[[], Mapping[str, Any]] | None = None
    ) -> Outcome:
        """An outcome as the journal has it; `load` reads the body again when evidence is wanted.

        Raises pydantic's ValidationError when the body or its evidence is malformed: what nobody
        can read is refused at once, not found later.
        """
        read = _Body.model_validate(body)
        outcome = cls(
            host=host, phase=read.phase, kind=read.kind, evidence=read.evidence, reason=read.reason
        )
        evidence = outcome.read()
        if evidence is not None:
            outcome._status = evidence.status
            if load is not None:
                outcome._evidence, outcome._load = None, load
        return outcome

    @property
    def evidence(self) -> dict[str, Any] | None:
        """The evidence, verbatim; valid as Evidence when kind is EVIDENCE."""
        if self._load is not None:
            evidence: dict[str, Any] = self._load()["evidence"]
            return evidence
        return self._evidence

    def read(self) -> Evidence | None:
        """The evidence as a record, or None when there is none."""
        evidence = self.evidence
        return Evidence.model_validate(evidence) if evidence is not None else None

    @property
    def status(self) -> Status | None:
        """How the phase ended by the host program's word, or None when there is no evidence."""
        if self._status is None and (evidence := self.read()) is not None:
            return evidence.status
        return self._status

    def body(self) -> dict[str, Any]:
        """The outcome as the journal has it; the host is the entry's."""
        return {
            "phase": str(self.phase),
            "kind": str(self.kind),
            "evidence": self.evidence,
            "reason": self.reason,
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Outcome):
            return NotImplemented
        return (self.host, self.body()) == (other.host, other.body())

    __hash__ = None  # type: ignore[assignment]
