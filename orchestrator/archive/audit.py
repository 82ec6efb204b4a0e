"""Verifies a cycle or an archive offline: chain, procedure, signatures, documents, bag."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import bagit

from orchestrator.archive.bag import manifest_hash
from orchestrator.journal.entry import BrokenChain, Entry
from orchestrator.journal.fold import IllegalEntry, step_forward
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import UsageError
from orchestrator.model.statement import Statement
from orchestrator.signature.ssh import verify

SIGNED = ("gate.signed", "gate.returned", "restore.ordered")
"""Kinds of entries that carry an officer's signature."""


@dataclass(frozen=True)
class Check:
    """One thing that was verified: what, whether it holds, and what was found."""

    name: str
    ok: bool
    detail: str


@dataclass
class Report:
    """All checks of an audit, in order."""

    checks: list[Check] = field(default_factory=list)
    state: CycleState | None = None

    @property
    def ok(self) -> bool:
        """Whether everything held."""
        return all(c.ok for c in self.checks)

    def add(self, name: str, ok: bool, detail: str) -> None:
        """Record one check."""
        self.checks.append(Check(name, ok, detail))


def audit_archive(folder: Path, trusted: Path | None = None) -> Report:
    """Verify an archive folder with nothing but itself and, if given, trusted public keys.

    `trusted` is a file with one public key a line (allowed_signers lines or .pub lines); then
    every signature must come from one of them. Raises UsageError when `folder` is no archive.
    """
    if not (folder / "bagit.txt").is_file() or not (folder / "data").is_dir():
        raise UsageError(
            f"{folder} is no archive of sop-run", "name the folder with bagit.txt in it"
        )
    report = Report()
    data = folder / "data"
    entries = _journal(report, data / "journal.db", frozen=True, trusted=_keys(trusted))
    lines = data / "journal.jsonl"
    _attempt(report, "journal.jsonl is the same journal", lambda: _same_lines(lines, entries))
    if report.state is not None:
        _documents(report, report.state, data / "documents")
    _attempt(report, "bag: every file is there and unchanged", lambda: _bag(folder))
    return report


def audit_cycle(folder: Path, home: Path, trusted: Path | None = None) -> Report:
    """Verify a cycle where it lies, and its archive when it has one."""
    report = Report()
    _journal(report, folder / "journal.db", frozen=False, trusted=_keys(trusted))
    state = report.state
    if state is None:
        return report
    _documents(report, state, folder / "documents")
    if state.archive_manifest:
        bag = home / state.archive_path

        def same() -> str:
            found = manifest_hash(bag)
            if found != state.archive_manifest:
                raise ValueError(f"the journal says {state.archive_manifest}, the archive {found}")
            return found

        _attempt(report, "archive: manifest hash is the one in the journal", same)
        if (bag / "bagit.txt").is_file():
            for check in audit_archive(bag, trusted).checks:
                report.add(f"archive: {check.name}", check.ok, check.detail)
    return report


def _attempt(report: Report, name: str, action: Callable[[], str]) -> None:
    """Run one check; what it raises is its failure."""
    try:
        report.add(name, True, action())
    except (OSError, ValueError, KeyError, bagit.BagError) as error:
        report.add(name, False, str(error))


def _keys(trusted: Path | None) -> frozenset[str] | None:
    if trusted is None:
        return None
    try:
        words = trusted.read_text(encoding="utf-8").split()
    except OSError as error:
        raise UsageError(f"{trusted} cannot be read: {error.strerror}") from error
    return frozenset(w for w in words if w.startswith("AAAA"))


def _journal(
    report: Report, path: Path, *, frozen: bool, trusted: frozenset[str] | None
) -> list[Entry]:
    """Chain, procedure and signatures; the state ends up in the report when all can be read."""
    entries: list[Entry] = []
    state: CycleState | None = None
    chain = "journal: hash chain"
    try:
        for entry in read_entries(path, frozen=frozen):
            entries.append(entry)
    except BrokenChain as error:
        report.add(chain, False, str(error))
        return entries
    except UsageError as error:
        report.add(chain, False, error.message)
        return entries
    if not entries:
        report.add(chain, False, "the journal is empty")
        return entries
    report.add(chain, True, f"{len(entries)} entries, head {entries[-1].hash[:16]}…")
    signed = 0
    try:
        for entry in entries:
            if entry.kind in SIGNED and state is not None:
                _signature(report, state, entry, trusted)
                signed += 1
            state = step_forward(state, entry)
    except IllegalEntry as error:
        report.add("procedure: every entry is allowed where it stands", False, error.message)
        return entries
    report.add("procedure: every entry is allowed where it stands", True, "13 steps of the SOP")
    report.add("signatures: all gates", report.ok, f"{signed} signatures checked")
    report.state = state
    return entries


def _signature(
    report: Report, state: CycleState, entry: Entry, trusted: frozenset[str] | None
) -> None:
    """Check one signature against the officer's keys as office.yml had them then."""
    officer = state.office.officer(entry.actor)
    name = f"signature: step {entry.step} by {entry.actor} (journal entry {entry.seq})"
    if officer is None:
        report.add(name, False, "office.yml had no such officer")
        return
    statement = Statement.model_validate_json(entry.body["statement"])
    keys = officer.valid_keys
    if trusted is not None:
        # Only keys that the auditor trusts may have made it, not just any of the officer's.
        keys = tuple(k for k in keys if k.split()[1] in trusted)
        if not keys:
            report.add(name, False, "the officer's key is not among the trusted ones")
            return
    reason = verify(
        entry.body["statement"],
        entry.body["signature"],
        officer.id,
        keys,
        at=statement.at,
        valid=(officer.valid_from, officer.valid_until),
    )
    report.add(name, not reason, reason or f"{statement.decision}, by the officer's key")


def _documents(report: Report, state: CycleState, folder: Path) -> None:
    for record in state.documents.values():

        def unchanged(name: str = record.name, digest: str = record.sha256) -> str:
            found = sha256_hex((folder / name).read_bytes())
            if found != digest:
                raise ValueError(f"it was changed: SHA-256 is {found}, the journal says {digest}")
            return f"SHA-256 {digest[:16]}…"

        _attempt(report, f"document: {record.name} (journal entry {record.seq})", unchanged)


def _same_lines(path: Path, entries: list[Entry]) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, (line, entry) in enumerate(zip(lines, entries, strict=False), 1):
        if line != entry.line():
            raise ValueError(f"journal entry {number} differs between journal.db and journal.jsonl")
    if len(lines) != len(entries):
        raise ValueError(f"it has {len(lines)} entries, journal.db has {len(entries)}")
    return f"{len(lines)} entries"


def _bag(folder: Path) -> str:
    logging.getLogger("bagit").setLevel(logging.CRITICAL)  # it reports by exception as well
    bag = bagit.Bag(str(folder))
    for name, hashes in sorted(bag.entries.items()):
        path = folder / name
        if not path.is_file():
            raise ValueError(f"{name} is missing")
        if sha256_hex(path.read_bytes()) != hashes["sha256"]:
            raise ValueError(f"{name} was changed: its SHA-256 is not the one in the manifest")
    bag.validate(processes=1)
    return f"{len(bag.payload_entries())} files, manifest {manifest_hash(folder)[:16]}…"
