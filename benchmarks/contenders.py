"""Who is measured, and with which command each of them does the same work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fleet import Hosts
from hostside import bundle
from orchestrator.fleet.decode import decode
from orchestrator.journal.book import read_state
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Phase

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RIVALS = HERE / "rivals"
COMMANDS: dict[str, dict[str, str]] = json.loads(
    (RIVALS / "commands.json").read_text(encoding="utf-8")
)
# What roles/check/defaults/main.yml says; an inventory without variables gives the host just that.
CHECK_OPTIONS = {
    "refresh": "private", "advisories": True, "stage": True, "reserve_mb": 200,
    "antivirus_max_age_days": 7, "antivirus_method": "auto", "antivirus_command": {}, "checks": [],
}  # fmt: skip
LIMIT_SECONDS = 1800.0
Found = Mapping[str, Any]
"""What a contender found, host by host, in its own form (compare.py)."""


@dataclass(frozen=True)
class Run:
    """One contender at work: the command, and how its findings are read afterwards."""

    command: list[str]
    found: Callable[[], Found]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a run works: hosts, how many of them, a folder of its own."""

    hosts: Hosts
    count: int
    folder: Path

    def read(self) -> Any:
        """What a rival wrote."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))


def measured(run: Run, place: Place) -> dict[str, float]:
    """Run it inside the lab's network; raises CannotRunError, with its last words, when it fails.

    The result has wall_s, cpu_s (the whole process tree), controller_kb, largest_kb.
    """
    said = place.folder / "output.txt"
    inside = ["nsenter", f"--net=/run/netns/{place.hosts.prefix}", "--"]
    tree = [sys.executable, "-I", str(HERE / "process_tree.py"), str(LIMIT_SECONDS), str(said)]
    done = subprocess.run(
        [*inside, *tree, *run.command],
        env={**os.environ, **run.environment},
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout)
    if result.pop("code") != 0:
        words = said.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise CannotRunError(f"benchmark: {run.command[:4]} failed:\n{words}")
    return result


def _ours(part: str, place: Place, *more: str) -> list[str]:
    inventory = str(place.hosts.inventory(place.count))
    lab = str(place.hosts.lab.directory)
    words = [part, inventory, str(place.folder / "home"), lab, *more]
    return [sys.executable, "-m", "benchmarks.ours", *words]


def our_check(place: Place) -> Run:
    """The program's own check, with inventory, journal and plan."""

    def found() -> Found:
        state = read_state(place.folder / "home/cycles/2026-11")
        last = {host: state.last(host, Phase.CHECK) for host in state.hosts}
        return {h: (o.evidence if o else None) for h, o in last.items()}

    return Run(_ours("check", place), found)


def our_change(place: Place, canary: str) -> Run:
    """The program's own change; checked and signed before, which is not measured."""
    done = subprocess.run(
        ["nsenter", f"--net=/run/netns/{place.hosts.prefix}", "--", *_ours("sign", place, canary)],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CannotRunError(f"benchmark: the order cannot be signed: {done.stderr[-2000:]}")

    def found() -> Found:
        state = read_state(place.folder / "home/cycles/2026-11")
        return {host: str(verdict.verdict) for host, verdict in state.verdicts.items()}

    return Run(_ours("change", place), found)


def _bare(place: Place, program: str, command: str) -> list[str]:
    path = place.folder / "program"
    path.write_text(program, encoding="utf-8")
    script = [sys.executable, "-I", str(RIVALS / "bare_ssh.py")]
    results = str(place.folder / "results.json")
    return [*script, str(place.hosts.targets(place.count)), results, str(path), command]


def bare_check(place: Place) -> Run:
    """Bare SSH with the very same host program."""
    request = {"phase": "check", "transaction": "", "items": [], "options": CHECK_OPTIONS}
    program = bundle.program(bundle.payload(str(ROOT / "hostside"), "check"), request)

    def found() -> Found:
        return {h: decode(text.strip().splitlines()[-1]) for h, text in place.read().items()}

    return Run(_bare(place, program, "python3 -I -"), found)


def bare_change(place: Place) -> Run:
    """Bare SSH with the four commands that an update is at the least."""
    wanted = ("refresh", "upgrade", "antivirus", "failed_units")
    script = "set -e\n" + "\n".join(COMMANDS["change"][name] for name in wanted) + "\n"
    return Run(_bare(place, script, "sh -s"), place.read)


def playbook(place: Place, part: str, *, tuned: bool) -> Run:
    """The playbook of stock modules, tuned or at Ansible's defaults."""
    subset = ["!all", "network", "mounts"] if tuned else ["all"]
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    words = ["-i", str(place.hosts.inventory(place.count)), str(RIVALS / f"{part}.yml")]
    config = RIVALS / ("tuned.cfg" if tuned else "defaults.cfg")
    environment = {
        "ANSIBLE_CONFIG": str(config),
        "BENCH_RESULTS": str(place.folder / "results.json"),
    }
    extra = ["-e", json.dumps({"bench_subset": subset})]
    return Run([program, *words, *extra], place.read, environment)


def pyinfra(place: Place, part: str) -> Run:
    """pyinfra, by its own Python."""
    script = [os.environ["BENCH_PYINFRA"], str(RIVALS / "with_pyinfra.py"), part]
    words = [str(place.hosts.targets(place.count)), str(place.folder / "results.json")]
    return Run([*script, *words], place.read)


@dataclass(frozen=True)
class Contender:
    """One line of the tables."""

    id: str
    words: str
    make: Callable[[Place], Run]
    most: int  # hosts: beyond it a run would take too long to be worth it
    repeats: Mapping[int, int] = field(default_factory=dict)  # from so many hosts on → at most


CHECK = (
    Contender("sop-run", "sop-run", our_check, 10**6, {100: 2, 200: 1}),
    Contender("ssh", "bare parallel SSH, same host program", bare_check, 10**6, {100: 2, 200: 1}),
    Contender("pyinfra", "pyinfra", lambda p: pyinfra(p, "check"), 100, {50: 1}),
    Contender("tuned", "stock playbook, tuned", lambda p: playbook(p, "check", tuned=True),
              100, {10: 2, 50: 1}),
    Contender("defaults", "stock playbook, Ansible's defaults",
              lambda p: playbook(p, "check", tuned=False), 50, {0: 1}),
)  # fmt: skip
CHANGE = (
    Contender("sop-run", "sop-run, all hosts in one wave", lambda p: our_change(p, "off"), 10**6),
    Contender("canary", "sop-run, a canary first", lambda p: our_change(p, "1"), 10**6,
              {0: 1}),
    Contender("ssh", "bare parallel SSH", bare_change, 10**6),
    Contender("pyinfra", "pyinfra", lambda p: pyinfra(p, "change"), 10**6, {0: 1}),
    Contender("tuned", "stock playbook, tuned", lambda p: playbook(p, "change", tuned=True), 10**6,
              {0: 2}),
    Contender("defaults", "stock playbook, Ansible's defaults",
              lambda p: playbook(p, "change", tuned=False), 3, {0: 1}),
)  # fmt: skip


def place_for(hosts: Hosts, count: int, folder: Path) -> Place:
    """A place with a fresh folder below `folder`."""
    return Place(hosts, count, Path(tempfile.mkdtemp(prefix="run-", dir=folder)))
