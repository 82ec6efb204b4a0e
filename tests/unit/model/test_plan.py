"""The plan's id: the bytes that officers sign; and its parts."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from orchestrator.model.canonical import sha256_hex
from orchestrator.model.evidence import NewPackage
from orchestrator.model.plan import Item, Part, Plan, PlanWriter, SideEffects, Whole
from tests.unit.cycles import item

PLAN = Whole(cycle="2026-11", revision=1, hosts=("web01",), items=())
NEW = NewPackage(name="lab-brought", version="2.5")


def text(plan: Plan) -> str:
    return "".join(plan.canonical())


def test_a_plan_without_side_effects_keeps_the_id_of_before_they_were_known() -> None:
    plan = PLAN.plan()
    assert set(json.loads(text(plan))) == {
        "schema", "cycle", "origin", "revision", "hosts", "items",
    }  # fmt: skip
    assert Whole.model_validate_json(text(plan)).plan().id == plan.id == sha256_hex(text(plan))


def test_what_comes_and_goes_is_signed_with_the_plan() -> None:
    brings = changed(side_effects=(SideEffects(host="web01", new=(NEW,)),))
    removes = changed(side_effects=(SideEffects(host="web01", removals=("lab-old",)),))
    assert len({PLAN.plan().id, brings.id, removes.id}) == 3
    assert "lab-brought" in text(brings) and "lab-old" in text(removes)


def changed(**fields: Any) -> Plan:
    return PLAN.model_copy(update=fields).plan()


def test_a_plan_is_the_same_in_one_piece_and_in_parts() -> None:
    items = (item(1, "a"), item(2, "a", name="curl"), item(3, "c"))
    effects = (SideEffects(host="b", removals=("old",)), SideEffects(host="c", new=(NEW,)))
    whole = Whole(
        cycle="2026-11", origin="0" * 64, revision=2, hosts=("a", "b", "c", "d"), items=items,
        side_effects=effects,
    )  # fmt: skip
    plan = whole.plan()
    assert tuple(plan.items) == items and len(plan.items) == 3 and plan.items[1:] == items[1:]
    assert plan.numbers == {"a": range(1, 3), "b": range(3, 3), "c": range(3, 4)}
    assert [part.side_effects for part in plan.parts][1:] == list(effects)
    assert plan.part("d") == Part(host="d")
    expected = whole.model_dump(mode="json", by_alias=True)
    assert json.loads(text(plan)) == expected and plan.id == sha256_hex(text(plan))


def test_a_copy_of_a_plan_under_way_goes_on_by_itself() -> None:
    """What the fold does when an entry is refused in the middle of a plan."""
    first = PlanWriter("2026-11", ("a", "b"))
    add(first, Part(host="a", items=(item(1, "a"),), removals=("old",)))
    second = deepcopy(first)
    for writer in (first, second):
        add(writer, Part(host="b", items=(item(2, "b"),), removals=("older",)))
    one, other = first.plan("", 1), second.plan("", 1)
    assert one == other and text(one) == text(other) and one.id == sha256_hex(text(one))


def add(writer: PlanWriter, part: Part) -> None:
    writer.add(part, lambda: part)


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ((item(1, "b"), item(2, "a")), "are not numbered from 1"),
        ((item(1, "a"), item(3, "b")), "are not numbered from 2"),
        ((item(1, "a"), item(1, "b")), "are not numbered from 2"),
        ((item(1, "other"),), "not in"),
    ],
)
def test_items_out_of_order_are_no_plan(items: tuple[Item, ...], complaint: str) -> None:
    whole = Whole(cycle="2026-11", revision=1, hosts=("a", "b"), items=items)
    with pytest.raises(ValueError, match=complaint):
        whole.plan()


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (Part(host="a", removals=("old",)), "not next in the order of hosts"),
        (Part(host="b"), "nothing is in it"),
        (Part(host="z"), "is not in the cycle"),
        (Part(host="b", items=(item(2, "a"),)), "is another host's"),
        (Part(host="b", items=(item(1, "b"),)), "are not numbered from 2"),
    ],
)
def test_a_part_out_of_place_is_refused_and_changes_nothing(part: Part, complaint: str) -> None:
    writer = PlanWriter("2026-11", ("a", "b"))
    add(writer, Part(host="a", items=(item(1, "a"),)))
    before = writer.plan("", 1).id
    with pytest.raises(ValueError, match=complaint):
        add(writer, part)
    assert writer.plan("", 1).id == before
