"""A month of everyday work on a lab's hosts, told once: dry runs, remediation, going back."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.workflow.exclusive import lock_file
from tests.cli import Called, sop_run
from tests.lab.asked import sh
from tests.lab.month import set_variables
from tests.lab.trees import Tree, differences, tree

MONTH = date.today().strftime("%Y-%m")
HOSTS = [
    HostSpec("web01", "full", "clean"),
    HostSpec("kept01", "full", "clean"),
    HostSpec("snap01", "full", "snapper"),
    HostSpec("sec01", "full", "security"),
    HostSpec("rpm01", "rpm", "rpm"),
    HostSpec("suse01", "rpm", "suse"),
    HostSpec("far01", "full", "unreachable"),
]
DRY = [spec.name for spec in HOSTS if spec.scenario != "unreachable"]
TOOL = "apt-get -q update >/dev/null && apt-get -q -y --allow-downgrades install lab-tool=1.0"
# What a restore leaves alone on purpose: logs, what is cached, and the records of its own work.
KEPT = (
    "var/lib/dpkg/lock",
    "var/log/",
    "var/cache/",
    "var/lib/sop-run/",
    ".snapshots/",
    "var/lib/apt/",
    "var/backups/",
)


@dataclass
class Story:
    """A lab, its records, the calls in their order, and what was true on the way."""

    lab: Lab
    home: Path
    calls: dict[str, Called] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)

    def call(self, name: str, *words: str | Path) -> Called:
        called = sop_run(*words, "--inventory", self.lab.inventory, "--home", self.home)
        self.calls[name] = called
        return called

    def sign(self, cycle: str, *officers: str) -> None:
        for officer in officers:
            key = self.lab.officer_key(officer)
            called = self.call(f"{officer} {cycle}", "sign", cycle, "--as", officer, "--key", key)
            assert called.code in (0, 3), called.text

    def state(self, cycle: str) -> CycleState:
        return read_state(self.home / "cycles" / cycle)

    def verdict(self, cycle: str, host: str) -> tuple[str, str]:
        found = self.state(cycle).verdicts[host]
        return str(found.verdict), found.reason

    def deb(self, host: str, name: str) -> str:
        return sh(self.lab, host, f"dpkg-query -W -f='${{Version}} ${{db:Status-Abbrev}}' {name}")

    def rpm(self, host: str, name: str) -> str:
        return sh(self.lab, host, f"rpm -q --qf '%{{VERSION}}' {name}")

    def restore(self, name: str, cycle: str, *hosts: str, officer: str = "kepala") -> Called:
        words = ("--as", officer, "--key", self.lab.officer_key(officer), "--reason", "login rusak")
        return self.call(name, "restore", cycle, *hosts, *words)


I01, I02, I03, I04 = (f"{MONTH}-i{n:02d}" for n in (1, 2, 3, 4))
FINISH = ("pengelola", "analis", "jf", "kepala")


def tell(made: Story, folder: Path) -> None:
    """The dry run, the month, what comes between, and the ways back."""
    monthly = ("monthly", "--period", MONTH)
    # zypper gives every host an id and a cookie when it is used there for the first time.
    sh(made.lab, "suse01", "zypper --non-interactive refresh")
    before = {host: tree(made.lab, host) for host in DRY}
    fine = ("--limit", "all:!far01", "--junit", folder / "dry.xml")
    made.call("dry", *monthly, "--dry-run", "--json", *fine)
    bad = ("--limit", "kept01,far01", "--junit", folder / "bad.xml")
    set_variables(made.lab, "kept01", backup_method="lvm")
    made.call("dry bad", *monthly, "--dry-run", *bad)
    set_variables(made.lab, "kept01", backup_method="packages")
    for host, found in before.items():
        made.trees[f"dry {host}"] = dict.fromkeys(differences(found, tree(made.lab, host)), ())

    limited = (*monthly, "--limit", "web01,kept01,rpm01,suse01")
    made.call("check", *limited)
    made.sign(MONTH, "analis", "kepala")  # ordered, and waiting for somebody to run it

    urgent = (
        "remediate",
        "web01",
        "kept01",
        "--package",
        "lab-web",
        "--reason",
        "CVE-2026-1 dipakai",
    )
    made.call("urgent", *urgent)
    made.call("urgent again", *urgent)
    made.sign(I01, "analis", "kepala")
    path = lock_file(made.home, "web01")
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made.call("urgent locked", "remediate", "--cycle", I01)
    made.call("urgent change", "remediate", "--cycle", I01)
    made.sign(I01, *FINISH)
    made.call("urgent close", "remediate", "--cycle", I01)

    for host in ("web01", "kept01"):
        made.trees[f"before {host}"] = tree(made.lab, host)
    made.call("change", *monthly, "--junit", folder / "month.xml")
    made.sign(MONTH, "pengelola")  # this signature falls with the order to restore
    made.restore("restore by analis", MONTH, "rpm01", officer="analis")
    made.restore("restore open", MONTH, "rpm01")
    made.sign(MONTH, *FINISH)
    made.call("close", *monthly)

    made.restore("restore overtaken", I01, "web01")
    made.restore("restore closed", MONTH, "web01", "suse01")
    made.trees["after web01"] = tree(made.lab, "web01")
    made.sign(I02, *FINISH)
    made.call("restore close", "monthly", "--period", I02)
    made.restore("restore kept01", I01, "kept01")
    made.sign(I03, *FINISH)
    made.call("restore kept01 close", "monthly", "--period", I03)
    made.restore("restore twice", MONTH, "rpm01")
    sh(made.lab, "suse01", "rm -r /var/lib/sop-run/backups/*")
    made.restore("restore gone", MONTH, "suse01")
