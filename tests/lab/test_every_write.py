"""Fault 1, systematically: the program is killed at every single journal write of a whole cycle.

Two real hosts, one of which the update breaks. Every process lives for exactly one journal entry:
`after` dies as soon as an entry is written, `before` dies with the next entry's work done on the
hosts but not recorded. The end must be the same as without any kill, with nothing done twice.
Entries that are written together (a plan with its parts) are one: they become durable as one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from tests.cli import temporary_files_in
from tests.lab.test_resume import upgrades

pytestmark = pytest.mark.lab
CYCLE = CycleId(2026, 11)
Mode = Literal["before", "after"]


# A server that has loaded the program but not used it: forking pytest itself would copy the locks
# of threads that other tests have started (typst has a pool of them), and so hang.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["orchestrator.workflow.gates", "ansible_runner"])


def one_life(mode: Mode, directory: Path, home: Path) -> bool:
    """One process's life; True when it came to its end, False when it was killed."""
    process = CONTEXT.Process(target=live, args=(mode, directory, home))
    process.start()
    process.join(120)
    if process.is_alive():
        process.kill()
        raise AssertionError("a call hangs")
    assert process.exitcode in (0, -signal.SIGKILL), "the program failed instead of going on"
    return process.exitcode == 0


def live(mode: Mode, directory: Path, home: Path) -> None:
    """What a call does: go on until the journal kills it."""
    deadly(mode)
    temporary_files_in(home.with_name("tmp"))
    lab = Lab.load(directory)
    go_on(lab, Settings(lab.inventory, lab.inventory.parent / "office.yml", home))


def deadly(mode: Mode) -> None:
    """Make this process's journal kill it: after its first write, or before its second."""
    write, together, written, inside = JournalWriter.write, JournalWriter.together, [0], [False]

    @contextmanager
    def one() -> Iterator[None]:
        if mode == "before" and written[0] == 1 and not inside[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        written[0] += not inside[0]
        if mode == "after" and not inside[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def killing(self: JournalWriter, entry: Entry) -> None:
        with one():
            write(self, entry)

    @contextmanager
    def killing_together(self: JournalWriter) -> Iterator[None]:
        kill_here = mode == "before" and written[0] == 1
        with together(self):
            inside[0] = True
            yield
            if kill_here:  # all is written, and nothing durable
                os.kill(os.getpid(), signal.SIGKILL)
        inside[0] = False
        with one():
            pass

    JournalWriter.write = killing  # type: ignore[method-assign]
    JournalWriter.together = killing_together  # type: ignore[method-assign,assignment]


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
    mode: Mode, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    specs = [HostSpec("api01", "full", "breaks"), HostSpec("web01", "full", "clean")]
    lab = Lab.up(tmp_path / "lab", specs, print)
    try:
        home = tmp_path / "home"
        settings = Settings(lab.inventory, lab.inventory.parent / "office.yml", home)
        folder = settings.cycle_folder(str(CYCLE))
        kills = 0

        while not (folder / "journal.db").exists() or not read_state(folder).closed_at:
            kills += not one_life(mode, lab.directory, home)
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
        entries = sum(e.kind != "plan.part" for e in read_entries(folder / "journal.db"))
        record_property("figure", f"{kills} kill points in a cycle of {entries} journal entries")
        assert kills >= entries - 12, "some writes were never killed at"
    finally:
        lab.down()
