"""The fold allows what the SOP allows, and nothing else."""

from __future__ import annotations

import json

import pytest

from orchestrator.journal.fold import IllegalEntry, fold
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.plan import plan_body
from tests.unit.cycles import HOSTS, Chain, defer, evidence, item, parts_of


def ordered() -> Chain:
    chain = Chain()
    chain.check(item(1), item(2, host="web2"))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    return chain


def done(chain: Chain) -> None:
    """Steps 5 to 7, with a verdict for every host."""
    for host in HOSTS:
        chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)


def test_a_whole_cycle_passes_every_step_once() -> None:
    chain = ordered()
    chain.run("backup", {"web1": {"evidence": evidence("backup", "t1")}})
    done(chain)
    assert chain.state.gate is not None and chain.state.gate.number == 8
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.add("step.passed", step=9)
    chain.sign(10, "joko")
    chain.sign(11, "rina")
    chain.add("archive.made", {"path": "archive/x", "manifest_sha256": "a" * 64}, step=12)
    chain.add("step.passed", step=12)
    chain.add("cycle.closed", step=13)
    assert [s.state for s in chain.state.steps.values()] == ["passed"] * 13
    assert fold(chain.entries).head == chain.entries[-1].hash


@pytest.mark.parametrize("phase", ["backup", "update", "antivirus", "restore", "test"])
def test_no_change_before_the_order(phase: str) -> None:
    chain = Chain()
    chain.check(item())
    with pytest.raises(IllegalEntry, match="before steps 3 and 4 are signed"):
        chain.run(phase, {"web1": {"evidence": evidence(phase)}})
    chain.sign(3, "budi")
    with pytest.raises(IllegalEntry, match="before steps 3 and 4 are signed"):
        chain.run(phase, {"web1": {"evidence": evidence(phase)}})


@pytest.mark.parametrize(
    ("officer", "changes", "words"),
    [
        ("rina", {}, "signed by analis"),
        ("budi", {"cycle": "2026-10"}, "for cycle 2026-10"),
        ("budi", {"step": 4}, "open gate is step 3"),
        ("budi", {"plan_id": "0" * 64}, "another plan"),
        ("budi", {"journal_head": "0" * 64}, "replay"),
        ("budi", {"role": "kepala"}, "another role"),
        ("mallory", {}, "unknown officer"),
        ("budi", {"decisions": defer(99)}, "no such item"),
        ("budi", {"documents": {"laporan.xlsx": "0" * 64}}, "not the document on record"),
    ],
)
def test_refused_signatures(officer: str, changes: dict[str, object], words: str) -> None:
    chain = Chain()
    chain.check(item())
    before = len(chain.entries)
    text = chain.statement(**{"step": 3, "officer": officer, **changes}).canonical()
    with pytest.raises(IllegalEntry, match=words):
        chain.add("gate.signed", {"statement": text, "signature": "x"}, step=3, actor=officer)
    assert len(chain.entries) == before
    assert chain.state.steps[3].state == "open" and not chain.state.signatures


def test_deferred_items_are_not_approved() -> None:
    chain = Chain()
    chain.check(item(1), item(2, host="web2"))
    chain.sign(3, "budi", decisions=defer(2))
    assert [i.number for i in chain.state.approved("web1")] == [1]
    assert chain.state.in_scope == ("web1",) and not chain.state.approved("web2")


def test_the_same_items_in_another_journal_are_another_plan() -> None:
    """Else a host would take the new cycle's work for the old one's, and answer its old receipt."""
    first, second = Chain(), Chain(rules={"wave": 7})
    for chain in (first, second):
        chain.check(item())
    plans = [chain.state.plan for chain in (first, second)]
    assert plans[0] is not None and plans[1] is not None
    assert tuple(plans[0].items) == tuple(plans[1].items) and plans[0].id != plans[1].id
    for kind in ("in parts", "in one piece"):
        third = Chain(rules={"wave": 8})
        entries = [e for e in first.entries if e.kind.startswith("plan.")]
        body = entries.pop().body
        if kind == "in one piece":
            body = {**body, "plan": json.loads("".join(plans[0].canonical()))}
            entries.clear()
        for part in entries:
            third.add("plan.part", part.body, step=2, host=part.host)
        with pytest.raises(IllegalEntry, match="another cycle's plan"):
            third.add("plan.made", body, step=2)


