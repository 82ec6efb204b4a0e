"""Which news was sent where: `notified.jsonl` in the home folder, so that nothing is sent twice.

It is no part of the journal: whether somebody's telephone was in reach is no fact of the procedure,
and what officers sign must not change because of it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

FILE = "notified.jsonl"
FINAL = ("begun", "sent")
"""What was begun and never came to an end may have arrived, so it is not sent again."""


class Ledger:
    """The open ledger; one process at a time."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._last: dict[tuple[str, str, str], str] = {}
        with os.fdopen(os.dup(handle), encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                    key = (entry["cycle"], entry["key"], entry["target"])
                    self._last[key] = str(entry["result"])
                except (ValueError, KeyError, TypeError):
                    continue  # a line that a full disk or a lost power cut short

    def is_open(self, cycle: str, key: str, target: str) -> bool:
        """Whether this news still has to be sent there: never begun, or known to have failed."""
        return self._last.get((cycle, key, target)) not in FINAL

    def note(self, cycle: str, key: str, target: str, result: str) -> None:
        """Write down, durably, that sending was `begun`, or that it was `sent` or `failed`."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"at": at, "cycle": cycle, "key": key, "target": target, "result": result}
        os.write(self._handle, f"{json.dumps(entry, sort_keys=True)}\n".encode())
        os.fsync(self._handle)
        self._last[(cycle, key, target)] = result


@contextmanager
def ledger(home: Path) -> Iterator[Ledger]:
    """The home folder's ledger, locked; raises OSError where it cannot be written."""
    home.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    handle = os.open(home / FILE, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield Ledger(handle)
    finally:
        os.close(handle)
