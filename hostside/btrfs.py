"""Backup back end `btrfs`: a read-only snapshot of the root, restored in place, file by file."""

import os

from hostside import hostinfo, naming, systemtree
from hostside.command import run, which
from hostside.treebackend import TreeBackend
from hostside.unusable import Unusable

FOLDER = "/.snapshots"
SUBVOLUME_INODE = 256
SECONDS = 120


def root_type(text):
    """The file system type of / from /proc/self/mountinfo's text; the last mount counts."""
    found = ""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[4:5] == ["/"]:
            found = after.split()[0]
    return found


def sentences_of(path):
    """Sentences that prove the snapshot at `path`; Unusable when it is missing or writable."""
    if not os.path.isdir(path) or os.stat(path).st_ino != SUBVOLUME_INODE:
        raise Unusable("%s is not there" % path)
    result = run(["btrfs", "property", "get", "-ts", path, "ro"], timeout=60)
    if not result.ok or result.out.strip() != "ro=true":
        raise Unusable("%s is not read-only: %s" % (path, result.tail()))
    return ["%s is a read-only btrfs snapshot of /" % path]


class Btrfs(TreeBackend):
    """A snapshot at /.snapshots/sop-run-ID."""

    def reason_against(self, request):
        """Why a btrfs snapshot would not do on this host; "" when it would."""
        if root_type(hostinfo.read("/proc/self/mountinfo")) != "btrfs":
            return "/ is not on btrfs"
        if os.stat("/").st_ino != SUBVOLUME_INODE:
            return "/ is not a btrfs subvolume"
        if not which("btrfs"):
            return "the program btrfs is not installed"
        path = systemtree.elsewhere()
        return "%s is on another file system or subvolume than /" % path if path else ""

    def location(self, identity):
        """The snapshot's path. Raises ValueError for a name that is not ours."""
        return os.path.join(FOLDER, naming.checked(identity))

    def exists(self, identity):
        """Whether there is something at the snapshot's path."""
        return os.path.isdir(self.location(identity))

    def make(self, identity, request):
        """Make the snapshot."""
        os.makedirs(FOLDER, mode=0o750, exist_ok=True)
        words = ["btrfs", "subvolume", "snapshot", "-r", "/", self.location(identity)]
        result = run(words, timeout=SECONDS)
        if not result.ok:
            raise Unusable("btrfs made no snapshot: %s" % result.tail())

    def sentences(self, identity):
        """It is there and read-only."""
        return sentences_of(self.location(identity))

    def delete(self, identity):
        """Delete the snapshot."""
        path = self.location(identity)
        if os.path.isdir(path):
            result = run(["btrfs", "subvolume", "delete", path], timeout=SECONDS)
            if not result.ok:
                raise Unusable("%s cannot be deleted: %s" % (path, result.tail()))


BACKEND = Btrfs()
