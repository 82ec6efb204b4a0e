"""The journal on disk: one SQLite file per cycle, append-only, one writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from orchestrator.journal.anchor import Anchor, check_anchor, check_end
from orchestrator.journal.entry import GENESIS, BrokenChain, Entry, check_link, sealed_hash
from orchestrator.model.canonical import canonical_json
from orchestrator.model.errors import CannotRunError, UsageError

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, step INTEGER,
    actor TEXT NOT NULL, host TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
);
CREATE TRIGGER IF NOT EXISTS entry_no_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


def now_utc() -> str:
    """The present time as UTC ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _structure(db: sqlite3.Connection) -> list[tuple[str, ...]]:
    rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
    return rows.fetchall()


def _check_structure(db: sqlite3.Connection) -> None:
    """Raise BrokenChain unless the database holds the journal's own table and nothing else.

    A forged file could name a view `entry` that never ends, or hide what nobody looks at.
    """
    with closing(sqlite3.connect(":memory:")) as own:
        own.executescript(SCHEMA)
        if _structure(db) != _structure(own):
            raise BrokenChain(1, "the database has another structure than a journal")


def _read_row(row: tuple[Any, ...], seq: int, prev: str, *, strict: bool) -> Entry:
    """One row as an entry; raises BrokenChain for whatever is wrong with it."""
    try:
        numbers, texts = (row[0], 0 if row[3] is None else row[3]), (*row[1:3], *row[4:])
        if not all(type(n) is int for n in numbers) or not all(type(t) is str for t in texts):
            raise TypeError("a column has another type")
        seq_, at, kind, step, actor, host, text, before, digest = row
        entry = Entry(seq_, at, kind, step, actor, host, json.loads(text), before, digest)
        if not isinstance(entry.body, dict):
            raise TypeError("the body is not an object")
        if strict and canonical_json(entry.body) != row[6]:
            raise ValueError("the body is not canonical JSON")  # a key that stands twice, NaN
        check_link(entry, seq, prev, sealed_hash(row[:8]))
    except BrokenChain:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise BrokenChain(seq, f"unreadable: {error}") from error
    return entry


def _check_known(db: sqlite3.Connection, known: tuple[int, str]) -> None:
    """Raise BrokenChain unless the entry that was read before still stands there."""
    if known[0]:
        row = db.execute("SELECT hash FROM entry WHERE seq = ?", known[:1]).fetchone()
        if row != known[1:]:
            raise BrokenChain(known[0], "it is not the entry that was read before (replaced)")


def read_entries(
    path: Path, *, frozen: bool = False, after: tuple[int, str] = (0, GENESIS)
) -> Generator[Entry, None, None]:
    """Yield the entries of a journal, each checked against the chain.

    `after` is number and hash of an entry that was read before: only later ones are yielded.
    `frozen` reads a file that nobody writes (an archive, also on read-only media), and trusts it
    less: its structure and the very bytes of each body are checked, too.
    Raises BrokenChain at the first entry that fails, UsageError when there is no such journal.
    """
    if not path.is_file():
        raise UsageError(f"no journal at {path}", "sop-run status lists the cycles")
    uri = f"{path.resolve().as_uri()}?{'immutable=1' if frozen else 'mode=ro'}"
    seq, prev = after[0] + 1, after[1]
    # Read before the entries: a writer at work is never behind its anchor.
    known = (0, "") if frozen else Anchor(path).read()
    try:
        with closing(sqlite3.connect(uri, uri=True)) as db:
            if frozen:
                _check_structure(db)
            _check_known(db, after)
            rows = db.execute(
                "SELECT seq, at, kind, step, actor, host, body, prev, hash FROM entry "
                "WHERE seq > ? ORDER BY seq",
                (after[0],),
            )
            for row in rows:
                entry = _read_row(row, seq, prev, strict=frozen)
                check_anchor(known, seq, entry.hash)
                yield entry
                prev, seq = entry.hash, seq + 1
    except sqlite3.DatabaseError as error:
        raise BrokenChain(seq, f"the database cannot be read from here on: {error}") from error
    check_end(known, seq)


