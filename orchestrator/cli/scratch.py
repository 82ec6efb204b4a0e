"""The folder of this process's temporary files, which goes with it however it ends."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from contextlib import suppress

ENDING = {signal.SIGINT, signal.SIGTERM}


def own_temporary_folder() -> None:
    """Put all temporary files from here on into one folder, removed when the process exits.

    A signal may come between the making of a file and the note that it must go, or in the middle of
    its removal; here it waits for both.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        with suppress(OSError):  # without room or rights: what needs a file will say so
            folder = tempfile.mkdtemp(prefix="sop-run-")
            atexit.register(_remove, folder, os.getpid())
            tempfile.tempdir = folder
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # never by a process that was forked from it
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        shutil.rmtree(folder, ignore_errors=True)
