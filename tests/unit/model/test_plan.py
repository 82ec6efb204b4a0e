"""The plan's id: the bytes that officers sign."""

from __future__ import annotations

import json

from orchestrator.model.evidence import NewPackage
from orchestrator.model.plan import Plan, SideEffects

PLAN = Plan(cycle="2026-11", revision=1, hosts=("web01",), items=())


def test_a_plan_without_side_effects_keeps_the_id_of_before_they_were_known() -> None:
    assert set(json.loads(PLAN.canonical())) == {
        "schema", "cycle", "origin", "revision", "hosts", "items",
    }  # fmt: skip
    read_again = Plan.model_validate(PLAN.model_dump(mode="json", by_alias=True))
    assert read_again.id == PLAN.id


def test_what_comes_and_goes_is_signed_with_the_plan() -> None:
    new = NewPackage(name="lab-brought", version="2.5")
    brings = PLAN.model_copy(update={"side_effects": (SideEffects(host="web01", new=(new,)),)})
    removes = PLAN.model_copy(
        update={"side_effects": (SideEffects(host="web01", removals=("lab-old",)),)}
    )
    assert len({PLAN.id, brings.id, removes.id}) == 3
    assert "lab-brought" in brings.canonical() and "lab-old" in removes.canonical()