class StoredEntries(Iterable[Entry]):
    """The first `count` entries of a journal, read anew by each pass, so that none is kept.

    A pass raises BrokenChain when the last of them is not `head`: the journal is another one.
    """

    def __init__(self, path: Path, count: int, head: str, *, frozen: bool = False) -> None:
        self.path, self.count, self.head, self._frozen = path, count, head, frozen

    def __iter__(self) -> Iterator[Entry]:
        entry: Entry | None = None
        for entry in islice(read_entries(self.path, frozen=self._frozen), self.count):
            yield entry
        if entry is None or (entry.seq, entry.hash) != (self.count, self.head):
            raise BrokenChain(self.count, "it is not the entry that was read before (replaced)")


INSERT = "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?)"


def _row(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.seq,
        entry.at,
        entry.kind,
        entry.step,
        entry.actor,
        entry.host,
        canonical_json(entry.body),
        entry.prev,
        entry.hash,
    )


def write_copy(entries: Iterable[Entry], path: Path) -> None:
    """Write entries to a new journal that is one plain file: no companions, read-only media too.

    The same entries give the same bytes. Raises sqlite3.Error when the disk refuses.
    """
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA)
        with db:
            db.executemany(INSERT, (_row(e) for e in entries))


def _holder(lock: IO[str]) -> str:
    """Who holds a lock, in the holder's own words, which come a moment after the lock."""
    for _ in range(40):
        lock.seek(0)
        if words := lock.read().strip():
            return words
        time.sleep(0.05)
    return "an unknown process"


class JournalWriter:
    """The one writer of a journal; use as a context manager.

    Holds an exclusive lock for its life. Each `append` is durable when it returns
    (WAL, synchronous=FULL). Raises UsageError naming the holder when another run has the lock.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._anchor = Anchor(path)
        self._create = create
        self._lock: IO[str] | None = None
        self._db: sqlite3.Connection | None = None
        self.seq = 0
        self.head = GENESIS

    def __enter__(self) -> JournalWriter:
        if not self._create and not self.path.is_file():
            raise UsageError(f"no journal at {self.path}", "sop-run status lists the cycles")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._acquire()
            self._db = sqlite3.connect(self.path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise CannotRunError(
                f"the journal {self.path} cannot be written: {error}",
                "check space and permissions; nothing was done",
            ) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up the lock and the database."""
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _acquire(self) -> None:
        lock = self.path.with_name("journal.lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(lock)
            lock.close()
            raise UsageError(
                f"the cycle is in use by {holder}",
                "wait until it ends; two runs at the same time are never allowed",
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()} since {now_utc()}")
        lock.flush()
        self._lock = lock

    def entries(self) -> Iterator[Entry]:
        """All entries so far, checked; leaves the writer at the head."""
        for entry in read_entries(self.path):
            self.seq, self.head = entry.seq, entry.hash
            yield entry

    def next_entry(
        self, kind: str, *, step: int | None, actor: str, host: str, body: dict[str, Any]
    ) -> Entry:
        """The entry that would follow the head now, sealed but not written."""
        # Through JSON and back, so that what is folded now is what will be read later.
        plain = json.loads(canonical_json(body))
        return Entry(self.seq + 1, now_utc(), kind, step, actor, host, plain, self.head).sealed()

    def write(self, entry: Entry) -> None:
        """Make an entry durable; raises CannotRunError when the disk refuses."""
        assert self._db is not None, "the journal is not open"
        with self._writing():
            self._db.execute(INSERT, _row(entry))
            if not self._db.in_transaction:  # else `together` ends with it
                self._anchor.write(entry.seq, entry.hash)
        self.seq, self.head = entry.seq, entry.hash

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside becomes durable at the end, as one: all of it or nothing."""
        assert self._db is not None, "the journal is not open"
        with self._writing():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._writing():
                self._db.execute("COMMIT")
                self._anchor.write(self.seq, self.head)
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CannotRunError(
                f"the journal {self.path} cannot be written: {error}",
                "free space or repair the disk, then run the same command again: it goes on here",
            ) from error
