"""One RPM host, `try01`: tests of dnf and zypper update a few packages there and put them back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any

from orchestrator.lab.lab import Lab
from tests.lab.asked import ask, send, sh, told
from tests.lab.month import wait_for

HOST = "try01"
OLD = ("rlab-kernel-6.1", "rlab-script-1.0", "rlab-more-1.0")
ALL_OF_IT = "systemctl kill --signal=KILL 'sop-run-*'"
WORKER_ALONE = "systemctl kill --kill-whom=main --signal=KILL 'sop-run-*'"
# A package's script: it waits as long as a test says, counts how often it ran, and fails when a
# test says so.
LATE = """if [ -e /run/lab-slow ]; then n=$(cat /run/lab-slow); rm /run/lab-slow; sleep "$n"; fi
echo ran >>/run/lab-late
test ! -e /run/lab-fails
"""
Item = dict[str, Any]
REFUSALS: dict[str, tuple[str, Callable[[Item], Item], str, str, str]] = {
    "another version was approved": (
        "rlab-tool", lambda item: {**item, "to": "1.0.5-1.lab"},
        "superseded", "candidate-changed", "rlab-tool: approved 1.0.5-1.lab, offered 1.1-1.lab",
    ),
    "another file was approved": (
        "rlab-tool", lambda item: {**item, "sha256": "0" * 64},
        "refused", "wrong-sha256", "approved",
    ),
    "more would change": (
        "rlab-more", dict,
        "refused", "beyond-approval",
        "would install rlab-new 1.0-1.lab; would change rlab-tool to 1.1-1.lab",
    ),
}  # fmt: skip


@dataclass
class Tries:
    """Updates of a few packages with a backup before each; every transaction has a new id."""

    lab: Lab
    ids: Iterator[str]

    @classmethod
    def on(cls, lab: Lab) -> Tries:
        """Old versions come onto the host first."""
        source = "http://10.99.0.1:8000/rpm/baseos"
        files = " ".join(f"{source}/{name}-1.lab.noarch.rpm" for name in OLD)
        sh(lab, HOST, f"rpm --install {files}")
        return cls(lab, (f"{number:032x}" for number in itertools.count(1)))

    def sh(self, script: str) -> str:
        return sh(self.lab, HOST, script)

    def check(self, **options: Any) -> Item:
        return ask(self.lab, HOST, "check", options)

    def items(self, *names: str, stage: bool = False) -> list[Item]:
        """Pending items of these names, as the check tells them."""
        found = {item["name"]: item for item in self.check(stage=stage)["items"]}
        return [found[name] for name in names]

    def version(self, name: str) -> str:
        return self.sh(f"rpm -q --qf '%{{VERSION}} ' {name}")

    def backup(self, approved: list[Item], method: str = "auto") -> Item:
        found = ask(
            self.lab, HOST, "backup", {"method": method}, transaction=next(self.ids), items=approved
        )
        assert found["status"] == "ok", found["problems"]
        return dict(found["facts"])

    def update(self, approved: list[Item], method: str = "auto", **options: Any) -> Item:
        """An update of exactly these items, with a backup before it (`before`)."""
        facts = self.backup(approved, method)
        found = ask(
            self.lab, HOST, "update", options,
            transaction=next(self.ids), items=approved, backup=facts["backup"],
        )  # fmt: skip
        return {**found, "before": facts}

    def restore(self, done: Item, approved: list[Item]) -> None:
        """Back to the backup that `done` was made with."""
        found = ask(
            self.lab, HOST, "restore", {}, transaction=next(self.ids), items=approved,
            backup=done["before"]["backup"], baseline=done["before"]["baseline"],
        )  # fmt: skip
        assert found["status"] == "ok", found["problems"]
        assert {item["result"] for item in found["items"]} == {"restored"}

    def cut_off(
        self,
        approved: list[Item],
        kill: str = ALL_OF_IT,
        seconds: int = 60,
        meanwhile: Callable[[], object] = lambda: None,
        **options: Any,
    ) -> Item:
        """An update, killed while a package's slow script runs, and what the same order says then.

        The script sleeps for `seconds`, once.
        """
        facts = self.backup(approved, "packages")
        request = {"transaction": next(self.ids), "items": approved, "backup": facts["backup"]}
        self.sh(f"echo {seconds} >/run/lab-slow; rm -f /run/lab-done")
        first = Thread(
            target=lambda: send(self.lab, HOST, "update", options, **request), daemon=True
        )
        first.start()
        wait_for(self.lab, HOST, "test ! -e /run/lab-slow")  # what the script does first
        meanwhile()
        self.sh(kill)
        first.join(30)
        found = ask(self.lab, HOST, "update", options, **request)
        return {**found, "before": facts}

    def is_refused(self, case: str) -> None:
        """Other than approved: nothing is installed."""
        name, twist, status, code, words = REFUSALS[case]
        before = self.sh("rpm -qa | sort")
        found = self.update([twist(item) for item in self.items(name)])
        assert found["status"] == status, found["problems"]
        assert words in told(found)[code]
        assert self.sh("rpm -qa | sort") == before

    def kernel_lies_beside_the_old_one_and_goes_again(self, method: str) -> Item:
        """Returns the update's evidence."""
        approved = self.items("rlab-kernel")
        done = self.update(approved, method)
        assert done["status"] == "ok", done["problems"]
        assert done["facts"]["packages_changed"] == {"rlab-kernel": ["6.1-1.lab", "6.2-1.lab"]}
        assert self.version("rlab-kernel").split() == ["6.1", "6.2"]
        self.restore(done, approved)
        assert self.version("rlab-kernel") == "6.1"
        assert self.sh("ls /boot") == "rlab-kernel-6.1"
        return done

    def goes_on_after_a_cut(self, **more: Any) -> None:
        """Fault 3: worker, package manager and rpm are gone in the middle; the order goes on."""
        approved = self.items("rlab-more", "rlab-tool")
        found = self.cut_off(approved, allow_new=self.check()["facts"]["new_packages"], **more)
        assert found["status"] == "ok", found["problems"]
        assert {item["result"] for item in found["items"]} == {"updated"}
        assert {"recovered", "duplicates-removed"} <= set(told(found))
        assert found["facts"]["packages_changed"] == {
            "rlab-more": ["1.0-1.lab", "1.1-1.lab"],
            "rlab-new": ["", "1.0-1.lab"],
            "rlab-tool": ["1.0-1.lab", "1.1-1.lab"],
        }
        assert self.version("rlab-more") == "1.1", "no second version beside it"
        assert self.sh("ls /run/lab-done"), "its script came to the end, at the second time"
        self.restore(found, approved)
        gone = self.lab.run(HOST, ["rpm", "-q", "rlab-new"]).returncode
        assert gone != 0, "new packages go again"
