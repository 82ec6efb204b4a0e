"""Backup back end `zfs`: a snapshot of the root's dataset, restored in place, file by file.

UNTESTED: no machine with ZFS was at hand. It follows zfs(8) and shares everything after the
snapshot with the tested back end btrfs.
"""

import os

from hostside import hostinfo, naming, systemtree
from hostside.command import run, which
from hostside.treebackend import TreeBackend
from hostside.unusable import Unusable

SECONDS = 120


def dataset():
    """The dataset that is mounted at /; "" when / is not on ZFS."""
    found = ""
    for line in hostinfo.read("/proc/self/mounts").splitlines():
        fields = line.split()
        if fields[1:2] == ["/"]:
            found = fields[0] if fields[2:3] == ["zfs"] else ""
    return found


class Zfs(TreeBackend):
    """A snapshot DATASET@sop-run-ID."""

    def reason_against(self, request):
        """Why a ZFS snapshot would not do on this host; "" when it would."""
        if not dataset():
            return "/ is not on ZFS"
        if not which("zfs"):
            return "the program zfs is not installed"
        path = systemtree.elsewhere()
        return "%s is on another dataset or file system than /" % path if path else ""

    def name(self, identity):
        """The snapshot's name for zfs. Raises ValueError for one that is not ours."""
        return "%s@%s" % (dataset(), naming.checked(identity))

    def location(self, identity):
        """Where ZFS shows the snapshot's files, read-only."""
        return os.path.join("/.zfs/snapshot", naming.checked(identity))

    def exists(self, identity):
        """Whether zfs lists the snapshot."""
        words = ["zfs", "list", "-H", "-t", "snapshot", "-o", "name", self.name(identity)]
        result = run(words, timeout=SECONDS)
        return result.ok and result.out.strip() == self.name(identity)

    def make(self, identity, request):
        """Make the snapshot."""
        result = run(["zfs", "snapshot", self.name(identity)], timeout=SECONDS)
        if not result.ok:
            raise Unusable("zfs made no snapshot: %s" % result.tail())

    def sentences(self, identity):
        """zfs lists it and shows its files."""
        if not self.exists(identity) or not os.path.isdir(self.location(identity)):
            raise Unusable("zfs does not list %s" % self.name(identity))
        return ["%s is a ZFS snapshot of /" % self.name(identity)]

    def delete(self, identity):
        """Delete the snapshot."""
        if self.exists(identity):
            result = run(["zfs", "destroy", self.name(identity)], timeout=SECONDS)
            if not result.ok:
                raise Unusable("%s cannot be deleted: %s" % (self.name(identity), result.tail()))


BACKEND = Zfs()
