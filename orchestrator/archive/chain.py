"""The chain of months: every archive names the manifest hash of the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from orchestrator.archive.audit import audit_archive, is_archive
from orchestrator.archive.report import Report
from orchestrator.archive.trust import Trusted
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError


def archives_in(paths: Iterable[Path]) -> list[Path]:
    """The archives named: folders of archives are searched two levels deep (YEAR/CYCLE).

    Raises UsageError for a path with no archive in it.
    """
    found: list[Path] = []
    for path in paths:
        inside = [path] if is_archive(path) else []
        if not inside and path.is_dir():
            inside = [p for p in sorted([*path.glob("*"), *path.glob("*/*")]) if _visible(p)]
        if not inside:
            raise UsageError(
                f"{path} is no archive folder and holds none",
                "name the folder with bagit.txt in it",
            )
        found += inside
    return found


def _visible(path: Path) -> bool:
    """Whether it is a finished archive; an interrupted one begins with a dot."""
    return is_archive(path) and not any(p.startswith(".") for p in path.parts[-2:])


def audit_chain(folders: Sequence[Path], trusted: Trusted | None = None) -> Report:
    """Verify several archives, then that each names the one before; the checks name the archive."""
    whole = Report(trusted=trusted is not None and trusted.keys is not None)
    parts: list[Report] = []
    for folder in folders:
        part = audit_archive(folder, trusted)
        name = part.state.cycle if part.state else str(folder)
        whole.checks += [replace(c, archive=name) for c in part.checks]
        parts.append(part)
    _links(whole, [(p.state, p.manifest) for p in parts if p.state is not None])
    return whole


def order_of(cycle: str) -> tuple[int, int, int]:
    """Sorts the monthly cycle before the incidental ones of its month."""
    this = CycleId.parse(cycle)
    return this.year, this.month, this.number or 0


def _links(report: Report, archives: list[tuple[CycleState, str]]) -> None:
    manifests: dict[str, str] = {}
    for state, manifest in archives:
        if manifests.setdefault(state.cycle, manifest) != manifest:
            report.add(f"chain: {state.cycle}", False, "two different archives of this cycle")
    ordered = sorted({s.cycle: s for s, _ in archives}.values(), key=lambda s: order_of(s.cycle))
    for place, state in enumerate(ordered):
        before = ordered[:place]
        ok, words = link(state, before, manifests)
        report.add(f"chain: what {state.cycle} says of the archive before it", ok, words)


def _moment(at: str) -> datetime:
    """When an entry was written. The last one of an archived journal belongs to its step 12."""
    return datetime.fromisoformat(at)


def link(
    state: CycleState, before: Sequence[CycleState], manifests: dict[str, str]
) -> tuple[bool, str]:
    """Whether an archive's word on the one before it holds, and what was found."""
    previous, digest = state.previous_cycle, state.previous_manifest
    if not previous:
        known = [s.cycle for s in before if _moment(s.last_at) < _moment(state.opened_at)]
        if known:
            return False, f"it names none, but {known[-1]} is here: this is no chain of one"
        words = "it names none: the chain begins here"
        if before:  # an incidental cycle beside the first month: neither could name the other
            words = f"it names none: {before[-1].cycle} was not archived yet when it opened"
        return True, words
    if order_of(previous) >= order_of(state.cycle):
        return False, f"it names {previous}, which does not lie before it"
    if previous not in manifests:
        if before:
            return False, f"{previous} is missing: its manifest has the SHA-256 {digest}"
        return True, f"{previous} is older than the archives given; its manifest has {digest}"
    if manifests[previous] != digest:
        return False, (
            f"{previous} was replaced: its manifest has the SHA-256 {manifests[previous]}, "
            f"{state.cycle} says {digest}"
        )
    skipped = [s.cycle for s in before if order_of(s.cycle) > order_of(previous)]
    words = f"{previous}, manifest {digest[:16]}…"
    if skipped:  # they were archived after this cycle had opened, so nobody named them
        words += f"; {', '.join(skipped)} was not archived yet when {state.cycle} opened"
    return True, words
