"""Step 2: check every host, then put the plan and the check list forward."""

from __future__ import annotations

from orchestrator.documents.names import DocumentName
from orchestrator.journal.scope import checked, unread_advisories
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, EvidenceItem, NewPackage, Phase
from orchestrator.model.plan import Item, Plan, SideEffects
from orchestrator.workflow.closure import closure_requests, needed
from orchestrator.workflow.requests import requests_for
from orchestrator.workflow.run import Run


def check(run: Run) -> None:
    """SOP step 2: hosts that have not been checked yet are checked; then the plan is made."""
    list_items(run)
    run.document(DocumentName.CHECK_LIST, 2)
    run.document(DocumentName.CHECK_LIST_PDF, 2)
    run.book.record("step.passed", step=2)


def list_items(run: Run) -> None:
    """The check of the hosts and the plan, each unless it is there."""
    run.progress.step(run.state, 2)
    if run.state.plan is not None:
        return
    todo = [h for h in run.state.hosts if run.state.last(h, Phase.CHECK) is None]
    run.phase(Phase.CHECK, requests_for(run.state, todo, Phase.CHECK))
    run.phase(Phase.REHEARSE, closure_requests(run.state))
    plan = make_plan(run.state)
    body = {"plan": plan.model_dump(mode="json", by_alias=True), "id": plan.id}
    run.book.record("plan.made", body, step=2)
    for host in run.state.hosts:
        if unread := unread_advisories(run.state, host):
            words = f"{host}: the CVE ids of {len(unread)} packages could not be read, so nobody "
            words += f"knows whether they match --cve: {', '.join(unread[:20])}"
            run.book.record("note.added", {"text": words}, step=2)
            run.progress.say(words)


def make_plan(state: CycleState) -> Plan:
    """All items in scope that the hosts' evidence names, in the order of host, class and name."""
    items: list[Item] = []
    effects: list[SideEffects] = []
    for host in state.hosts:
        evidence = checked(state, host)
        if evidence is None:
            continue
        chosen, new, removals = _in_scope(state, host, evidence)
        for found in sorted(chosen, key=lambda i: (i.kind, i.name, i.arch)):
            items.append(_item(len(items) + 1, host, found))
        if new or removals:
            effects.append(SideEffects(host=host, new=new, removals=removals))
    return Plan(
        cycle=state.cycle,
        origin=state.origin,
        revision=state.revision,
        hosts=state.hosts,
        items=tuple(items),
        side_effects=tuple(effects),
    )


def _in_scope(
    state: CycleState, host: str, evidence: Evidence
) -> tuple[tuple[EvidenceItem, ...], tuple[NewPackage, ...], tuple[str, ...]]:
    """A host's items in scope, and the packages that come or go with them."""
    if state.selection.is_everything:
        return evidence.items, evidence.new_packages, evidence.removals
    return needed(state, host, evidence)


def _item(number: int, host: str, found: EvidenceItem) -> Item:
    fields = found.model_dump(by_alias=True, include=set(Item.model_fields) - {"number", "host"})
    return Item.model_validate({"number": number, "host": host, **fields})
