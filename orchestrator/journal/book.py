"""A cycle open for writing: its journal and its state, which never disagree."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from orchestrator.journal.bodies import OnDisk
from orchestrator.journal.entry import BrokenChain
from orchestrator.journal.fold import fold, step_forward
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import JournalWriter, read_entries
from orchestrator.model.errors import CannotRunError


def machine_actor() -> str:
    """Who acts when the program does: user@machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


class CycleBook:
    """The journal's writer together with the folded state; use as a context manager.

    Every `record` is checked against the procedure first, then made durable, then applied.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        self._writer = JournalWriter(folder / "journal.db", create=create)
        self._bodies = OnDisk(folder / "journal.db")
        self._state: CycleState | None = None

    def __enter__(self) -> CycleBook:
        self._writer.__enter__()
        try:
            for entry in self._writer.entries():
                self._state = step_forward(self._state, entry, self._bodies)
        except BrokenChain as error:
            self._writer.close()
            raise CannotRunError(
                str(error), "the journal was changed from outside; `sop-run audit` says more"
            ) from error
        except BaseException:
            self._writer.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bodies.close()  # before the writer, which tidies up behind the last one that reads
        self._writer.close()

    @property
    def is_new(self) -> bool:
        """Whether nothing has been recorded yet."""
        return self._state is None

    @property
    def state(self) -> CycleState:
        """The state after the last entry."""
        assert self._state is not None, "nothing has been recorded yet"
        return self._state

    def record(
        self,
        kind: str,
        body: dict[str, Any] | None = None,
        *,
        step: int | None = None,
        actor: str = "",
        host: str = "",
    ) -> None:
        """Record that something happened; raises IllegalEntry when the procedure forbids it.

        The fold changes its state only after all checks, and a disk that refuses ends the run,
        so the state in memory is never ahead of a journal that goes on being used.
        """
        entry = self._writer.next_entry(
            kind, step=step, actor=actor or machine_actor(), host=host, body=body or {}
        )
        state = step_forward(self._state, entry, self._bodies)
        self._writer.write(entry)
        self._state = state

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded inside becomes durable at the end, as one: all of it or nothing.

        When it fails nothing was recorded, and this book can not be used any more.
        """
        try:
            with self._writer.together():
                yield
        except BaseException:
            self._state = None  # it is ahead of the journal
            raise


def read_state(folder: Path) -> CycleState:
    """The state of a cycle, for reading only; works while another process writes."""
    try:
        path = folder / "journal.db"
        return fold(read_entries(path), OnDisk(path))
    except BrokenChain as error:
        raise CannotRunError(
            str(error), "the journal was changed from outside; `sop-run audit` says more"
        ) from error
