"""Reads a journal on as it grows, without ever taking its lock: for looking on while others work.

Each look opens the file read-only and closes it before anything is done with what was read, so
that the process that writes is never held up.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from orchestrator.journal.bodies import OnDisk
from orchestrator.journal.entry import GENESIS, BrokenChain, Entry
from orchestrator.journal.fold import step_forward
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.model.errors import CannotRunError

AT_ONCE = 1000
"""Entries that are read before any of them is looked at; a large cycle has tens of thousands."""
PATIENCE = 5
"""Looks in a row that may find the database busy before that is an error."""


class Follower:
    """A cycle's state, kept up to date by looking at its journal again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: CycleState | None = None  # None: nothing has been recorded yet
        self._bodies = OnDisk(folder / "journal.db")
        self._busy = 0

    def new(self) -> Iterator[tuple[Entry, CycleState]]:
        """The entries since the last look, oldest first, each with the state after it.

        Raises CannotRunError when the journal is not what was written.
        """
        more = True
        while more:
            entries = self._read()
            for entry in entries:
                self.state = step_forward(self.state, entry, self._bodies)
                yield entry, self.state
            more = len(entries) == AT_ONCE

    def _read(self) -> list[Entry]:
        after = (self.state.seq, self.state.head) if self.state is not None else (0, GENESIS)
        self._bodies.close()
        try:
            found = read_entries(self.folder / "journal.db", after=after)
            entries = list(islice(found, AT_ONCE))
            found.close()
        except BrokenChain as error:
            self._busy += 1
            if isinstance(error.__cause__, sqlite3.OperationalError) and self._busy < PATIENCE:
                return []
            raise CannotRunError(
                str(error), "the journal was changed from outside; `sop-run audit` says more"
            ) from error
        self._busy = 0
        return entries


def holder(folder: Path, locks: Path = Path("/proc/locks")) -> int | None:
    """The process of this machine that works on the cycle; 0: none does; None: nobody can tell.

    Read from the kernel's own list: to try the lock would take it from a run that begins.
    """
    path = folder / "journal.lock"
    try:
        inode = str(path.stat().st_ino)
        words = path.read_text(encoding="utf-8").split()  # process PID on HOST since TIME
        held = [line.split() for line in locks.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError):
        return None
    if len(words) < 4 or not words[1].isdecimal() or words[3] != socket.gethostname():
        return None
    for fields in held:
        # "1: FLOCK ADVISORY WRITE 1234 08:01:131 0 EOF"; on btrfs the device is another one
        flock = fields[1:2] == ["FLOCK"] and fields[4:5] == [words[1]]
        if flock and fields[5].rpartition(":")[2] == inode:
            return int(words[1])
    return 0
