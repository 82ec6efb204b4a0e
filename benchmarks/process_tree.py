"""Runs a command and tells what its whole process tree cost. Standard library only, run as a file.

`process_tree.py SECONDS OUTPUT COMMAND…` prints one line of JSON; what the command itself prints
goes to the file OUTPUT. Wall time ends with the command. What it leaves running (ssh connections
that are kept open) is ended then, and counts as well: this process is their subreaper, so every
descendant is reaped by its parent or by us, and its processor time is added up by the kernel.

It is a process of its own, small on purpose: a child's peak memory is never less than that of the
process that it was forked from.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_SECONDS = 20
"""How long processes that were left running may take to end by themselves when asked to."""


def children() -> list[int]:
    """Process ids of our children, adopted and ended ones too."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(word) for word in path.read_text(encoding="ascii").split()]


def end_rest() -> None:
    """End and reap everything that is left of the tree, also what comes to us by that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := children():
        for pid in left:
            # Not reaped yet, so the number is still this process's own.
            os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)


def run(seconds: float, output: str, command: list[str]) -> dict[str, float]:
    """Exit code, wall and processor seconds, peak memory in KB of the head and of the largest."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with Path(output).open("wb") as said:
        actions = [(os.POSIX_SPAWN_DUP2, said.fileno(), target) for target in (1, 2)]
        began = time.monotonic()
        head = os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setsid=True)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(head, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status, used = os.wait4(head, 0)
    wall = time.monotonic() - began
    signal.setitimer(signal.ITIMER_REAL, 0)
    end_rest()
    total = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "wall_s": round(wall, 3),
        "cpu_s": round(total.ru_utime + total.ru_stime, 3),
        "controller_kb": used.ru_maxrss,
        "largest_kb": total.ru_maxrss,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(float(sys.argv[1]), sys.argv[2], sys.argv[3:])))
