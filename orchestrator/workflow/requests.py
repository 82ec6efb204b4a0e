"""What each host is asked in each phase: requests made from the state alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from orchestrator.journal.judge import package_items
from orchestrator.journal.state import CycleState
from orchestrator.journal.work import transaction_of
from orchestrator.model.evidence import Phase
from orchestrator.model.plan import Item


def request_for(state: CycleState, host: str, phase: Phase) -> dict[str, Any]:
    """The request of one phase for one host (docs/reference/evidence.md)."""
    plan_id = state.plan.id if state.plan is not None else ""
    request: dict[str, Any] = {
        "schema": "sop-run/request/1",
        "phase": str(phase),
        "host": host,
        "cycle": state.cycle,
        "plan_id": plan_id,
        "transaction": transaction_of(state, host, phase),
        "items": [_plain(i) for i in _items(state, host, phase)],
        "options": {**_options(state, phase), **_side_effects(state, host, phase)},
    }
    if state.rehearsal:
        request["rehearsal"] = True  # the host program then refuses every phase that changes
    facts = _backup_facts(state, host)
    if phase in (Phase.UPDATE, Phase.RESTORE):
        request["backup"] = facts.get("backup", {})
    if phase in (Phase.TEST, Phase.RESTORE):
        request["baseline"] = facts.get("baseline", {})
    return request


def requests_for(
    state: CycleState, hosts: Iterable[str], phase: Phase
) -> dict[str, dict[str, Any]]:
    """The requests of one phase for several hosts."""
    return {host: request_for(state, host, phase) for host in hosts}


def _items(state: CycleState, host: str, phase: Phase) -> tuple[Item, ...]:
    approved = state.approved(host)
    if phase is Phase.REHEARSE:
        return state.items_of(host)
    if phase is Phase.UPDATE:
        return package_items(state, host)
    if phase is Phase.ANTIVIRUS:
        return tuple(i for i in approved if i.kind == "antivirus")
    return approved


def _plain(item: Item) -> dict[str, Any]:
    return item.model_dump(mode="json", by_alias=True, exclude={"host"})


def _options(state: CycleState, phase: Phase) -> dict[str, Any]:
    """What the cycle or its signed order says; it wins over the inventory's variables."""
    if phase is Phase.CHECK:
        asked: dict[str, Any] = {"advisories": True} if state.selection.cves else {}
        if state.source is not None:  # a restore does not wait for mirrors that may be down
            asked |= {"refresh": "none", "advisories": False}
        reading = state.rehearsal or state.source is not None
        return {**asked, "stage": False} if reading else asked
    if phase is not Phase.UPDATE or state.order is None:
        return {}
    options: dict[str, Any] = {"reboot": state.order.reboot}
    if state.order.window_end:
        # No restart of a host begins after the window, however long its update took.
        options["not_after"] = int(datetime.fromisoformat(state.order.window_end).timestamp())
    return options


def _side_effects(state: CycleState, host: str, phase: Phase) -> dict[str, Any]:
    """What the signed plan lets the update bring and remove besides the items."""
    if phase not in (Phase.REHEARSE, Phase.BACKUP, Phase.UPDATE) or state.plan is None:
        return {}
    effects = state.plan.part(host).side_effects.model_dump(mode="json")
    return {"allow_new": effects["new"], "allow_removals": effects["removals"]}


def _backup_facts(state: CycleState, host: str) -> dict[str, Any]:
    if state.source is not None:
        source = state.source
        return {
            "backup": source.backups.get(host, {}),
            "baseline": source.baselines.get(host, {}),
        }
    outcome = state.last(host, Phase.BACKUP)
    evidence = outcome.read() if outcome is not None else None
    return evidence.facts if evidence is not None else {}
