"""A host's whole file system, file by file, so that a test can prove that nothing was changed."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from orchestrator.lab.lab import Lab

# What any login and any running host writes by itself.
BY_ITSELF = (
    "var/log/journal/", "var/log/wtmp", "var/log/lastlog", "var/log/btmp", "var/log/auth.log",
    "var/log/syslog", "var/lib/systemd/", "var/lib/private/systemd/", "root/.cache/",
)  # fmt: skip
# Whoever reads an rpm database touches its index in shared memory; zypper's metadata have a cookie.
BY_READING = ("rpmdb.sqlite-shm", "var/lib/YaST2/cookies")

Tree = dict[str, tuple[object, ...]]


def tree(lab: Lab, host: str) -> Tree:
    """Path → kind, mode, owner, size, and the kernel's own times of everything on the disk.

    No program can set the time of change (ctime): a file with the same one was not written to.
    """
    root, found = lab.root(host), {}
    for base, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(base) / name
            short = str(path.relative_to(root))
            if not short.startswith(BY_ITSELF) and not short.endswith(BY_READING):
                found[short] = describe(path)
    return found


def describe(path: Path) -> tuple[object, ...]:
    facts = path.lstat()
    common = (facts.st_mode, facts.st_uid, facts.st_gid)
    if stat.S_ISDIR(facts.st_mode):
        return common  # names that come and go in it are found by themselves
    if path.name.endswith("-wal"):  # sqlite opens it for every reader; its content must be the same
        return (*common, hashlib.sha256(path.read_bytes()).hexdigest())
    return (*common, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def differences(before: Tree, after: Tree) -> set[str]:
    """Paths that came, went or changed."""
    return {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
