"""A control group per host, so that the systemd of one host never manages another's processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from orchestrator.model.errors import CannotRunError


def hierarchies() -> list[Path]:
    """Where systemd keeps processes apart: the unified hierarchy, and version 1's `systemd`."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split()[:3]
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(left.split()[4]))
    return found


def create(prefix: str, name: str) -> list[str]:
    """Make the groups of a host; returns the files that a process joins them by."""
    files = []
    for hierarchy in hierarchies():
        group = hierarchy / prefix / name
        group.mkdir(parents=True, exist_ok=True)
        files.append(str(group / "cgroup.procs"))
    return files


def remove(prefix: str, seconds: float = 10) -> None:
    """Remove all groups of a lab; the kernel lets go of ended processes a moment late.

    Raises CannotRunError when a group stays in use.
    """
    deadline = time.monotonic() + seconds
    for hierarchy in hierarchies():
        top = hierarchy / prefix
        while top.exists():
            busy = _remove_empty(top)
            if busy is not None and time.monotonic() > deadline:
                raise CannotRunError(f"lab: the control group {top} cannot be removed: {busy}")
            if busy is not None:
                time.sleep(0.05)


def _remove_empty(top: Path) -> OSError | None:
    """Remove a tree of groups from its leaves; the last refusal, or None."""
    refusal = None
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError as error:
            refusal = error
    return refusal
