"""Whatever is tried, in whatever order: the SOP holds (invariants of the fold)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.journal.entry import Entry
from orchestrator.journal.fold import APPLY, IllegalEntry, fold, step_forward
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import CHANGING, Phase
from orchestrator.model.statement import Statement
from orchestrator.sop.machine import RETURNS
from orchestrator.workflow.monthly import office_body
from tests.unit.cycles import HOSTS, OFFICERS, Chain, defer, evidence, item, office
from tests.unit.journal.validity import violations

GATES = st.sampled_from([3, 4, 8, 10, 11])
WHO = st.sampled_from(list(OFFICERS))
AHEAD = st.tuples(st.just("ahead"))
SENT_BACK = st.tuples(st.just("back"))
# Most moves go the way that the SOP goes, so that late steps are reached; the others try
# everything else, mostly what is not allowed.
MOVES = st.one_of(
    AHEAD, AHEAD, AHEAD, AHEAD, AHEAD, AHEAD, SENT_BACK,
    st.tuples(st.just("check")),
    st.tuples(st.just("plan")),
    st.tuples(st.just("pass"), st.integers(0, 14)),
    st.tuples(st.just("pass"), st.integers(5, 7)),
    st.tuples(st.just("sign"), GATES, WHO),
    st.tuples(st.just("forge"), st.sampled_from(["plan_id", "journal_head", "cycle"])),
    st.tuples(st.just("again")),
    st.tuples(st.just("again")),
    st.tuples(st.just("return"), GATES, WHO),
    st.tuples(st.just("phase"), st.sampled_from(list(Phase)), st.sampled_from([*HOSTS, "nosuch"])),
    st.tuples(st.just("verdict"), st.sampled_from([*HOSTS, "nosuch"])),
    st.tuples(st.just("archive")),
    st.tuples(st.just("close")),
    st.tuples(st.just("malformed"), st.sampled_from([*APPLY, "cycle.opened", "nosuch"])),
)  # fmt: skip
OFFICE_MOVES = st.one_of(
    MOVES,
    MOVES,
    st.tuples(st.just("office"), st.booleans(), st.sampled_from([None, 4, 8, 10])),
)


def tried(chain: Chain, move: tuple[Any, ...]) -> None:
    """Try a move; one that is refused must leave no trace in the state."""
    kind, *rest = move
    for attempt in ATTEMPTS[kind](chain, *rest):
        before, count = copy.deepcopy(chain.state), len(chain.entries)
        try:
            attempt()
        except IllegalEntry:
            if len(chain.entries) == count:
                assert chain.state == before, f"a refused {move} has changed the state"
            return


def ahead(chain: Chain) -> Iterator[Any]:
    """The next thing that the SOP asks for."""
    state = chain.state
    if (at := holder(chain)) is not None:
        chosen = defer(2) if at[0] == 3 else ()
        yield lambda: chain.sign(*at, decisions=chosen)
        return
    step = next((n for n, s in state.steps.items() if s.state == "open"), 13)
    if step == 2:
        yield lambda: chain.run("check", {h: {"evidence": evidence("check")} for h in HOSTS})
        yield lambda: chain.plan(item(1), item(2, host="web2"))
    elif step in (5, 6, 7, 8):
        host = next((h for h in HOSTS if h not in state.verdicts), "")
        for phase in ("backup", "update", "test") if host else ():
            yield lambda phase=phase: chain.run(phase, {host: {"evidence": evidence(phase)}})
        if host:
            yield lambda: verdict(chain, host)
            return
        step = next((n for n in (6, 7) if state.steps[n].state == "open"), 5)
    elif step == 12:
        yield lambda: archive(chain)
    if step == 13:
        yield lambda: chain.add("cycle.closed", step=13)
    else:
        yield lambda: chain.add("step.passed", step=step)


def back(chain: Chain) -> Iterator[Any]:
    """Whoever holds the open gate sends it back."""
    gate = chain.state.gate
    if gate is not None:
        officer = chain.state.office.with_role(gate.signers[0])[0].id
        yield lambda: chain.sign(gate.number, officer, decision="return", reason="x", order=None)


def holder(chain: Chain) -> tuple[int, str] | None:
    """The open gate and the officer who is to sign it next."""
    state = chain.state
    if state.gate is None:
        return None
    signed = {s.role for s in state.signed(state.gate.number)}
    role = next(r for r in state.gate.signers if r not in signed)
    return state.gate.number, state.office.with_role(role)[0].id


def forge(chain: Chain, field: str) -> Iterator[Any]:
    """The right officer at the open gate, but for another plan, journal or cycle."""
    if (at := holder(chain)) is not None:
        yield lambda: chain.sign(*at, **{field: "0" * 64})


def again(chain: Chain) -> Iterator[Any]:
    """Who signed last signs the open gate, too."""
    if chain.state.gate is not None and chain.state.signatures:
        gate, last = chain.state.gate.number, chain.state.signatures[-1].officer
        yield lambda: chain.sign(gate, last)


def verdict(chain: Chain, host: str) -> None:
    chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)


def archive(chain: Chain) -> None:
    chain.add("archive.made", {"path": "p", "manifest_sha256": "a" * 64}, step=12)


def changed(chain: Chain, separated: bool, step: int | None) -> None:
    """office.yml with or without separation of duties, and with a gate given to the Pengelola."""
    partner: dict[str, Any] = {"partner": "kepala"} if step == 8 else {}
    steps = {step: {"role": "pengelola", **partner}} if step else {}
    other = office(rules={"separation_of_duties": separated}, steps=steps)
    chain.add("office.changed", office_body(other))


ATTEMPTS: dict[str, Any] = {
    "ahead": ahead,
    "back": back,
    "check": lambda c: [
        lambda: c.run("check", {h: {"evidence": evidence("check")} for h in HOSTS})
    ],
    "plan": lambda c: [lambda: c.plan(item(1), item(2, host="web2"))],
    "pass": lambda c, step: [lambda: c.add("step.passed", step=step)],
    "sign": lambda c, step, who: [lambda: c.sign(step, who)],
    "forge": forge,
    "again": again,
    "return": lambda c, step, who: [
        lambda: c.sign(step, who, decision="return", reason="again", order=None)
    ],
    "phase": lambda c, phase, host: [
        lambda: c.run(str(phase), {host: {"evidence": evidence(str(phase))}})
    ],
    "verdict": lambda c, host: [lambda: verdict(c, host)],
    "archive": lambda c: [lambda: archive(c)],
    "close": lambda c: [lambda: c.add("cycle.closed", step=13)],
    "office": lambda c, separated, step: [lambda: changed(c, separated, step)],
    "malformed": lambda c, kind: [
        lambda: c.add(kind, {"phase": "update", "hosts": list(HOSTS), "relaxed": [{}],
                             "office": office().model_dump(mode="json"), "seconds": "x",
                             "manifest_sha256": "a"}, step=4, host="web1")
    ],
}  # fmt: skip


class Watch:
    """What may be said of the way of a cycle, entry by entry, told from the entries alone."""

    def __init__(self) -> None:
        self.plan_id = ""
        self.signed: dict[int, str] = {}  # gate → plan id that its last signature covers
        self.passed: set[int] = set()

    def see(self, entry: Entry, before: CycleState | None, state: CycleState) -> None:
        if entry.kind in ("step.passed", "gate.signed", "gate.returned"):
            assert before is not None and entry.step is not None
            assert before.steps[entry.step].state == "open", f"step {entry.step} passed twice"
        if entry.kind == "plan.made":
            self.plan_id, self.signed = entry.body["id"], {}
        if entry.kind == "gate.signed":
            statement = Statement.model_validate_json(entry.body["statement"])
            self.signed[statement.step] = statement.plan_id
        if entry.kind == "gate.returned":
            assert before is not None and entry.step is not None
            target = RETURNS[entry.step]
            assert state.steps[target].state == "open", "what was sent back is open again"
            assert all(state.steps[n].state == "waiting" for n in range(target + 1, 14))
            for n in range(1, target):
                assert state.steps[n] == before.steps[n], "a return changes nothing before its goal"
            assert (state.plan is None) == (target == 2)
            assert state.verdicts == ({} if target == 2 else before.verdicts)
            self.signed = {s: p for s, p in self.signed.items() if s < target}
            self.passed = {s for s in self.passed if s < target}
        if entry.kind == "phase.started" and Phase(entry.body["phase"]) in CHANGING:
            assert self.plan_id, "a host is changed without a plan"
            assert self.signed.get(3) == self.signed.get(4) == self.plan_id
            assert {3, 4} <= self.passed
        for step, stand in state.steps.items():
            was = before.steps[step].state if before and entry.kind != "gate.returned" else ""
            if stand.state == "passed" and was != "passed" and step not in self.passed:
                self.passed.add(step)
            elif stand.state == "passed" and was not in ("passed", ""):
                raise AssertionError(f"step {step} passed twice")
        assert {n for n, s in state.steps.items() if s.state == "passed"} == self.passed


def watched(entries: list[Entry], *, office_fixed: bool) -> CycleState:
    """Fold every prefix, and look at each."""
    watch, state = Watch(), None
    for entry in entries:
        before = copy.deepcopy(state)
        state = step_forward(state, entry)
        watch.see(entry, before, state)
        assert violations(state, office_fixed=office_fixed) == []
    assert state is not None
    return state


# Offices that give several gates to one role, with and without separation of duties.
OFFICES: list[dict[str, Any]] = [
    {},
    {"steps": {4: {"role": "pengelola"}}},
    {"steps": {10: {"role": "pengelola"}}},
    {"steps": {11: {"role": "jf"}}},
    {"steps": {8: {"partner": "kepala"}, 11: {"role": "pengelola"}}},
    {"rules": {"separation_of_duties": False}, "steps": {10: {"role": "kepala"}}},
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(OFFICES), st.integers(0, 15), st.lists(MOVES, max_size=30))
def test_the_sop_holds_whatever_is_tried(
    own: dict[str, Any], start: int, moves: list[tuple[Any, ...]]
) -> None:
    chain = Chain(**own)
    for move in [("ahead",)] * start + moves:
        tried(chain, move)
    state = watched(chain.entries, office_fixed=True)
    assert state == chain.state == fold(chain.entries), "the state is a function of the entries"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 15), st.lists(OFFICE_MOVES, max_size=30))
def test_the_sop_holds_while_the_office_changes(start: int, moves: list[tuple[Any, ...]]) -> None:
    chain = Chain()
    for move in [("ahead",)] * start + moves:
        tried(chain, move)
    state = watched(chain.entries, office_fixed=False)
    off = any(
        not e.body["office"]["rules"]["separation_of_duties"]
        for e in chain.entries
        if "office" in e.body
    )
    assert any(r.code == "duties" for r in state.relaxed) == off, "what was relaxed stays known"


@settings(max_examples=60, deadline=None)
@given(st.lists(SENT_BACK | AHEAD, max_size=80))
def test_returns_alone_never_lead_astray(moves: list[tuple[Any, ...]]) -> None:
    chain = Chain()
    for move in moves:
        tried(chain, move)
    state = watched(chain.entries, office_fixed=True)
    assert {(r.step, r.to) for r in state.returns} <= set(RETURNS.items())


def test_the_way_ahead_leads_to_the_end() -> None:
    """Else the properties above would say little of the late steps."""
    chain = Chain()
    for _ in range(16):
        tried(chain, ("ahead",))
    assert chain.state.closed_at
    assert watched(chain.entries, office_fixed=True).revision == 1


@pytest.mark.parametrize(("gate", "target"), RETURNS.items())
def test_each_return_goes_where_the_sop_says(gate: int, target: int) -> None:
    chain = Chain()
    while chain.state.gate is None or chain.state.gate.number != gate:
        tried(chain, ("ahead",))
    tried(chain, ("back",))
    assert [(r.step, r.to) for r in chain.state.returns] == [(gate, target)]
    assert chain.state.steps[target].state == "open"
    while not chain.state.closed_at:
        tried(chain, ("ahead",))
    assert watched(chain.entries, office_fixed=True).revision == (2 if target == 2 else 1)
