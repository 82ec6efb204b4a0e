"""What lies outside an incidental cycle's scope, so that it is said and not passed over. Pure."""

from __future__ import annotations

from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, EvidenceItem, Phase, Status


def checked(state: CycleState, host: str) -> Evidence | None:
    """The evidence of a check that gave a usable list, or None."""
    outcome = state.last(host, Phase.CHECK)
    evidence = outcome.read() if outcome is not None else None
    return evidence if evidence is not None and evidence.status is Status.OK else None


def out_of_scope(state: CycleState, host: str) -> tuple[EvidenceItem, ...]:
    """Pending items that the check found and that the plan leaves out."""
    evidence = checked(state, host)
    if evidence is None or state.plan is None:
        return ()
    planned = {(i.kind, i.name, i.arch) for i in state.items_of(host)}
    return tuple(i for i in evidence.items if (i.kind, i.name, i.arch) not in planned)


def unread_advisories(state: CycleState, host: str) -> tuple[str, ...]:
    """Packages left out whose CVE ids nobody could read: they may well be what is sought."""
    evidence = checked(state, host)
    if evidence is None or not state.selection.cves:
        return ()
    missing = {str(n) for n in (evidence.facts.get("advisories") or {}).get("missing") or []}
    left = {i.name for i in out_of_scope(state, host) if i.kind != "antivirus"}
    return tuple(sorted(left & missing))
