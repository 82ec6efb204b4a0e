"""A dry run's journal cannot hold anything that changes a host or passes a gate."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.journal.fold import APPLY, IllegalEntry
from orchestrator.journal.fold_rehearsal import ALLOWED
from orchestrator.journal.judge import judge
from orchestrator.model.evidence import CHANGING, READING, Phase
from tests.unit.cycles import HOSTS, Chain, evidence, item


def dry(**more: Any) -> Chain:
    chain = Chain()
    body = {**chain.entries[0].body, "rehearsal": True, **more}
    chain.entries, chain._state = [], None
    chain.add("cycle.opened", body, step=1)
    return chain


def rehearsed(chain: Chain, **answers: dict[str, Any]) -> None:
    """Check, plan and rehearsal; answers by host."""
    chain.run("check", {h: {"evidence": evidence("check")} for h in HOSTS})
    chain.plan(item(1), item(2, host="web2"))
    outcomes = {h: {"evidence": evidence("rehearse", **a)} for h, a in answers.items()}
    chain.run("rehearse", outcomes)
    chain.add("step.passed", step=2)


def test_a_dry_run_ends_with_a_verdict_of_every_host() -> None:
    chain = dry()
    problem = {"code": "beyond-approval", "message": "would change libc6", "hint": ""}
    rehearsed(chain, web1={}, web2={"status": "refused", "problems": [problem]})
    with pytest.raises(IllegalEntry, match="every host of a dry run is judged"):
        chain.add("rehearsal.ended")
    for host in HOSTS:
        verdict = judge(chain.state, host)
        chain.add("host.verdict", verdict.model_dump(mode="json", exclude={"host"}), host=host)
    words = {h: str(v.verdict) for h, v in chain.state.verdicts.items()}
    assert words == {"db1": "nothing-to-do", "web1": "ready", "web2": "refused"}
    assert chain.state.verdicts["web2"].reason == "would change libc6"
    chain.add("rehearsal.ended")
    assert chain.state.closed_at
    with pytest.raises(IllegalEntry, match="has ended"):
        chain.add("note.added", {"text": "x"})


@pytest.mark.parametrize("phase", [p for p in Phase if p not in READING])
def test_no_phase_but_reading_ones(phase: Phase) -> None:
    chain = dry()
    rehearsed(chain, web1={})
    with pytest.raises(IllegalEntry, match="only reads hosts"):
        chain.run(phase, {"web1": {"evidence": evidence(phase)}})


@pytest.mark.parametrize("kind", sorted(set(APPLY) - ALLOWED))
def test_no_signature_archive_or_closing(kind: str) -> None:
    chain = dry()
    rehearsed(chain, web1={})
    with pytest.raises(IllegalEntry, match=f"a dry run has no {kind}"):
        chain.add(kind, {"statement": "", "signature": ""}, step=3, actor="budi")


def test_nothing_reads_and_changes_at_once() -> None:
    assert not READING & CHANGING
    assert {*APPLY} >= ALLOWED


def test_a_real_cycle_knows_no_ready_and_no_end_of_a_dry_run() -> None:
    chain = Chain()
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    with pytest.raises(IllegalEntry, match="no verdict 'ready'"):
        chain.add("host.verdict", {"verdict": "ready", "reason": ""}, host="web1")
    with pytest.raises(IllegalEntry, match="only a dry run ends so"):
        chain.add("rehearsal.ended")
