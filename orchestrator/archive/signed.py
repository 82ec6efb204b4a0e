"""Every signature that a journal holds: on gates, also those sent back, and on notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orchestrator.journal.entry import Entry
from orchestrator.model.office import Office, Officer
from orchestrator.signature.ssh import allowed_signers

KINDS = {
    "gate.signed": "sign",
    "gate.returned": "return",
    "note.added": "note",
    "restore.ordered": "restore",
}


@dataclass(frozen=True)
class Signed:
    """One signature with the officer as office.yml had them when it was made."""

    entry: Entry
    officer: Officer | None  # None: office.yml had no such officer
    zone: str  # the office's time zone, in which the officer's validity counts

    @property
    def decision(self) -> str:
        """`sign`, `return`, `note` or `restore`."""
        return KINDS[self.entry.kind]

    @property
    def name(self) -> str:
        """Its file name in the archive, without ending: `0015-step-03-analis-sign`."""
        step = self.entry.step or 0
        return f"{self.entry.seq:04d}-step-{step:02d}-{self.entry.actor}-{self.decision}"

    @property
    def valid(self) -> tuple[str, str]:
        """First and last day of the officer, each '' when open."""
        return (self.officer.valid_from, self.officer.valid_until) if self.officer else ("", "")

    @property
    def keys(self) -> tuple[str, ...]:
        """The officer's keys that were not revoked then."""
        return self.officer.valid_keys if self.officer else ()


def signed(entries: Iterable[Entry]) -> list[Signed]:
    """All signatures in journal order; the entries must fold."""
    found = []
    office: Office | None = None
    for entry in entries:
        if entry.kind in ("cycle.opened", "office.changed"):
            office = Office.model_validate(entry.body["office"])
        elif entry.kind in KINDS and "statement" in entry.body and office is not None:
            found.append(Signed(entry, office.officer(entry.actor), office.office.timezone))
    return found


def signers_file(signatures: Iterable[Signed]) -> str:
    """allowed_signers (ssh-keygen(1)) for all of them: keys with validity and namespace, sorted."""
    lines: set[str] = set()
    for one in signatures:
        if one.officer is not None:
            text = allowed_signers(one.officer.id, one.keys, one.valid)
            lines.update(text.splitlines(keepends=True))
    return "".join(sorted(lines))


def signature_facts(one: Signed) -> dict[str, Any]:
    """What cycle.json says of a signature."""
    return {
        "entry": one.entry.seq,
        "step": one.entry.step,
        "decision": one.decision,
        "officer": one.entry.actor,
        "name": one.officer.name if one.officer else "",
        "role": one.officer.role if one.officer else "",
        "at": one.entry.at,
        "file": f"signatures/{one.name}",
    }
