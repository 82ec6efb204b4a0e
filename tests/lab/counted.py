"""What each phase costs on each host: counted and never timed, so a loaded machine tells the same.

Tasks are counted by a callback inside Ansible, SSH commands and connections by each host's own
sshd, commits and evidence in the journal (tests/unit/journal/test_store.py: an entry is a commit).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from hostside import bundle
from orchestrator.journal.entry import Entry
from orchestrator.journal.fold import step_forward
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.lab.lab import Lab
from orchestrator.lab.root import write
from orchestrator.model.canonical import canonical_json
from orchestrator.model.evidence import Phase
from orchestrator.model.house import ROOT
from orchestrator.workflow.requests import requests_for
from tests.lab.costs import Cost

CALLBACKS = Path(__file__).with_name("callbacks")


@dataclass(frozen=True)
class Session:
    """One command that a host's sshd ran, in seconds since the epoch; `new`: it had to connect."""

    start: float
    end: float
    new: bool


@dataclass
class Span:
    """One run of a phase over hosts, in seconds since the epoch."""

    phase: Phase
    start: float
    programs: dict[str, int]  # host → bytes of the program with this host's request
    end: float = 0.0
    entries: list[Entry] = field(default_factory=list)  # from phase.started to phase.ended

    def holds(self, at: float) -> bool:
        return self.start <= at <= self.end

    def of(self, host: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.host == host]


@dataclass(frozen=True)
class Counter:
    """Counts what comes to some hosts of a lab, from `begin` on."""

    lab: Lab
    hosts: tuple[str, ...]
    log: Path  # of the tasks: a line each, with time and host

    @classmethod
    def begin(
        cls, lab: Lab, hosts: Iterable[str], folder: Path, patch: pytest.MonkeyPatch
    ) -> Counter:
        """Have tasks counted in all processes from now on, and each host's sshd tell sessions."""
        counter = cls(lab, tuple(hosts), folder / "tasks.txt")
        for host in counter.hosts:
            write(lab.root(host), "etc/ssh/sshd_config.d/20-counted.conf", "LogLevel VERBOSE\n")
            reloaded = lab.run(host, ["systemctl", "reload", "ssh"])
            assert reloaded.returncode == 0, reloaded.stderr
        counter.log.touch()
        patch.setenv("ANSIBLE_CALLBACK_PLUGINS", str(CALLBACKS))
        patch.setenv("ANSIBLE_CALLBACKS_ENABLED", "counted")
        patch.setenv("COUNTED_TASKS", str(counter.log))
        return counter

    def tasks(self, host: str) -> list[float]:
        """When each task began on a host, in seconds since the epoch."""
        lines = [line.split() for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [float(at) for at, name in lines if name == host]

    def sessions(self, host: str) -> list[Session]:
        """All commands that came to a host by SSH, in order, as its sshd logged them."""
        done = self.lab.run(host, ["journalctl", "--identifier=sshd", "--output=json"])
        assert done.returncode == 0, done.stderr
        fresh: dict[str, bool] = {}  # port → no command came over this connection yet
        open_: dict[tuple[str, str], tuple[float, bool]] = {}
        found = []

        def ended(at: float, port: str, number: str) -> Session:
            start, new = open_.pop((port, number))
            return Session(start, at, new)

        for line in done.stdout.splitlines():
            record = json.loads(line)
            message, at = str(record["MESSAGE"]), int(record["__REALTIME_TIMESTAMP"]) / 1e6
            if match := re.match(r"Accepted publickey for \S+ from \S+ port (\d+)", message):
                fresh[match[1]] = True
            elif match := re.match(r"Starting session: .+ port (\d+) id (\d+)", message):
                open_[match[1], match[2]] = (at, fresh[match[1]])
                fresh[match[1]] = False
            elif match := re.match(r"Close session: .+ port (\d+) id (\d+)", message):
                found.append(ended(at, match[1], match[2]))
            elif match := re.match(r"Disconnected from .+ port (\d+)", message):
                found += [ended(at, *key) for key in list(open_) if key[0] == match[1]]
        assert not open_, f"{host}: commands that never ended"
        return sorted(found, key=lambda session: session.start)

    def cost(self, span: Span, host: str) -> Cost:
        """What one run of a phase cost one of its hosts."""
        evidence = [e.body["evidence"] for e in span.of(host) if e.kind == "host.outcome"]
        return Cost(
            tasks=sum(map(span.holds, self.tasks(host))),
            commands=sum(span.holds(session.start) for session in self.sessions(host)),
            commits=len(span.of(host)),
            evidence=sum(len(canonical_json(e).encode()) for e in evidence),
            program=span.programs[host],
        )


def spans(folder: Path) -> list[Span]:
    """All runs of phases of a cycle, in order; requests are made from the state as it was then."""
    packed = bundle.payload(str(ROOT / "hostside"), "")
    state: CycleState | None = None
    found: list[Span] = []
    for entry in read_entries(folder / "journal.db"):
        if entry.kind == "phase.started":
            assert state is not None
            phase = Phase(entry.body["phase"])
            requests = requests_for(state, entry.body["hosts"], phase)
            programs = {h: len(bundle.program(packed, r)) for h, r in requests.items()}
            found.append(Span(phase, _at(entry), programs))
        if found and not found[-1].end:
            found[-1].entries.append(entry)
            found[-1].end = _at(entry) if entry.kind == "phase.ended" else 0.0
        state = step_forward(state, entry)
    return found


def _at(entry: Entry) -> float:
    return datetime.fromisoformat(entry.at).timestamp()
