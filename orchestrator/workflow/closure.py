"""What the items of an incidental cycle need besides themselves, asked of each host (SOP step 2).

The check's new packages and removals belong to a full upgrade. For a part of it the host's package
manager is asked what exactly this part would bring: only that enters the plan. Where a host cannot
tell, nothing is allowed besides the items, and the update refuses what goes beyond.
"""

from __future__ import annotations

from typing import Any

from orchestrator.journal.scope import checked
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, EvidenceItem, NewPackage, Phase
from orchestrator.workflow.requests import request_for


def chosen(state: CycleState, evidence: Evidence) -> tuple[EvidenceItem, ...]:
    """The items that the cycle's filters name."""
    return tuple(item for item in evidence.items if state.selection.takes(item))


def closure_requests(state: CycleState) -> dict[str, dict[str, Any]]:
    """Requests to hosts of which only a part of the packages is in scope and which were not asked
    yet; none for a cycle about everything."""
    requests = {}
    for host in () if state.selection.is_everything else state.hosts:
        evidence = checked(state, host)
        if evidence is None or state.last(host, Phase.REHEARSE) is not None:
            continue
        items = [i for i in chosen(state, evidence) if i.kind != "antivirus"]
        if items:
            request = request_for(state, host, Phase.REHEARSE)
            request["items"] = [i.model_dump(mode="json", by_alias=True) for i in items]
            request["options"].update(
                parts=["update"],
                allow_new=[n.model_dump(mode="json") for n in evidence.new_packages],
                allow_removals=list(evidence.removals),
            )
            requests[host] = request
    return requests


def needed(
    state: CycleState, host: str, evidence: Evidence
) -> tuple[tuple[EvidenceItem, ...], tuple[NewPackage, ...], tuple[str, ...]]:
    """(items, new packages, removals): those chosen, and what they bring by the host's own word.

    Pending items that must come along become items, so that officers see and approve them. What
    the check did not list itself stays out, and the update will refuse it.
    """
    items = {(i.kind, i.name, i.arch): i for i in chosen(state, evidence)}
    outcome = state.last(host, Phase.REHEARSE)
    answer = outcome.read() if outcome is not None else None
    told = answer.facts.get("simulation") if answer is not None else None
    found: dict[str, Any] = told if isinstance(told, dict) else {}
    coming = {(row["name"], row["arch"], row["to"]) for row in _rows(found, "upgrades")}
    for item in evidence.items:
        if (item.name, item.arch, item.to_version) in coming and item.kind != "antivirus":
            items[item.kind, item.name, item.arch] = item
    new = {(row["name"], row["arch"], row["to"]) for row in _rows(found, "new")}
    gone = found.get("removals")
    removals = {str(name) for name in gone} if isinstance(gone, list) else set()
    return (
        tuple(items.values()),
        tuple(n for n in evidence.new_packages if (n.name, n.arch, n.version) in new),
        tuple(name for name in evidence.removals if name in removals),
    )


def _rows(found: dict[str, Any], key: str) -> list[dict[str, str]]:
    """Rows of a simulation; what is none is left out, as all that comes from a host is data."""
    rows = found.get(key)
    if not isinstance(rows, list):
        return []
    return [
        row
        for row in rows
        if isinstance(row, dict)
        and all(isinstance(row.get(k), str) for k in ("name", "arch", "to"))
    ]
