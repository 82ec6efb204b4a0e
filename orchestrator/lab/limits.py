"""Kernel limits of the machine that several systemds at once exceed, shared by all labs.

Raised when the first lab comes, put back when the last one goes. Each lab registers a folder
under /run/sop-run-lab; ssh keeps its sockets there, as their paths must be short.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/run/sop-run-lab")
NAMESPACES = Path("/run/netns")
SYSCTL = Path("/proc/sys")
BEFORE = "limits.json"
# At the default of 128 instances the 22nd systemd fails; neighbour tables count all namespaces.
WANTED = {
    "fs/inotify/max_user_instances": 16384,
    "fs/inotify/max_user_watches": 1048576,
    "net/ipv4/neigh/default/gc_thresh1": 4096,
    "net/ipv4/neigh/default/gc_thresh2": 8192,
    "net/ipv4/neigh/default/gc_thresh3": 16384,
}


def registration(prefix: str) -> Path:
    """A lab's own folder below /run."""
    return FOLDER / prefix


def raise_limits(prefix: str) -> None:
    """Register the lab and raise what is too low; the values from before are kept first."""
    with locked():
        registration(prefix).mkdir(mode=0o700, exist_ok=True)
        before = read_before()
        current = {key: read(key) for key in WANTED}
        lower = {key: value for key, value in current.items() if value < WANTED[key]}
        write_before({**lower, **before})
        for key in lower:
            (SYSCTL / key).write_text(str(WANTED[key]), encoding="ascii")


def restore_limits(prefix: str) -> None:
    """Take the lab off the register; the last one puts the limits back."""
    if not FOLDER.exists():
        return
    with locked():
        shutil.rmtree(registration(prefix), ignore_errors=True)
        for other in FOLDER.iterdir():
            # A lab that ended with the machine, or whose folder was deleted, has no namespace.
            if other.is_dir() and not (NAMESPACES / other.name).exists():
                shutil.rmtree(other)
        if not any(entry.is_dir() for entry in FOLDER.iterdir()):
            for key, value in read_before().items():
                (SYSCTL / key).write_text(str(value), encoding="ascii")
            shutil.rmtree(FOLDER)


def registered() -> list[str]:
    """Prefixes of the labs that are up on this machine."""
    if not FOLDER.exists():
        return []
    names = sorted(entry.name for entry in FOLDER.iterdir() if entry.is_dir())
    return [name for name in names if (NAMESPACES / name).exists()]


def read(key: str) -> int:
    """The present value of a limit."""
    return int((SYSCTL / key).read_text(encoding="ascii"))


def read_before() -> dict[str, int]:
    """The values from before the first lab."""
    path = FOLDER / BEFORE
    if not path.exists():
        return {}
    return {str(key): int(value) for key, value in json.loads(path.read_text()).items()}


def write_before(values: dict[str, int]) -> None:
    """Keep the values from before, whole or not at all."""
    temporary = FOLDER / f".{BEFORE}"
    temporary.write_text(json.dumps(values), encoding="ascii")
    temporary.rename(FOLDER / BEFORE)


@contextmanager
def locked() -> Iterator[None]:
    """Hold the register's lock: the folder itself, which the last lab removes."""
    while True:
        FOLDER.mkdir(mode=0o755, exist_ok=True)
        try:
            handle = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if FOLDER.exists() and FOLDER.stat().st_ino == os.fstat(handle).st_ino:
                yield
                return
        finally:
            os.close(handle)