def test_nothing_stands_between_the_parts_of_a_plan() -> None:
    chain = Chain()
    chain.run("check", {h: {"evidence": evidence("check")} for h in HOSTS})
    first, second = parts_of([item(1, "db1"), item(2)], HOSTS)
    chain.add("plan.part", first.body(), step=2, host="db1")
    with pytest.raises(IllegalEntry, match="a plan and its parts follow one another"):
        chain.add("note.added", {"text": "x"}, step=2)
    with pytest.raises(IllegalEntry, match="removals"):
        chain.add("plan.part", {"items": [], "new": []}, step=2, host="web1")
    chain.add("plan.part", second.body(), step=2, host="web1")
    chain.add("plan.made", plan_body(chain.state), step=2)
    assert [i.host for i in chain.state.plan.items] == ["db1", "web1"]  # type: ignore[union-attr]
    with pytest.raises(IllegalEntry, match="a plan is made in step 2"):
        chain.add("plan.part", first.body(), step=2, host="db1")


def test_step_3_sent_back_makes_a_new_plan_necessary() -> None:
    chain = Chain()
    chain.check(item())
    old = chain.state.plan
    chain.sign(3, "budi", decision="return", reason="db1 is missing")
    assert chain.state.steps[2].state == "open" and chain.state.plan is None
    assert chain.state.revision == 2 and not chain.state.outcomes
    chain.check(item())
    assert old is not None and chain.state.plan is not None and chain.state.plan.id != old.id


def test_report_sent_back_to_the_draft_keeps_what_happened_on_hosts() -> None:
    chain = ordered()
    done(chain)
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.add("step.passed", step=9)
    chain.sign(10, "joko", decision="return", reason="part C")
    assert chain.state.steps[9].state == "open"
    assert {s.step for s in chain.state.signatures} == {3, 4, 8}
    assert set(chain.state.verdicts) == set(HOSTS)


def test_step_8_needs_two_persons_and_finished_tests() -> None:
    chain = ordered()
    with pytest.raises(IllegalEntry, match="no gate is open"):
        chain.sign(8, "siti")
    done(chain)
    chain.sign(8, "siti")
    assert chain.state.steps[8].state == "open"
    with pytest.raises(IllegalEntry, match="signed step 8 already"):
        chain.sign(8, "siti")
    chain.sign(8, "budi")
    assert chain.state.steps[8].state == "passed"


def test_who_orders_does_not_test() -> None:
    chain = Chain(steps={4: {"role": "pengelola"}})
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "siti")
    done(chain)
    with pytest.raises(IllegalEntry, match="separation of duties: who orders"):
        chain.sign(8, "siti")


def test_relaxed_separation_is_allowed_where_the_office_says_so() -> None:
    chain = Chain(steps={4: {"role": "pengelola"}}, rules={"separation_of_duties": False})
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "siti")
    done(chain)
    chain.sign(8, "siti")
    assert chain.state.signed(8)


def test_a_host_gets_one_verdict() -> None:
    chain = ordered()
    chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host="web1")
    with pytest.raises(IllegalEntry, match="already"):
        chain.add("host.verdict", {"verdict": "lost", "reason": ""}, host="web1")
    assert chain.state.verdicts["web1"].verdict is Verdict.UPDATED


def test_steps_6_and_7_wait_for_a_verdict_of_every_host() -> None:
    chain = ordered()
    chain.add("step.passed", step=6)
    with pytest.raises(IllegalEntry, match="every host has a verdict"):
        chain.add("step.passed", step=7)


