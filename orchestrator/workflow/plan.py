"""Puts a plan on record (SOP step 2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.journal.book import CycleBook
from orchestrator.journal.state import CycleState
from orchestrator.model.plan import Part


def record_plan(book: CycleBook, parts: Iterable[Part]) -> None:
    """Record the parts, which come in the order of hosts, and the plan that they make: as one.

    Each host has an entry of its own, so that no reader ever needs to hold the whole.
    """
    with book.together():
        for part in parts:
            book.record("plan.part", part.body(), step=2, host=part.host)
        book.record("plan.made", plan_body(book.state), step=2)


def plan_body(state: CycleState) -> dict[str, Any]:
    """What entry `plan.made` says of the parts that were recorded."""
    plan = state.planned(state.origin, state.revision)
    head = {
        "schema": "sop-run/plan/1",
        "cycle": plan.cycle,
        "origin": plan.origin,
        "revision": plan.revision,
        "hosts": list(plan.hosts),
    }
    return {"plan": head, "id": plan.id}
