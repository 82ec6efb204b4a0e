"""Package files that the check downloads, so that what was approved is what is installed (SOP 2).

They lie below /var/cache/sop-run, the only place in which a check leaves anything on a host. A file
counts only with the SHA-256 of the signed metadata, here and again before it is installed.
"""

import os
import shutil

from hostside import durable

FOLDER = "/var/cache/sop-run/staged"
SECONDS = 1800  # for all downloads of a host
MB = 1024 * 1024


class Staged:
    """What was staged: `facts.staged` of the check."""

    def __init__(self):
        self.files = 0
        self.size = 0
        self.missing = []  # names of packages
        self.reason = ""

    def fact(self):
        """As the contract wants it."""
        return {"folder": FOLDER, "files": self.files, "bytes": self.size,
                "missing": sorted(self.missing), "reason": self.reason}


def open_folder():
    """Make the folder with room for apt's partial files; others may read, only root may write."""
    os.makedirs(os.path.join(FOLDER, "partial"), mode=0o755, exist_ok=True)
    for path in (os.path.dirname(FOLDER), FOLDER):
        os.chmod(path, 0o755)  # noqa: S103 - apt's own user must get to its files; all are public


def path_of(name):
    """Path of a staged file. Raises ValueError for a name that is none."""
    if "/" in name or name in ("", ".", "..", "partial"):
        raise ValueError("%r is no file name" % name[:80])
    return os.path.join(FOLDER, name)


def has(name, sha256):
    """Whether a staged file is there with this SHA-256."""
    path = path_of(name)
    return bool(sha256) and os.path.isfile(path) and durable.file_sha256(path) == sha256


def remove(name):
    """Remove a staged file, if there is one."""
    if os.path.isfile(path_of(name)):
        os.unlink(path_of(name))


def prune(keep=()):
    """Remove staged files, all but those named in `keep`; the folder itself goes when empty."""
    if not os.path.isdir(FOLDER):
        return
    for name in os.listdir(FOLDER):
        path = os.path.join(FOLDER, name)
        if name not in keep and os.path.isfile(path):
            os.unlink(path)
    if not keep:
        shutil.rmtree(FOLDER)


def drop(checksums):
    """Remove staged files by their SHA-256: they were installed, or were not fit to be."""
    for name in os.listdir(FOLDER) if os.path.isdir(FOLDER) else []:
        path = os.path.join(FOLDER, name)
        if os.path.isfile(path) and durable.file_sha256(path) in checksums:
            os.unlink(path)


def room(reserve_mb):
    """Bytes that may be used in the folder's file system; negative when there is too little."""
    status = os.statvfs(FOLDER)
    return int(status.f_bavail * status.f_frsize - reserve_mb * MB)


def not_root():
    """`facts.staged` of a check without root: it keeps nothing on the host."""
    staged = Staged()
    staged.reason = "only root can keep files on the host"
    return staged.fact()


def settle(wanted):
    """Prove every wanted file; returns a Staged. `wanted`: {file name: entry of the plan}.

    A file with another SHA-256 is removed. An entry whose metadata names none gets the file's.
    """
    staged = Staged()
    for name, entry in sorted(wanted.items()):
        path = path_of(name)
        if not os.path.isfile(path):
            staged.missing.append(entry["name"])
            continue
        found = durable.file_sha256(path)
        if entry["sha256"] and found != entry["sha256"]:
            os.unlink(path)
            staged.missing.append(entry["name"])
            staged.reason = "%s has SHA-256 %s, the metadata says %s" % (
                name, found, entry["sha256"])
            continue
        entry["sha256"] = found
        staged.files += 1
        staged.size += os.path.getsize(path)
    return staged


def lend(name, sha256, target):
    """Put a staged file where a package manager looks for it; returns whether that was done."""
    if not has(name, sha256):
        return False
    temporary = target + ".sop-run"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    try:
        os.link(path_of(name), temporary)
    except OSError:  # another file system
        shutil.copyfile(path_of(name), temporary)
    os.rename(temporary, target)
    return True
