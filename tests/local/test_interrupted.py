"""An archive that is interrupted at any point is whole or not there, and is made when asked again.

The process that makes it dies at its first, second, … last operation on the disk, by turns.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import pytest

from orchestrator.archive.audit import audit_archive
from orchestrator.archive.bag import make_bag, manifest_hash
from orchestrator.journal.fold import fold
from orchestrator.journal.store import read_entries
from tests.cli import temporary_files_in
from tests.local.conftest import LocalOffice

OPERATIONS = {
    "open", "os.mkdir", "os.rename", "os.rmdir", "os.remove", "shutil.copyfile", "sqlite3.connect",
}  # fmt: skip
# A server that has loaded the program but not used it; forking pytest copies locks of its threads.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["orchestrator.archive.bag"])
KILLED = 77


def make(cycle: Path, target: Path, deadly: int) -> None:
    """Make the archive; die at operation number `deadly` (0: never) on the target's folder."""
    seen = 0
    temporary_files_in(target.parents[1] / "tmp")

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in OPERATIONS and any(str(target.parent) in str(a) for a in arguments):
            seen += 1
            if seen == deadly:
                os._exit(KILLED)

    entries = list(read_entries(cycle / "journal.db"))
    place = next(e.seq for e in entries if e.kind == "archive.made")
    state = fold(e for e in entries if e.seq < place)
    sys.addaudithook(count)
    make_bag(cycle, state, target)


def child(cycle: Path, target: Path, deadly: int) -> int:
    """The exit code of a process that makes the archive."""
    process = CONTEXT.Process(target=make, args=(cycle, target, deadly))
    process.start()
    process.join(120)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


@pytest.mark.parametrize("left_over", [False, True])
def test_whole_or_not_at_all(
    months: LocalOffice, tmp_path: Path, left_over: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    cycle = months.home / "cycles/2026-11"
    right = manifest_hash(months.home / "archive/2026/2026-11")
    target = tmp_path / "2026" / "2026-11"
    points = 0
    while True:
        shutil.rmtree(target.parent, ignore_errors=True)
        if left_over:  # of a run that was killed before the journal knew of it
            shutil.copytree(months.home / "archive/2026/2026-11", target)
        code = child(cycle, target, points + 1)
        if target.exists():
            assert manifest_hash(target) == right
            if points % 10 == 0 or code == 0:  # each time would take minutes; its hash is right
                assert audit_archive(target).ok
        if code == 0:
            break
        assert code == KILLED
        points += 1
        if points % 10 == 0:
            assert child(cycle, target, 0) == 0
            assert manifest_hash(target) == right
            assert [p.name for p in target.parent.iterdir()] == ["2026-11"]
    assert points > 50, "the operations were not counted"
    with capsys.disabled():
        print(f"\narchive interrupted at {points} points, left over: {left_over}")
