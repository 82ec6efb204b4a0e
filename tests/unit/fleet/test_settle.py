"""How long a host is asked again: by the clock of the asking, not by that of slower hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.fleet import settle
from orchestrator.fleet.run import PhaseCall
from orchestrator.model.evidence import SCHEMA, Outcome, OutcomeKind, Phase, Status


class Hosts:
    """Answers in the place of hosts, one script for each; time passes as a round says."""

    def __init__(self, scripts: dict[str, list[str]], seconds: list[float]) -> None:
        self.scripts = scripts
        self.seconds = seconds
        self.now = 1000.0
        self.asked: dict[str, int] = dict.fromkeys(scripts, 0)

    def run_phase(self, call: PhaseCall, on_outcome: settle.Callable[[Outcome], None]) -> None:
        self.now += self.seconds.pop(0) if self.seconds else 1.0
        for host in call.requests:
            said = self.scripts[host][min(self.asked[host], len(self.scripts[host]) - 1)]
            self.asked[host] += 1
            on_outcome(outcome(host, call.phase, said))


def outcome(host: str, phase: Phase, said: str) -> Outcome:
    if said == "unreachable":
        return Outcome(host=host, phase=phase, kind=OutcomeKind.UNREACHABLE, reason="no route")
    evidence = {
        "schema": SCHEMA, "phase": phase, "status": said, "started": "x", "ended": "x",
    }  # fmt: skip
    return Outcome(host=host, phase=phase, kind=OutcomeKind.EVIDENCE, evidence=evidence)


def ask(
    monkeypatch: pytest.MonkeyPatch, phase: Phase, hosts: Hosts, patience: float = 30
) -> dict[str, str]:
    """What each host's outcome is in the end."""
    monkeypatch.setattr(settle, "run_phase", hosts.run_phase)
    monkeypatch.setattr(settle.time, "monotonic", lambda: hosts.now)
    monkeypatch.setattr(settle.time, "sleep", lambda seconds: None)
    found: dict[str, str] = {}

    def take(answer: Outcome) -> None:
        evidence = answer.read()
        found[answer.host] = str(evidence.status if evidence else answer.kind)

    call = PhaseCall(phase, Path("x"), {host: {} for host in hosts.scripts}, Path("x"))
    settle.run_settled(call, take, restart_seconds=patience)
    return found


def test_a_host_out_of_reach_while_another_works_for_long_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripts = {"cut": ["unreachable", "unreachable", "ok"], "slow": ["running", "running", "ok"]}
    hosts = Hosts(scripts, [1500.0, 1500.0, 1.0])
    assert ask(monkeypatch, Phase.UPDATE, hosts) == {"cut": "ok", "slow": "ok"}


def test_a_host_that_stays_away_is_given_up_after_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = Hosts({"gone": ["unreachable"], "false": ["rebooting"]}, [])
    found = ask(monkeypatch, Phase.UPDATE, hosts)
    assert found == {"gone": "unreachable", "false": "unreachable"}
    assert hosts.asked["gone"] > 30


def test_a_sign_of_life_begins_the_limit_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    script = ["unreachable"] * 20 + ["running"] + ["unreachable"] * 20 + [str(Status.OK)]
    assert ask(monkeypatch, Phase.RESTORE, Hosts({"far": script}, [])) == {"far": "ok"}


@pytest.mark.parametrize(("phase", "times"), [(Phase.CHECK, 1), (Phase.BACKUP, 3)])
def test_before_the_change_a_host_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch, phase: Phase, times: int
) -> None:
    hosts = Hosts({"down": ["unreachable"]}, [])
    assert ask(monkeypatch, phase, hosts) == {"down": "unreachable"}
    assert hosts.asked["down"] == times
