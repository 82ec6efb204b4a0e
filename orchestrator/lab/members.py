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


def identities(namespaces: Collection[str]) -> dict[Identity, str]:
    """The named network namespaces that exist, by what the kernel knows them by."""
    found = {identity(NAMESPACES / name): name for name in namespaces}
    found.pop(None, None)
    # A namespace file on which nothing is mounted must never be taken for our own namespace.
    found.pop(identity(Path("/proc/self/ns/net")), None)
    return {key: name for key, name in found.items() if key is not None}


def members(namespaces: Collection[str]) -> Iterator[tuple[int, str]]:
    """Every process in one of the named network namespaces: (process id, namespace)."""
    wanted = identities(namespaces)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            found = identity(entry / "ns/net")
            if found in wanted:
                yield int(entry.name), wanted[found]


def end_members(namespaces: Collection[str], seconds: float = 30) -> None:
    """Kill every process in the namespaces and wait until all are gone.

    Raises CannotRunError when some are still there after `seconds`.
    """
    deadline = time.monotonic() + seconds
    wanted = identities(namespaces)
    while pids := [pid for pid, _ in members(namespaces)]:
        for pid in pids:
            kill_member(pid, wanted)
        if time.monotonic() > deadline:
            raise CannotRunError(f"lab: processes {pids[:10]} do not end")
        time.sleep(0.05)


def kill_member(pid: int, wanted: Collection[Identity]) -> None:
    """Kill a process if it still is a member: its number may have gone to another by now."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if identity(Path(f"/proc/{pid}/ns/net")) in wanted:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def leaders(namespaces: Collection[str]) -> dict[str, int]:
    """The process that is number 1 inside each host that runs, by namespace."""
    depth = len(process_numbers(os.getpid())) + 1
    found: dict[str, int] = {}
    for pid, name in members(namespaces):
        numbers = process_numbers(pid)
        if len(numbers) == depth and numbers[-1] == 1:
            found[name] = pid
    return found


def leader(namespace: str) -> int | None:
    """The process that is number 1 inside the host of this namespace, or None."""
    return leaders([namespace]).get(namespace)


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
