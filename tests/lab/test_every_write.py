"""Fault 1, systematically: the program is killed at every single journal write of a whole cycle.

Two real hosts, one of which the update breaks. Every process lives for exactly one journal entry:
`after` dies as soon as an entry is written, `before` dies with the next entry's work done on the
hosts but not recorded. The end must be the same as without any kill, with nothing done twice.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from orchestrator.archive.audit import audit_archive
from orchestrator.journal.book import read_state
from orchestrator.journal.entry import Entry
from orchestrator.journal.store import JournalWriter, read_entries
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.cycle import CycleId
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.gates import Signer, sign
from orchestrator.workflow.monthly import Standing, monthly
from orchestrator.workflow.progress import Silent
from orchestrator.workflow.settings import Settings
from tests.lab.test_resume import upgrades

pytestmark = pytest.mark.lab
CYCLE = CycleId(2026, 11)


def in_child(work: Callable[[], None]) -> bool:
    """Do the work in a child process; True when it came to its end, False when it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a child must never return into pytest
            print(f"child: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the program failed instead of going on"
    return True


def deadly(mode: Literal["before", "after"]) -> None:
    """Make this process's journal kill it: after its first write, or before its second."""
    write, written = JournalWriter.write, [0]

    def killing(self: JournalWriter, entry: Entry) -> None:
        if mode == "before" and written[0] == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, entry)
        written[0] += 1
        if mode == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    JournalWriter.write = killing  # type: ignore[method-assign]


def go_on(lab: Lab, settings: Settings) -> None:
    """One call of a user: monthly, or the signature that is waited for."""
    folder = settings.cycle_folder(str(CYCLE))
    gate = read_state(folder).gate if (folder / "journal.db").exists() else None
    standing: Standing | None = None
    if gate is not None:
        state = read_state(folder)
        missing = [r for r in gate.signers if r not in {s.role for s in state.signed(gate.number)}]
        officer = state.office.with_role(missing[0])[0].id
        ready = monthly(settings, CYCLE, Silent())  # makes the gate's documents when they are due
        if ready.gate is not None:
            signer = Signer(str(CYCLE), officer, lab.officer_key(officer))
            standing = sign(settings, signer, Silent())
    if standing is None:
        monthly(settings, CYCLE, Silent())


@pytest.mark.parametrize("mode", ["after", "before"])
def test_killed_at_every_journal_write(
    mode: Literal["before", "after"], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = [HostSpec("api01", "full", "breaks"), HostSpec("web01", "full", "clean")]
    lab = Lab.up(tmp_path / "lab", specs, print)
    try:
        home = tmp_path / "home"
        settings = Settings(lab.inventory, lab.inventory.parent / "office.yml", home)
        folder = settings.cycle_folder(str(CYCLE))
        kills = 0

        def one_life() -> None:
            deadly(mode)
            go_on(lab, settings)

        while not (folder / "journal.db").exists() or not read_state(folder).closed_at:
            kills += not in_child(one_life)
            assert kills < 200, "the cycle does not come to its end"
        state = read_state(folder)
        assert {h: v.verdict for h, v in state.verdicts.items()} == {
            "api01": Verdict.ROLLED_BACK,
            "web01": Verdict.UPDATED,
        }
        assert [s.state for s in state.steps.values()] == ["passed"] * 13
        assert upgrades(lab, "web01") == ["lab-web:all"]
        assert upgrades(lab, "api01") in ([], ["lab-api:all"])  # its log may be restored as well
        outcomes = {h: [str(o.phase) for o in os_] for h, os_ in state.outcomes.items()}
        assert outcomes["web01"] == ["check", "backup", "update", "test"]
        assert outcomes["api01"] == ["check", "backup", "update", "test", "restore", "test"]
        assert audit_archive(home / state.archive_path).ok
        entries = len(list(read_entries(folder / "journal.db")))
        with capsys.disabled():
            print(f"\n{mode}: {kills} kills in a cycle of {entries} journal entries")
        assert kills >= entries - 12, "some writes were never killed at"
    finally:
        lab.down()
