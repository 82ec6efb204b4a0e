"""Step 2: check every host, then put the plan and the check list forward."""

from __future__ import annotations

from orchestrator.documents.names import DocumentName
from orchestrator.journal.judge import status_of
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import EvidenceItem, Phase, Status
from orchestrator.model.plan import Item, Plan, SideEffects
from orchestrator.workflow.requests import requests_for
from orchestrator.workflow.run import Run


def check(run: Run) -> None:
    """SOP step 2: hosts that have not been checked yet are checked; then the plan is made."""
    run.progress.step(run.state, 2)
    if run.state.plan is None:
        todo = [h for h in run.state.hosts if run.state.last(h, Phase.CHECK) is None]
        run.phase(Phase.CHECK, requests_for(run.state, todo, Phase.CHECK))
        plan = make_plan(run.state)
        body = {"plan": plan.model_dump(mode="json", by_alias=True), "id": plan.id}
        run.book.record("plan.made", body, step=2)
    run.document(DocumentName.CHECK_LIST, 2)
    run.document(DocumentName.CHECK_LIST_PDF, 2)
    run.book.record("step.passed", step=2)


def make_plan(state: CycleState) -> Plan:
    """All items that the hosts' evidence names, numbered in the order of host, class and name."""
    items: list[Item] = []
    effects: list[SideEffects] = []
    for host in state.hosts:
        outcome = state.last(host, Phase.CHECK)
        evidence = outcome.read() if outcome is not None else None
        if evidence is None or status_of(outcome) is not Status.OK:
            continue
        for found in sorted(evidence.items, key=lambda i: (i.kind, i.name, i.arch)):
            items.append(_item(len(items) + 1, host, found))
        new, removals = evidence.new_packages, evidence.removals
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


def _item(number: int, host: str, found: EvidenceItem) -> Item:
    fields = found.model_dump(by_alias=True, include=set(Item.model_fields) - {"number", "host"})
    return Item.model_validate({"number": number, "host": host, **fields})
