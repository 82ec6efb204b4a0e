"""What lies outside an incidental cycle's scope, so that it is said and not passed over. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, EvidenceItem, Phase, Status
from orchestrator.model.plan import Item


def checked(state: CycleState, host: str) -> Evidence | None:
    """The evidence of a check that gave a usable list, or None."""
    outcome = state.last(host, Phase.CHECK)
    evidence = outcome.read() if outcome is not None else None
    return evidence if evidence is not None and evidence.status is Status.OK else None


def out_of_scope(state: CycleState, host: str) -> tuple[EvidenceItem, ...]:
    """Pending items that the check found and that the plan leaves out."""
    return left_out(checked(state, host), state.items_of(host)) if state.plan is not None else ()


def left_out(check: Evidence | None, planned: Iterable[Item]) -> tuple[EvidenceItem, ...]:
    """Items of a check's usable list that are not among those planned for the host."""
    if check is None or check.status is not Status.OK:
        return ()
    keys = {(i.kind, i.name, i.arch) for i in planned}
    return tuple(i for i in check.items if (i.kind, i.name, i.arch) not in keys)


def unread_advisories(state: CycleState, host: str) -> tuple[str, ...]:
    """Packages left out whose CVE ids nobody could read: they may well be what is sought."""
    evidence = checked(state, host)
    if evidence is None or not state.selection.cves:
        return ()
    missing = {str(n) for n in (evidence.facts.get("advisories") or {}).get("missing") or []}
    left = {i.name for i in out_of_scope(state, host) if i.kind != "antivirus"}
    return tuple(sorted(left & missing))
