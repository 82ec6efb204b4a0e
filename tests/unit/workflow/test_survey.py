"""What there is to see of a cycle under work: the phase, each host, the time left."""

from __future__ import annotations

import pytest

from orchestrator.journal.fold import step_forward
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, Phase
from orchestrator.model.plan import Order
from orchestrator.workflow.survey import PhaseView, Watched, seconds_left, seconds_of
from tests.unit.cycles import Chain, evidence, item

HOSTS = tuple(f"host{n:02d}" for n in range(12))


def watched(chain: Chain) -> tuple[Watched, CycleState]:
    """What a looker-on knows who reads the entries one by one."""
    found, state = Watched(), None
    for entry in chain.entries:
        state = step_forward(state, entry)
        found.see(entry, state)
    assert state is not None
    return found, state


def ordered(**terms: object) -> Chain:
    chain = Chain(hosts=HOSTS)
    chain.check(*[item(n, host=h) for n, h in enumerate(HOSTS, 1)])
    chain.sign(3, "budi")
    chain.sign(4, "rina", order=Order.model_validate({"canary": 2, "wave": 5, **terms}))
    return chain


def begin(chain: Chain, phase: str, wave: int, hosts: tuple[str, ...]) -> None:
    chain.add("phase.started", {"phase": phase, "wave": wave, "hosts": list(hosts)})


def answer(chain: Chain, host: str, phase: str, **more: object) -> None:
    body = {"phase": phase, "kind": "evidence", "evidence": evidence(phase, **more)}
    chain.add("host.outcome", body, host=host)


def view(chain: Chain, seconds: int = 0) -> PhaseView | None:
    """The phase so many seconds after the last entry."""
    found, state = watched(chain)
    last = state.last_at
    minutes, rest = divmod(int(last[17:19]) + seconds, 60)
    now = f"{last[:14]}{int(last[14:16]) + minutes:02d}:{rest:02d}{last[19:]}"
    return found.phase(state, now)


def test_no_phase_is_under_way_before_the_first_and_after_the_last() -> None:
    chain = Chain(hosts=HOSTS)
    assert view(chain) is None
    chain.check()
    assert view(chain) is None


def test_a_phase_is_counted_as_its_hosts_answer() -> None:
    chain = ordered()
    chain.run("backup", {h: {"evidence": evidence("backup")} for h in HOSTS[:2]})
    begin(chain, "backup", 1, HOSTS[2:7])
    assert view(chain) == PhaseView(Phase.BACKUP, 1, 2, 0, 5, 0.0)
    for host in HOSTS[2:5]:
        answer(chain, host, "backup", seconds=30.0)
    assert view(chain, 4) == PhaseView(Phase.BACKUP, 1, 2, 3, 5, 7.0, left=12.0)


def test_nothing_is_said_of_the_time_left_once_it_is_over() -> None:
    chain = ordered()
    begin(chain, "backup", 0, HOSTS[:5])
    for host in HOSTS[:4]:
        answer(chain, host, "backup", seconds=10.0)
    told, silent = view(chain, 1), view(chain, 3)
    assert told is not None and told.left == 2.0
    assert silent is not None and silent.left is None


def test_the_check_is_in_no_wave() -> None:
    chain = Chain(hosts=HOSTS)
    begin(chain, "check", 0, HOSTS)
    found = view(chain)
    assert found is not None and found.last_wave is None


@pytest.mark.parametrize(
    ("spent", "left", "hosts", "seconds"),
    [
        ([60.0, 60.0], 10, 12, None),  # too few to tell
        ([60.0, 60.0, 60.0], 0, 3, None),
        ([60.0, 50.0, 600.0], 6, 9, 40.0),  # all at once: 60 s x 6 / 9
        ([60.0] * 50, 100, 150, 120.0),  # 50 at once
    ],
)
def test_time_left(spent: list[float], left: int, hosts: int, seconds: float | None) -> None:
    assert seconds_left(spent, left, hosts) == seconds


@pytest.mark.parametrize("told", [-1.0, float("inf"), float("nan"), 1e300])
def test_a_host_may_tell_any_number(told: float) -> None:
    assert seconds_of(Evidence.model_validate(evidence("backup", seconds=told))) is None


def test_work_done_earlier_tells_nothing_of_the_pace() -> None:
    known = Evidence.model_validate(evidence("backup", seconds=9.0, attached=True))
    assert seconds_of(known) is None
    assert seconds_of(None) is None


def test_hosts_show_what_they_do_and_what_was_wrong() -> None:
    chain = ordered()
    begin(chain, "backup", 1, HOSTS[:3])
    problem = {"code": "no-space", "message": "no \x1b[2J room", "hint": ""}
    answer(chain, HOSTS[0], "backup", status="refused", problems=[problem])
    answer(chain, HOSTS[1], "backup")
    found, state = watched(chain)
    refused, ready, busy, later = found.hosts(state)[:4]
    assert (refused.doing, refused.finding, refused.reason) == (None, True, "no [2J room")
    assert refused.seen is not None and refused.seen.word == "refused"
    assert (ready.doing, ready.finding) == (None, False)
    assert (busy.doing, busy.finding) == (Phase.BACKUP, False)
    assert later.doing is None and later.seen is not None and later.seen.phase is Phase.CHECK


def test_a_verdict_takes_the_place_of_what_was_seen() -> None:
    chain = ordered()
    unreachable = {"kind": "unreachable", "reason": "no route", "evidence": None}
    chain.run("backup", {HOSTS[0]: unreachable})
    body = {"verdict": "unreachable", "reason": "no route"}
    chain.add("host.verdict", body, host=HOSTS[0])
    chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=HOSTS[1])
    found, state = watched(chain)
    lost, good = found.hosts(state)[:2]
    assert (lost.verdict, lost.reason, lost.finding) == ("unreachable", "no route", True)
    assert (good.verdict, good.finding) == ("updated", False)


def test_a_return_to_the_check_forgets_what_was_seen() -> None:
    chain = Chain(hosts=HOSTS)
    chain.check(item(host=HOSTS[0]))
    chain.sign(3, "budi", decision="return", reason="one is missing")
    found, state = watched(chain)
    assert state.steps[2].state == "open"
    assert all(h.seen is None for h in found.hosts(state))
