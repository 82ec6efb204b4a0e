"""Whatever is tried, in whatever order: the SOP holds (invariants of the fold)."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.journal.fold import IllegalEntry, step_forward
from orchestrator.model.evidence import CHANGING, Phase
from orchestrator.model.statement import Statement
from tests.unit.cycles import HOSTS, OFFICERS, Chain, defer, evidence, item

MOVES = st.one_of(
    st.tuples(st.just("check")),
    st.tuples(st.just("plan")),
    st.tuples(st.just("pass"), st.integers(1, 13)),
    st.tuples(st.just("sign"), st.sampled_from([3, 4, 8, 10, 11]), st.sampled_from(list(OFFICERS))),
    st.tuples(
        st.just("return"), st.sampled_from([3, 4, 8, 10, 11]), st.sampled_from(list(OFFICERS))
    ),
    st.tuples(st.just("phase"), st.sampled_from(list(Phase)), st.sampled_from(HOSTS)),
    st.tuples(st.just("verdict"), st.sampled_from(HOSTS)),
    st.tuples(st.just("archive")),
    st.tuples(st.just("close")),
)
# Enough of the way ahead that later steps are reached often.
PREFIX: list[tuple[object, ...]] = [
    ("check",),
    ("plan",),
    ("pass", 2),
    ("sign", 3, "budi"),
    ("sign", 4, "rina"),
    ("phase", Phase.BACKUP, "web1"),
    ("phase", Phase.UPDATE, "web1"),
    *[("verdict", h) for h in HOSTS],
    ("pass", 6),
    ("pass", 7),
    ("pass", 5),
    ("sign", 8, "siti"),
    ("sign", 8, "budi"),
    ("pass", 9),
    ("sign", 10, "joko"),
    ("sign", 11, "rina"),
    ("archive",),
    ("pass", 12),
    ("close",),
]


def _try(chain: Chain, move: tuple[object, ...]) -> None:
    kind, *rest = move
    with contextlib.suppress(IllegalEntry):
        if kind == "check":
            chain.run("check", {h: {"evidence": evidence("check")} for h in HOSTS})
        elif kind == "plan":
            chain.plan(item(1), item(2, host="web2"))
        elif kind == "pass":
            chain.add("step.passed", step=int(str(rest[0])))
        elif kind == "sign":
            decisions = defer(2) if rest[0] == 3 else ()
            chain.sign(int(str(rest[0])), str(rest[1]), decisions=decisions)
        elif kind == "return":
            chain.sign(int(str(rest[0])), str(rest[1]), decision="return", reason="again")
        elif kind == "phase":
            phase = str(rest[0])
            chain.run(phase, {str(rest[1]): {"evidence": evidence(phase)}})
        elif kind == "verdict":
            chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=str(rest[0]))
        elif kind == "archive":
            body = {"path": "p", "manifest_sha256": "a" * 64}
            chain.add("archive.made", body, step=12)
        else:
            chain.add("cycle.closed", step=13)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(PREFIX)), st.lists(MOVES, max_size=25))
def test_no_sequence_reaches_a_change_without_signatures(
    start: int, moves: list[tuple[object, ...]]
) -> None:
    chain = Chain()
    for move in [*PREFIX[:start], *moves]:
        _try(chain, move)

    plan_id, signed, passed = "", dict[int, str](), set[int]()
    state = None
    for entry in chain.entries:
        before = {n: s.state for n, s in state.steps.items()} if state else {}
        state = step_forward(state, entry)  # every prefix folds to a valid state
        if entry.kind == "plan.made":
            plan_id, signed = entry.body["id"], {}
        if entry.kind == "gate.signed":
            statement = Statement.model_validate_json(entry.body["statement"])
            signed[statement.step] = statement.plan_id
        if entry.kind == "gate.returned":
            target = state.returns[-1].to
            signed = {s: p for s, p in signed.items() if s < target}
            passed = {s for s in passed if s < target}
        if entry.kind == "phase.started" and Phase(entry.body["phase"]) in CHANGING:
            assert plan_id and signed.get(3) == plan_id and signed.get(4) == plan_id
        for step, stand in state.steps.items():
            if stand.state == "passed" and before.get(step) != "passed":
                assert step not in passed, f"step {step} passed twice"
                passed.add(step)
        assert all(
            state.steps[n].state == "passed"
            for n in range(1, 9)
            if state.steps[9].state == "passed"
        )
