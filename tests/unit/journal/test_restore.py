"""An order to restore: who, when, which hosts; what it undoes, and what it never touches."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.documents.content import people
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.judge import judge
from orchestrator.journal.times import returned_to, step_times
from tests.unit.cycles import HOSTS, OFFICERS, Chain, evidence, item, parts_of, put_forward


def changed(**office: Any) -> Chain:
    """A cycle at the gate of step 8; web1 was updated."""
    chain = Chain(**office)
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    chain.run("backup", {"web1": {"evidence": evidence("backup", "b")}})
    done = [item().model_dump(by_alias=True) | {"result": "updated", "after": "3.0.2"}]
    chain.run("update", {"web1": {"evidence": evidence("update", "u", items=done)}})
    chain.run("test", {"web1": {"evidence": evidence("test")}})
    for host in HOSTS:
        verdict = judge(chain.state, host)
        chain.add("host.verdict", verdict.model_dump(mode="json", exclude={"host"}), host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    return chain


def order(chain: Chain, officer: str = "rina", **changes: Any) -> None:
    fields = {"decision": "restore", "hosts": ("web1",), "reason": "login", "order": None}
    fields |= {"step": 8, "officer": officer, **changes}
    text = chain.statement(**fields).canonical()
    body = {"statement": text, "signature": "x"}
    chain.add("restore.ordered", body, step=8, actor=officer)


def restored(chain: Chain, **answer: Any) -> str:
    chain.run("restore", {"web1": {"evidence": evidence("restore", "r", **answer)}})
    if answer.get("status", "ok") == "ok":
        chain.run("test", {"web1": {"evidence": evidence("test")}})
    verdict = judge(chain.state, "web1")
    chain.add("host.verdict", verdict.model_dump(mode="json", exclude={"host"}), host="web1")
    return f"{verdict.verdict}: {verdict.reason}"


def test_it_goes_back_to_the_test_and_is_judged_anew() -> None:
    chain = changed()
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.add("step.passed", step=9)
    chain.sign(10, "joko")
    order(chain)
    assert {n: s.state for n, s in chain.state.steps.items() if n > 6} == {
        7: "passed", 8: "open", **dict.fromkeys(range(9, 14), "waiting"),
    }  # fmt: skip
    assert chain.state.gate is None and chain.state.to_restore == ("web1",)
    with pytest.raises(IllegalEntry):
        chain.sign(8, "siti")
    assert restored(chain).startswith("restored: restored and tested again, by order of Contoh")
    assert chain.state.gate is not None and not chain.state.signed(8)
    assert set(chain.state.verdicts) == set(HOSTS)
    chain.sign(8, "siti")


@pytest.mark.parametrize("status", ["refused", "blocked", "failed"])
def test_what_was_not_restored_needs_a_human(status: str) -> None:
    chain = changed()
    order(chain)
    problem = {"code": "no-backup", "message": "it is gone", "hint": ""}
    words = restored(chain, status=status, problems=[problem])
    assert words.startswith("needs-human") and words.endswith("it is gone")


@pytest.mark.parametrize(
    ("officer", "changes", "words"),
    [
        ("budi", {}, "ordered by kepala"),
        ("rina", {"role": "analis"}, "another role"),
        ("mallory", {}, "unknown officer"),
        ("rina", {"hosts": ("db1",)}, "was not changed"),
        ("rina", {"hosts": ("nosuch",)}, "not in the cycle"),
        ("rina", {"hosts": ("web1", "web1")}, "hosts are wrong"),
        ("rina", {"hosts": ()}, "hosts are wrong"),
        ("rina", {"reason": " "}, "has a reason"),
        ("rina", {"cycle": "2026-10"}, "for cycle 2026-10"),
        ("rina", {"plan_id": "0" * 64}, "another plan"),
        ("rina", {"journal_head": "0" * 64}, "replay"),
        ("rina", {"decision": "sign"}, "does not say restore"),
        ("rina", {"step": 4}, "another step"),
        ("rina", {"documents": {"notulensi.pdf": "0" * 64}}, "not the document on record"),
    ],
)
def test_refused_orders(officer: str, changes: dict[str, Any], words: str) -> None:
    chain = changed()
    before = len(chain.entries)
    with pytest.raises(IllegalEntry, match=words):
        order(chain, officer, **changes)
    assert len(chain.entries) == before and not chain.state.to_restore


def test_the_office_may_allow_others() -> None:
    chain = changed(rules={"restore_by": ["jf"]})
    with pytest.raises(IllegalEntry, match="ordered by jf"):
        order(chain)
    order(chain, "joko")
    assert chain.state.restores[0].signature.officer == "joko"


def test_no_restore_without_an_order() -> None:
    chain = changed()
    with pytest.raises(IllegalEntry, match="nobody has ordered"):
        chain.run("restore", {"web1": {"evidence": evidence("restore", "r")}})


def test_not_before_the_change_is_at_its_end_and_not_twice() -> None:
    chain = Chain()
    chain.check(item())
    with pytest.raises(IllegalEntry, match="not at its end"):
        order(chain)
    chain = changed()
    order(chain)
    with pytest.raises(IllegalEntry, match="being restored already"):
        order(chain)
    restored(chain)
    with pytest.raises(IllegalEntry, match="or is back"):
        order(chain)


def own_cycle() -> Chain:
    """A cycle that restores web1 from a closed one, with its plan."""
    chain = Chain()
    source = {"cycle": "2026-10", "plan_id": "0" * 64, "manifest": "1" * 64}
    body = {**chain.entries[0].body, "source": source, "hosts": ["web1"], "cycle": "2026-11-i01"}
    chain.entries, chain._state = [], None
    chain.add("cycle.opened", {**body, "kind": "incidental"}, step=1)
    chain.run("check", {"web1": {"evidence": evidence("check")}})
    return chain


def planned(chain: Chain) -> None:
    put_forward(chain, parts_of([item()], ["web1"]))
    chain.add("step.passed", step=2)


def order_own(chain: Chain) -> None:
    """The order in a cycle of its own, whose check list is shown."""
    chain.render(3)
    fields = {"decision": "restore", "hosts": ("web1",), "reason": "login", "order": None}
    text = chain.statement(4, "rina", cycle="2026-11-i01", **fields).canonical()
    body = {"statement": text, "signature": "x"}
    chain.add("restore.ordered", body, step=4, actor="rina")


def test_a_cycle_of_its_own_is_ordered_once_and_never_updates() -> None:
    chain = own_cycle()
    planned(chain)
    with pytest.raises(IllegalEntry, match="ordered by `sop-run restore`"):
        chain.sign(3, "budi", cycle="2026-11-i01")
    order_own(chain)
    assert [chain.state.steps[n].state for n in (3, 4)] == ["passed", "passed"]
    gates = {s.number: (s.role, s.signers) for s in chain.state.procedure if s.number in (3, 4)}
    assert set(gates.values()) == {("kepala", ("kepala",))}, "the Analis confirmed nothing"
    assert {people.officer_of(chain.state, step, 8) for step in chain.state.procedure[2:4]} == {
        chain.state.office.officer("rina")
    }
    assert [s.officer for s in chain.state.signed(4)] == ["rina"], "duties stay apart at step 8"
    for phase in ("backup", "update", "antivirus"):
        with pytest.raises(IllegalEntry, match="a cycle that restores has no"):
            chain.run(phase, {"web1": {"evidence": evidence(phase, "t")}})
    assert restored(chain).startswith("restored")
    assert OFFICERS["rina"] == "kepala"


def test_the_number_of_a_report_that_is_no_more_is_free_again() -> None:
    chain = changed()
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.render(10)
    chain.add("step.passed", step=9)
    chain.sign(10, "joko")
    chain.sign(11, "rina", number="500/0007/2026", serial=7)
    assert (chain.state.number, chain.state.serial) == ("500/0007/2026", 7)
    order(chain)
    assert (chain.state.number, chain.state.serial) == ("", None)


def test_step_8_is_measured_from_the_order_that_opened_it_again() -> None:
    chain = changed()
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.clock = "2026-11-03T02:00:00.000000+00:00"  # a day later
    order(chain)
    chain.clock = "2026-11-03T02:05:00.000000+00:00"
    restored(chain)
    time = step_times(chain.state, "2026-11-03T02:10:00+00:00")[8]
    assert time.seconds == 600 and returned_to(chain.state) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("statement", value) for value in (None, 7, [], {"a": 1}, "{", "9" * 5000)),
        *(("signature", value) for value in (None, 7, [], {"a": 1})),
    ],
)
def test_an_order_of_another_shape_is_no_order(field: str, value: Any) -> None:
    chain = changed()
    text = chain.statement(8, "rina", decision="restore", hosts=("web1",), reason="x", order=None)
    body = {"statement": text.canonical(), "signature": "x", field: value}
    with pytest.raises(IllegalEntry):
        chain.add("restore.ordered", body, step=8, actor="rina")
    assert not chain.state.restores


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("phase.ended", {"seconds": 10**400}),
        ("order.drafted", {"order": {"canary": 10**400}}),
        ("order.drafted", {"order": "all"}),
        ("note.added", {"text": "x", "statement": "{}", "signature": 7}),
        ("note.added", {"text": "x", "kind": ["remark"]}),
        ("note.added", {"text": "x", "officer": {"id": "rina"}}),
    ],
)
def test_entries_of_another_shape_are_refused(kind: str, body: dict[str, Any]) -> None:
    chain = Chain()
    if kind == "phase.ended":
        chain.add("phase.started", {"phase": "check", "wave": 0, "hosts": ["web1"]})
    if kind == "order.drafted":
        chain.check(item())
        chain.sign(3, "budi")
    with pytest.raises(IllegalEntry):
        chain.add(kind, body, step=4)
