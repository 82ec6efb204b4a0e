"""SIGTERM and Ctrl-C stop the work at a safe boundary (fault 35).

That is between two phases, and while hosts that work on by themselves are waited for: the machine
that runs the program may be one of them, and sends SIGTERM when it restarts.
"""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

from orchestrator.model.errors import CannotRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(CannotRunError):
    """The user asked to stop; everything so far is recorded and the same command goes on."""


class SafeStop:
    """While active, the first signal asks to stop; a second one stops at once, as usual."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, object] = {}
        self.asked = False

    def __enter__(self) -> SafeStop:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()
        name = signal.Signals(number).name
        # Not by print: a handler may interrupt one, and buffered streams refuse to be re-entered.
        os.write(2, f"{name}: stopping at the next safe boundary (once more: at once)\n".encode())

    def boundary(self) -> None:
        """Raise Stopped here if it was asked for."""
        if self.asked:
            raise Stopped(
                "stopped at a safe boundary, as asked",
                "nothing is lost: run the same command again to go on",
            )
