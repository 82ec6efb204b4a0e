"""Waves: the canary first, every host once, and no new wave beyond the abort limit (step 4)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.journal.judge import judge
from orchestrator.model.amount import borne_failures, canary_size, wave_size
from orchestrator.model.plan import Order
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.change import too_many_failed, waves
from tests.unit.cycles import Chain, evidence, item

HOSTS = tuple(f"host{n:02d}" for n in range(40))
AMOUNTS = st.one_of(st.integers(1, 45), st.integers(1, 100).map("{}%".format))
NONE = {"kind": "unreachable", "reason": "no route to host", "evidence": None}
FAILED = {"status": "failed", "problems": [{"code": "x", "message": "broken", "hint": ""}]}


def ordered(hosts: tuple[str, ...], order: Order, *, without: int = 0) -> Chain:
    """A cycle that was ordered; the last `without` hosts have nothing to update."""
    chain = Chain(hosts=hosts)
    chain.check(*[item(n, host=h) for n, h in enumerate(hosts[: len(hosts) - without], 1)])
    chain.sign(3, "budi")
    chain.sign(4, "rina", order=order)
    return chain


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, len(HOSTS)),
    st.one_of(st.just(0), AMOUNTS),
    AMOUNTS,
    st.integers(0, 5),
)
def test_every_host_in_scope_stands_in_one_wave(
    count: int, canary: int | str, wave: int | str, without: int
) -> None:
    without = min(without, count - 1)
    order = Order(canary=canary, wave=wave)
    state = ordered(HOSTS[:count], order, without=without).state
    scope = count - without
    found = waves(state)
    assert [h for _, hosts in found for h in hosts] == list(HOSTS[:scope])
    numbers = [n for n, _ in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(found)))
    first = canary_size(canary, scope)
    assert (numbers[0] == 0) == (first > 0), "wave 0 is the canary"
    if first:
        assert len(found[0][1]) == min(first, scope)
    assert all(len(hosts) <= wave_size(wave, scope) for n, hosts in found if n > 0)


def work(chain: Chain, host: str, end: str) -> None:
    """Carry a host through its phases to the end that is named."""
    if end in ("unreachable", "refused", "blocked"):
        answer = NONE if end == "unreachable" else {"evidence": evidence("backup", status=end)}
        chain.run("backup", {host: answer})
        return
    chain.run("backup", {host: {"evidence": evidence("backup")}})
    found = {"class": "security", "name": "openssl", "arch": "amd64", "result": "updated"}
    if end == "lost":
        chain.run("update", {host: NONE})
    elif end == "superseded":
        chain.run("update", {host: {"evidence": evidence("update", status="superseded")}})
    else:
        chain.run("update", {host: {"evidence": evidence("update", items=[found])}})
        bad = end in ("rolled-back", "needs-human")
        chain.run("test", {host: {"evidence": evidence("test", **(FAILED if bad else {}))}})
        if bad:
            status = "ok" if end == "rolled-back" else "failed"
            chain.run("restore", {host: {"evidence": evidence("restore", status=status)}})
            chain.run("test", {host: {"evidence": evidence("test")}})


COUNTED = ("unreachable", "refused", "blocked", "lost", "rolled-back", "needs-human")


@pytest.mark.parametrize("end", COUNTED)
def test_failed_and_unreachable_hosts_count(end: str) -> None:
    chain = ordered(HOSTS[:4], Order(abort_limit=1))
    work(chain, HOSTS[0], end)
    assert judge(chain.state, HOSTS[0]).verdict == end
    assert not too_many_failed(chain.state), "one failure is borne"
    work(chain, HOSTS[1], end)
    assert too_many_failed(chain.state)


@pytest.mark.parametrize("end", ["updated", "superseded"])
def test_hosts_that_run_as_before_do_not_count(end: str) -> None:
    chain = ordered(HOSTS[:4], Order(abort_limit=0))
    for host in HOSTS[:3]:
        work(chain, host, end)
        assert judge(chain.state, host).verdict == end
    assert not too_many_failed(chain.state)


def test_hosts_that_were_not_reached_by_their_wave_are_not_started() -> None:
    chain = ordered(HOSTS[:4], Order(abort_limit=0))
    work(chain, HOSTS[0], "needs-human")
    assert too_many_failed(chain.state)
    for host in HOSTS[1:4]:
        assert judge(chain.state, host).verdict is Verdict.NOT_STARTED


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from((*COUNTED, "updated", "superseded")), min_size=1, max_size=12),
    st.one_of(st.integers(0, 6), st.integers(0, 100).map("{}%".format), st.just("unlimited")),
)
def test_the_limit_is_what_was_ordered(ends: list[str], limit: int | str) -> None:
    chain = ordered(HOSTS[:12], Order(abort_limit=limit))
    borne = borne_failures(limit, 12)
    for n, end in enumerate(ends):
        work(chain, HOSTS[n], end)
        failed = sum(e in COUNTED for e in ends[: n + 1])
        assert too_many_failed(chain.state) == (borne is not None and failed > borne)
