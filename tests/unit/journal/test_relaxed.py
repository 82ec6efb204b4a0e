"""A relaxed rule stays in the record: from when, until when, whoever would leave it out."""

from __future__ import annotations

from typing import Any

from orchestrator.model.plan import Order
from orchestrator.workflow.monthly import office_body
from tests.unit.cycles import Chain, item, office
from tests.unit.journal.test_restore import changed

OFF: dict[str, Any] = {"rules": {"separation_of_duties": False}}


def codes(chain: Chain) -> list[tuple[str, bool]]:
    return [(r.code, bool(r.until)) for r in chain.state.relaxed]


def test_nothing_is_relaxed_by_default() -> None:
    assert codes(Chain()) == []


def test_a_rule_that_was_relaxed_for_a_while_stays_known() -> None:
    chain = Chain(**OFF)
    assert codes(chain) == [("duties", False)]
    chain.add("office.changed", office_body(office()))
    assert codes(chain) == [("duties", True)]
    assert chain.state.relaxed[0].since == chain.entries[0].at
    assert chain.state.relaxed[0].until == chain.entries[1].at
    chain.add("office.changed", office_body(office(**OFF)))
    assert codes(chain) == [("duties", True), ("duties", False)]


def test_the_entry_says_it_in_words() -> None:
    body = office_body(office(**OFF))
    assert [r["code"] for r in body["relaxed"]] == ["duties"]
    assert "separation of duties is off" in body["relaxed"][0]["words"]
    assert office_body(office())["relaxed"] == []


def test_an_entry_that_keeps_silent_about_it_changes_nothing() -> None:
    chain = Chain()
    chain.add("office.changed", {**office_body(office(**OFF)), "relaxed": []})
    assert codes(chain) == [("duties", False)]


def test_what_a_later_version_knows_is_kept_in_its_words() -> None:
    chain = Chain()
    told = [{"code": "from-2031", "words": "a rule of {later}", "facts": {}}]
    chain.add("office.changed", {**office_body(office()), "relaxed": told})
    assert [(r.code, r.words) for r in chain.state.relaxed] == [("from-2031", "a rule of {later}")]


def test_the_order_counts_once_it_is_signed() -> None:
    chain = Chain(rules={"canary": 0})
    chain.check(item())
    chain.sign(3, "budi")
    assert codes(chain) == [("canary", False)]
    chain.sign(4, "rina", order=Order(canary=1, abort_limit="unlimited"))
    assert codes(chain) == [("canary", True), ("abort-limit", False)]


def test_one_pair_of_duties_may_be_relaxed_alone() -> None:
    changes: dict[str, Any] = {"steps": {4: {"role": "pengelola"}}}
    chain = Chain(rules={"relaxed_duties": ["order-test"]}, **changes)
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "siti")
    for host in chain.hosts:
        chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    chain.sign(8, "siti")
    assert {c for c, _ in codes(chain)} == {"duty-order-test", "gate-shared"}


def test_half_a_gate_that_is_others_now_is_signed_anew() -> None:
    chain = changed()
    chain.sign(8, "siti")
    others = office(steps={8: {"role": "jf"}})
    chain.add("office.changed", office_body(others))
    assert chain.state.signed(8) == () and [s.step for s in chain.state.signatures] == [3, 4]
    chain.sign(8, "joko")
    chain.add("office.changed", office_body(others))
    assert len(chain.state.signed(8)) == 1, "the gate is the same persons' as before"
    chain.sign(8, "budi")
    assert chain.state.steps[8].state == "passed"


def test_a_gate_that_passed_stays_whose_it_was() -> None:
    """Otherwise the work that it orders could not be done, and the report would name others."""
    chain = Chain()
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    chain.add("office.changed", office_body(office(steps={3: {"role": "jf"}, 11: {"role": "jf"}})))
    signers = {s.number: s.signers for s in chain.state.procedure if s.is_gate}
    assert signers[3] == ("analis",) and signers[4] == ("kepala",) and signers[11] == ("jf",)
    assert [s.officer for s in chain.state.signatures] == ["budi", "rina"]
