"""Step 2: check every host, then put the plan and the check list forward."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.documents.names import DocumentName
from orchestrator.journal.scope import checked, unread_advisories
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, EvidenceItem, NewPackage, Phase
from orchestrator.model.plan import Item, Part
from orchestrator.workflow.closure import closure_requests, needed
from orchestrator.workflow.plan import record_plan
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
    record_plan(run.book, planned(run.state))
    for host in run.state.hosts:
        if unread := unread_advisories(run.state, host):
            words = f"{host}: the CVE ids of {len(unread)} packages could not be read, so nobody "
            words += f"knows whether they match --cve: {', '.join(unread[:20])}"
            run.book.record("note.added", {"text": words}, step=2)
            run.progress.say(words)


def planned(state: CycleState) -> Iterator[Part]:
    """The plan host by host: the items in scope that its evidence names, by class and name."""
    number = 1
    for host in state.hosts:
        evidence = checked(state, host)
        if evidence is None:
            continue
        chosen, new, removals = _in_scope(state, host, evidence)
        found = sorted(chosen, key=lambda i: (i.kind, i.name, i.arch))
        items = tuple(_item(n, host, one) for n, one in enumerate(found, number))
        number += len(items)
        if items or new or removals:
            yield Part(host=host, items=items, new=new, removals=removals)


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
