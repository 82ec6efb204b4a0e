"""Filters of an incidental cycle: what is taken, what comes along, what is left out and said."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.journal.judge import judge
from orchestrator.journal.scope import out_of_scope, unread_advisories
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import EvidenceItem
from orchestrator.model.selection import Selection
from orchestrator.workflow.check import planned
from orchestrator.workflow.closure import closure_requests
from tests.unit.cycles import Chain, evidence
from tests.unit.cycles import put_forward as record


def pending(name: str, kind: str = "security", *cves: str) -> dict[str, Any]:
    versions = {"arch": "all", "from": "1", "to": "2"}
    return {"class": kind, "name": name, **versions, "advisories": list(cves)}


ITEMS = [
    pending("openssl", "security", "CVE-2026-1"),
    pending("libssl3", "security", "CVE-2026-1", "CVE-2026-2"),
    pending("nano", "system"),
    pending("clamav-db (daily)", "antivirus"),
]
NEW = [{"name": "liba", "arch": "all", "version": "5", "size": 1, "sha256": "a" * 64},
       {"name": "libb", "arch": "all", "version": "5", "size": 1, "sha256": "b" * 64}]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, {"openssl", "libssl3", "nano", "clamav-db (daily)"}),
        ({"security": True}, {"openssl", "libssl3"}),
        ({"packages": ("nano", "openssl")}, {"nano", "openssl"}),
        ({"packages": ("open",)}, set()),
        ({"cves": ("CVE-2026-2",)}, {"libssl3"}),
        ({"cves": ("CVE-2026-1", "CVE-2026-2")}, {"openssl", "libssl3"}),
        ({"security": True, "packages": ("nano", "libssl3")}, {"libssl3"}),
        ({"packages": ("openssl",), "cves": ("CVE-2026-2",)}, set()),
    ],
)
def test_every_kind_of_filter_must_be_met(filters: dict[str, Any], names: set[str]) -> None:
    selection = Selection(**filters)
    taken = {i["name"] for i in ITEMS if selection.takes(EvidenceItem.model_validate(i))}
    assert taken == names


def opened(missing: tuple[str, ...] = (), **filters: Any) -> Chain:
    chain = Chain()
    body = {**chain.entries[0].body, "kind": "incidental", "cycle": "2026-11-i01"}
    body |= {"hosts": ["web1"], "reason": "x", "selection": filters}
    chain.entries, chain._state = [], None
    chain.add("cycle.opened", body, step=1)
    read = {"asked": 1, "read": 0, "missing": list(missing), "reason": ""}
    facts = {"new_packages": NEW, "removals": ["oldlib", "other"], "advisories": read}
    chain.run("check", {"web1": {"evidence": evidence("check", items=ITEMS, facts=facts)}})
    return chain


def told(chain: Chain, **simulation: Any) -> None:
    """What the host says that the chosen items would bring."""
    facts = {"simulation": {"upgrades": [], "new": [], "removals": [], **simulation}}
    chain.run("rehearse", {"web1": {"evidence": evidence("rehearse", facts=facts)}})


def put_forward(chain: Chain) -> CycleState:
    record(chain, planned(chain.state))
    return chain.state


def row(name: str, to: str = "2") -> dict[str, str]:
    return {"name": name, "arch": "all", "from": "1", "to": to}


def test_what_the_chosen_need_enters_the_plan_and_nothing_else() -> None:
    chain = opened(packages=["openssl"])
    told(
        chain,
        upgrades=[row("openssl"), row("libssl3"), row("unheard-of")],
        new=[row("liba", "5"), row("unheard-of", "9")],
        removals=["oldlib", "unheard-of"],
    )
    state = put_forward(chain)
    assert [i.name for i in state.items_of("web1")] == ["libssl3", "openssl"]
    assert state.plan is not None
    effects = state.plan.part("web1")
    assert ([n.name for n in effects.new], effects.removals) == (["liba"], ("oldlib",))
    assert {i.name for i in out_of_scope(state, "web1")} == {"nano", "clamav-db (daily)"}


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "unreachable"},
        {"evidence": evidence("rehearse", status="refused")},
        {"evidence": evidence("rehearse", facts={"simulation": {"upgrades": [7], "new": "x"}})},
        {"evidence": evidence("rehearse", facts={"simulation": {"upgrades": 7, "removals": 7}})},
        {"kind": "failed", "reason": "facts.simulation is no object"},
    ],
)
def test_a_host_that_cannot_tell_gets_nothing_besides_the_items(answer: dict[str, Any]) -> None:
    chain = opened(packages=["openssl"])
    chain.run("rehearse", {"web1": answer})
    state = put_forward(chain)
    assert [i.name for i in state.items_of("web1")] == ["openssl"]
    assert state.plan is not None and not any(p.new or p.removals for p in state.plan.parts)


def test_hosts_are_asked_only_about_packages_and_only_when_narrowed() -> None:
    request = closure_requests(opened(security=True).state)["web1"]
    assert {i["name"] for i in request["items"]} == {"openssl", "libssl3"}
    assert request["options"]["parts"] == ["update"]
    assert closure_requests(opened(packages=["clamav-db (daily)"]).state) == {}
    assert closure_requests(opened().state) == {}


def test_nothing_that_matches_says_what_was_left_out() -> None:
    state = put_forward(opened(cves=["CVE-2026-9"]))
    verdict = judge(state, "web1")
    assert (str(verdict.verdict), verdict.reason) == (
        "nothing-to-do",
        "nothing pending matches --cve CVE-2026-9; 4 other updates are out of this cycle's scope",
    )


def test_cve_ids_that_nobody_could_read_are_no_all_clear() -> None:
    state = put_forward(opened(missing=("nano",), cves=["CVE-2026-9"]))
    assert unread_advisories(state, "web1") == ("nano",)
    verdict = judge(state, "web1")
    assert str(verdict.verdict) == "check-failed" and "nano" in verdict.reason
