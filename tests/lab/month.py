"""A cycle on a lab's hosts, called as the officers call it, and what it left behind."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.lab.lab import Lab
from orchestrator.lab.root import write
from orchestrator.model.evidence import Phase
from orchestrator.model.text import printable
from tests.cli import SOP_RUN, Called, sop_run

CYCLE = "2026-11"
MONTHLY = ("monthly", "--period", CYCLE)


@dataclass
class Month:
    """A lab, where the cycle's records lie, and how the last call of the cycle ended."""

    lab: Lab
    home: Path
    close: Called | None = None

    @property
    def state(self) -> CycleState:
        return read_state(self.home / "cycles" / CYCLE)

    def words(self, *words: str | Path) -> list[str]:
        """A call's words with this lab's inventory and home."""
        more = ("--inventory", self.lab.inventory, "--home", self.home)
        return [str(word) for word in (*words, *more)]

    def call(self, *words: str | Path) -> Called:
        return sop_run(*self.words(*words))

    def monthly(self) -> Called:
        return self.call(*MONTHLY)

    def begin(self) -> subprocess.Popen[str]:
        """`sop-run monthly`, under way while the test does something to the hosts."""
        return subprocess.Popen(
            [str(SOP_RUN), *self.words(*MONTHLY)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )

    def sign(self, officer: str, *words: str) -> Called:
        key = self.lab.officer_key(officer)
        called = self.call("sign", CYCLE, "--as", officer, "--key", key, *words)
        assert called.code in (0, 1, 3), called.text
        return called

    def evidence(self, host: str, phase: str, which: int = -1) -> dict[str, Any]:
        """A phase's answer of a host, the last one unless told otherwise."""
        found = [o for o in self.state.outcomes[host] if o.phase == Phase(phase)]
        assert found, f"{host}: no outcome of {phase}"
        evidence = found[which].evidence
        assert evidence is not None, f"{host}: {found[which].reason}"
        return evidence

    def told(self, host: str, phase: str, which: int = -1) -> dict[str, str]:
        """The findings of a phase by their code, each as one line."""
        found = self.evidence(host, phase, which)["problems"]
        return {problem["code"]: printable(problem["message"], 4000) for problem in found}

    def verdict(self, host: str) -> str:
        return str(self.state.verdicts[host].verdict)

    def reason(self, host: str) -> str:
        return self.state.verdicts[host].reason

    def phases(self, host: str) -> list[str]:
        """The phases that a host went through, in order."""
        return [str(outcome.phase) for outcome in self.state.outcomes[host]]

    def ask(self, host: str, *argv: str) -> str:
        """What a command on the host prints; '' when it fails."""
        done = self.lab.run(host, list(argv))
        return done.stdout.strip() if done.returncode == 0 else ""

    def deb(self, host: str, package: str) -> str:
        """`1.0 ii`: a package's version and state on a host."""
        shown = "-f=${Version} ${db:Status-Abbrev}"
        return self.ask(host, "dpkg-query", "-W", shown, package)

    def upgrades(self, host: str) -> list[str]:
        """Each upgrade that dpkg did, as often as it was done."""
        log = self.ask(host, "grep", "-h", " upgrade ", "/var/log/dpkg.log")
        return [line.split()[3] for line in log.splitlines()]

    def snapshots(self, host: str) -> list[str]:
        """The backups of sop-run that lie on a host as snapshots."""
        return self.ask(host, "ls", "/.snapshots").split()


def set_rules(lab: Lab, **rules: object) -> None:
    """Rules of the lab's office."""
    path = lab.inventory.parent / "office.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["rules"] = {**document.get("rules", {}), **rules}
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")


def set_variables(lab: Lab, host: str, **variables: object) -> None:
    """Variables of a host in the lab's inventory; `all` for every host."""
    document = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
    if host == "all":
        document["all"]["vars"].update(variables)
    for group in document["all"]["children"].values():
        if host in group["hosts"]:
            group["hosts"][host].update(variables)
    text = yaml.safe_dump(document, sort_keys=False, width=200)
    lab.inventory.write_text(text, encoding="utf-8")


def wait_for(lab: Lab, host: str, condition: str, seconds: float = 90) -> None:
    """Wait until a shell condition holds on the host."""
    deadline = time.monotonic() + seconds
    while lab.run(host, ["sh", "-c", condition]).returncode != 0:
        if time.monotonic() > deadline:
            found = lab.run(host, ["ps", "axf", "-o", "pid,stat,etime,args"]).stdout
            raise AssertionError(f"{host}: {condition} never came true\n{found}")
        time.sleep(0.1)


def hold_lock(lab: Lab, host: str, seconds: float, once: str = "") -> None:
    """Let a program named `lab-holder` hold dpkg's lock on a host for a while.

    With `once`, it waits until that path (a pattern) is there, and for the lock itself.
    """
    program = (
        "import fcntl, glob, time\n"
        f"while {once!r} and not glob.glob({once!r}): time.sleep(0.05)\n"
        "f = open('/var/lib/dpkg/lock-frontend', 'w')\n"
        f"fcntl.lockf(f, fcntl.LOCK_EX); open('/run/held', 'w'); time.sleep({seconds})\n"
    )
    write(lab.root(host), "root/holder.py", program)
    script = (
        'cp "$(readlink -f /usr/bin/python3)" /usr/local/bin/lab-holder && '
        "setsid /usr/local/bin/lab-holder /root/holder.py >/dev/null 2>&1 &"
    )
    assert lab.run(host, ["sh", "-c", script]).returncode == 0
    wait_for(lab, host, "pgrep -x lab-holder" if once else "test -e /run/held", 20)
