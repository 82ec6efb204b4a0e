"""Which processes belong to a lab: those in its network namespaces, and no others."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from orchestrator.model.errors import CannotRunError

NAMESPACES = Path("/run/netns")
Identity = tuple[int, int]  # device and inode of a namespace


def identity(path: Path) -> Identity | None:
    """What the kernel knows a namespace by; None when it, or its process, is gone."""
    try:
        status = path.stat()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return status.st_dev, status.st_ino


def members(namespaces: Collection[str]) -> Iterator[int]:
    """Process ids in any of the named network namespaces."""
    wanted = {identity(NAMESPACES / name) for name in namespaces} - {None}
    # A namespace file without a mount on it is none: never take it for one.
    wanted -= {identity(Path("/proc/self/ns/net"))}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and identity(entry / "ns/net") in wanted:
            yield int(entry.name)


def end_members(namespaces: Collection[str], seconds: float = 20) -> None:
    """Kill every process in the namespaces and wait until all are gone.

    Raises CannotRunError when some are still there after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while pids := list(members(namespaces)):
        for pid in pids:
            kill_member(pid, namespaces)
        if time.monotonic() > deadline:
            raise CannotRunError(f"lab: processes {pids[:10]} do not end")
        time.sleep(0.05)


def kill_member(pid: int, namespaces: Collection[str]) -> None:
    """Kill a process if it still is a member: its number may have gone to another by now."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        mine = {identity(NAMESPACES / name) for name in namespaces} - {None}
        if identity(Path(f"/proc/{pid}/ns/net")) in mine:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def leader(namespace: str) -> int | None:
    """The process that is number 1 inside the host of this namespace, or None."""
    depth = len(process_numbers(os.getpid())) + 1
    for pid in sorted(members([namespace])):
        numbers = process_numbers(pid)
        if len(numbers) == depth and numbers[-1] == 1:
            return pid
    return None


def process_numbers(pid: int) -> list[int]:
    """A process's number in every process namespace that it is in; empty when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return [int(word) for word in line.split()[1:]]


def start_time(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else int(fields[19])


def command_line(pid: int) -> list[str]:
    """A process's argument list; empty when it is gone."""
    try:
        data = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return data.decode(errors="replace").split("\0")[:-1]
