"""One host is never in the change phase of two cycles at once (SOP steps 6 to 8).

Two guards: a lock for each host, held by the process that changes it, and the other cycles'
journals, which tell of a change that was begun and whose process is gone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import CHANGING
from orchestrator.workflow.settings import Settings

LOCKS = "locks"


def lock_file(home: Path, host: str) -> Path:
    """The lock of a host; by hash, so that no host's name is a path or too long for one."""
    return home / LOCKS / f"{sha256_hex(host)}.lock"


@contextmanager
def alone_on(settings: Settings, cycle: str, hosts: Iterable[str]) -> Iterator[None]:
    """Keep these hosts for one cycle; raises CannotRunError, changing nothing, when one is taken.

    The locks end with the process, however it ends.
    """
    folder = settings.home / LOCKS
    chosen = sorted(hosts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRunError(f"{folder} cannot be made: {error}", "nothing was changed") from error
    with ExitStack() as stack:
        for host in chosen:
            stack.enter_context(_lock(lock_file(settings.home, host), host, cycle))
        _require_no_begun_change(settings, cycle, set(chosen))
        yield


@contextmanager
def _lock(path: Path, host: str, cycle: str) -> Iterator[None]:
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotRunError(
                f"{host} is being changed by {lock.read().strip() or 'another run'}",
                "nothing was changed by this run: wait until that ends, then run it again",
            ) from None
        lock.truncate(0)
        lock.write(f"cycle {cycle}, process {os.getpid()}")
        lock.flush()
        yield


def _require_no_begun_change(settings: Settings, cycle: str, hosts: set[str]) -> None:
    """Refuse hosts on which another open cycle has begun to work and has not come to an end."""
    for state in known_states(settings):
        for host in sorted(hosts & begun(state)) if state.cycle != cycle else ():
            raise CannotRunError(
                f"cycle {state.cycle} has begun to change {host} and is not done with it",
                f"nothing was changed by this run: first end that one with `sop-run monthly "
                f"--period {state.cycle}`, then run this again",
            )


def known_states(settings: Settings) -> Iterator[CycleState]:
    """All cycles of the home folder as they stand, by name.

    A journal without entries, of a run that ended before its first, is passed over.
    """
    for path in sorted((settings.home / "cycles").glob("*/journal.db")):
        if next(read_entries(path), None) is not None:
            yield read_state(path.parent)


def begun(state: CycleState) -> set[str]:
    """Hosts that a cycle has begun to change, or was ordered to restore, and not judged since.

    What is ordered back goes to a backup that was the latest when the order was signed: no other
    cycle may change the host in between.
    """
    if state.closed_at:
        return set()
    touched = {h for run in state.runs if run.phase in CHANGING for h in run.hosts}
    return {h for h in touched if h not in state.verdicts} | set(state.to_restore)