def test_outcomes_need_their_phase() -> None:
    chain = Chain()
    with pytest.raises(IllegalEntry, match="no such phase"):
        chain.add("host.outcome", {"phase": "check", "kind": "unreachable"}, host="web1")
    chain.add("phase.started", {"phase": "check", "wave": 0, "hosts": ["web1"]})
    with pytest.raises(IllegalEntry, match="no such phase"):
        chain.add("host.outcome", {"phase": "check", "kind": "unreachable"}, host="web2")


def test_gates_do_not_pass_without_signature() -> None:
    chain = Chain()
    chain.check(item())
    with pytest.raises(IllegalEntry, match="by signature only"):
        chain.add("step.passed", step=3)


def test_unknown_kind_of_entry_is_refused() -> None:
    with pytest.raises(IllegalEntry):
        Chain().add("host.blessed", {})


@pytest.mark.parametrize("decision", ["sign", "return"])
def test_a_statement_names_what_its_signer_was_shown(decision: str) -> None:
    chain = Chain()
    chain.check(item())
    kind = "gate.signed" if decision == "sign" else "gate.returned"
    changes = {"decision": decision, "reason": "again" if decision == "return" else ""}
    text = chain.statement(3, "budi", documents={}, **changes).canonical()
    with pytest.raises(IllegalEntry, match=r"does not name laporan-hasil-pengecekan\.xlsx"):
        chain.add(kind, {"statement": text, "signature": "x"}, step=3, actor="budi")


def test_nobody_signs_for_a_document_of_an_earlier_revision() -> None:
    """Else an order could be signed with the order sheet of a plan that was sent back."""
    chain = ordered_but_for_step_4()
    shown = chain.shown(4)
    chain.sign(4, "rina", decision="return", reason="another window")
    assert not chain.state.documents and len(chain.state.rendered) == 2
    chain.check(item())
    chain.sign(3, "budi")
    text = chain.statement(4, "rina", documents=shown).canonical()
    with pytest.raises(IllegalEntry, match=r"disposisi\.pdf is not the document on record"):
        chain.add("gate.signed", {"statement": text, "signature": "x"}, step=4, actor="rina")


def ordered_but_for_step_4() -> Chain:
    chain = Chain()
    chain.check(item())
    chain.sign(3, "budi")
    chain.render(4)
    return chain


def test_what_a_gate_demands_is_what_sign_shows() -> None:
    from orchestrator.sop.shown import ARCHIVED, DEMANDED
    from orchestrator.workflow.monthly import SHOWN

    for gate, names in DEMANDED.items():
        # Step 11 stands on the draft that step 10 was shown.
        assert set(names) <= {str(n) for g in SHOWN if g <= gate for n in SHOWN[g]}
    assert {name for names in DEMANDED.values() for name in names} <= ARCHIVED


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "", ".hidden", "a\nb", "x" * 200])
def test_a_documents_name_is_a_plain_file_name(name: str) -> None:
    chain = Chain()
    with pytest.raises(IllegalEntry, match="no plain file name"):
        chain.add("document.rendered", {"name": name, "sha256": "0" * 64, "size": 1}, step=2)


@pytest.mark.parametrize("path", ["/archive", "../archive", "archive/../../x"])
def test_an_archive_lies_in_the_home_folder(path: str) -> None:
    chain = ordered()
    done(chain)
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.add("step.passed", step=9)
    chain.sign(10, "joko")
    chain.sign(11, "rina")
    with pytest.raises(IllegalEntry, match="lies in the home folder"):
        chain.add("archive.made", {"path": path, "manifest_sha256": "a" * 64}, step=12)


@pytest.mark.parametrize("step", [0, 1, 13, 14])
def test_the_ends_of_the_procedure_pass_by_no_entry_of_their_own(step: int) -> None:
    """Step 1 passes as the cycle opens, step 13 as it closes."""
    chain = Chain()
    with pytest.raises(IllegalEntry, match="passes otherwise"):
        chain.add("step.passed", step=step)
