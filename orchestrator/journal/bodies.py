"""Bodies of entries that were folded, read again when they are asked for.

A cycle's evidence and plan may be far larger than what memory should hold; the state of a cycle
keeps a way to them instead.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from orchestrator.journal.entry import Entry, sealed_hash
from orchestrator.model.errors import CannotRunError

Load = Callable[[], dict[str, Any]]


class Bodies(Protocol):
    """Keeps bodies somewhere."""

    def keep(self, entry: Entry) -> Load:
        """A way to read the entry's body again."""


class InMemory:
    """Holds the bodies: for journals that are made of entries in memory."""

    def keep(self, entry: Entry) -> Load:
        """The body itself."""
        return lambda: entry.body


class OnDisk:
    """Leaves the bodies in the journal's file, which is opened when the first is read.

    What is read is compared with the hash that the entry had when it was folded.
    """

    def __init__(self, path: Path, *, frozen: bool = False) -> None:
        self._uri = f"{path.resolve().as_uri()}?{'immutable=1' if frozen else 'mode=ro'}"
        self._db: sqlite3.Connection | None = None

    def __deepcopy__(self, _: dict[int, Any]) -> OnDisk:
        return self

    def keep(self, entry: Entry) -> Load:
        """Reads the entry by its number."""
        return _Place(self, entry.seq, bytes.fromhex(entry.hash))

    def close(self) -> None:
        """Let go of the file; it is opened again when something is read."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def body(self, seq: int, digest: bytes) -> dict[str, Any]:
        """The body of an entry; raises CannotRunError when it is not the one that was folded."""
        try:
            if self._db is None:
                self._db = sqlite3.connect(self._uri, uri=True)
            row = self._db.execute(READ, (seq,)).fetchone()
        except sqlite3.Error as error:
            raise CannotRunError(f"journal entry {seq} cannot be read again: {error}") from error
        # Columns of another type than text cannot be hashed: that entry is another one, too.
        texts = row is not None and all(isinstance(row[n], str) for n in (1, 2, 4, 5, 6, 7))
        if not texts or sealed_hash(row) != digest.hex():
            raise CannotRunError(
                f"journal entry {seq} is not the one that was read before",
                "the journal was changed from outside; `sop-run audit` says more",
            )
        body: dict[str, Any] = json.loads(row[6])
        return body


READ = "SELECT seq, at, kind, step, actor, host, body, prev FROM entry WHERE seq = ?"


class _Place:
    """Where a body stands; small, since a cycle has very many of them."""

    __slots__ = ("_bodies", "_hash", "_seq")

    def __init__(self, bodies: OnDisk, seq: int, digest: bytes) -> None:
        self._bodies, self._seq, self._hash = bodies, seq, digest

    def __call__(self) -> dict[str, Any]:
        return self._bodies.body(self._seq, self._hash)
