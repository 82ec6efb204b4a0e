"""Backup back end `lvm`: a snapshot of the logical volume of /, restored in place, file by file.

How much room it needs and has left: `hostside/lvmroom.py`, looked at whenever the snapshot is
relied on.
"""

import contextlib
import os

from hostside import bootcopy, btrfs, hostinfo, lvmreport, lvmroom, naming, state, systemtree, tree
from hostside.command import run
from hostside.lvmreport import find, pool_of, root_volume
from hostside.treebackend import TreeBackend
from hostside.unusable import Unusable

MOUNTS = "/run/sop-run"
# How the old root is read: never replayed, never written to, also beside the mounted original.
OPTIONS = {"ext3": "noload", "ext4": "noload", "xfs": "norecovery,nouuid"}
PLAIN = "-orC"  # kinds of volume (lv_attr) of which LVM makes a thick snapshot


class Lvm(TreeBackend):
    """A snapshot volume sop-run-ID in the volume group of /."""

    def reason_against(self, request):
        """Why a snapshot of LVM would not do on this host; "" when it would."""
        tool = lvmreport.missing_tool()
        if tool:
            return "the program %s is not installed" % tool
        try:
            root = root_volume()
            if root is None:
                return "/ is not on a logical volume"
            if not root.thin and root.attributes[0] not in PLAIN:
                return "LVM makes no snapshot of %s (%s)" % (root.path, root.attributes)
            if file_system() not in OPTIONS:
                return "/ is %s, which is not read from a snapshot of LVM" % file_system()
            path = systemtree.elsewhere(besides=(bootcopy.BOOT,))
            if path:
                return "%s is on another file system than /" % path
            if bootcopy.apart() and bootcopy.reason_against():
                return bootcopy.reason_against()
            return lvmroom.lacking(root, request)
        except Unusable as error:
            return str(error)

    def location(self, identity):
        """The snapshot's device. Raises ValueError for a name that is not ours."""
        root = root_volume()
        if root is None:
            raise Unusable("/ is not on a logical volume")
        return "/dev/%s/%s" % (root.group, naming.checked(identity))

    def exists(self, identity):
        """Whether LVM reports the snapshot."""
        return find(identity) is not None

    def make(self, identity, request):
        """Make the snapshot, read-only; LVM makes the file system consistent for that moment."""
        root = root_volume()
        reason = lvmroom.lacking(root, request)
        if reason:
            raise Unusable(reason)
        for one in lvmroom.dead(root):
            lvmreport.change("lvremove", "--force", one.path)
        words = ["lvcreate", "--snapshot", "--permission", "r", "--name", naming.checked(identity)]
        if not root.thin:
            words += ["--size", "%dm" % (lvmroom.reserved(root, request) // lvmroom.MB)]
        lvmreport.change(*words, root.path)

    def take(self, identity, request):
        """Copy /boot where it is apart, make the snapshot, prove both."""
        if bootcopy.apart():
            bootcopy.take(identity)
        taken = super().take(identity, request)
        return dict(taken, proof=[*taken["proof"], *self.boot(identity)])

    def prove(self, identity, taken):
        """Sentences that prove snapshot and copy of /boot again, or Unusable."""
        return [*super().prove(identity, taken), *self.boot(identity)]

    def boot(self, identity):
        """The sentence about the copy of /boot, where there must be one."""
        if bootcopy.apart() != bootcopy.kept(identity):
            raise Unusable("/boot is not mounted as it was at the backup")
        return [bootcopy.prove(identity)] if bootcopy.apart() else []

    def sentences(self, identity):
        """It is a read-only snapshot of the volume of /, valid, not being merged, not too full."""
        found = find(identity)
        if found is None:
            raise Unusable("LVM has no snapshot %s" % identity)
        if found.thin:
            return [*lvmroom.healthy(found, pool_of(found)), read_only(found)]
        if found.state == "I" or found.attributes[0] != "s":
            raise Unusable("%s is no valid snapshot any more (%s): more was written than it "
                           "could hold" % (found.path, found.attributes))
        if found.state != "a":
            raise Unusable("%s is not active (%s)" % (found.path, found.attributes))
        return [*lvmroom.healthy(found, found), read_only(found)]

    @contextlib.contextmanager
    def tree(self, identity):
        """The snapshot, mounted read-only where only root comes by, as long as it is read."""
        path = os.path.join(state.private_folder(MOUNTS), naming.checked(identity))
        release(path)
        found = find(identity)
        if found is None:
            raise Unusable("LVM has no snapshot %s" % identity)
        try:
            show(found, self.location(identity), path)
            yield path
        finally:
            release(path)
            if found.thin:
                lvmreport.change("lvchange", "--activate", "n", found.path)

    def restore(self, identity, taken, _record):
        """Put the system paths back; returns (paths, proof sentences).

        What is put back is written again, so a thick snapshot needs room for that: it is made
        larger where that is necessary. Raises Unusable, before anything is touched when it can
        be known by then.
        """
        proof = self.prove(identity, taken)
        try:
            with self.tree(identity) as path:
                lvmroom.make_room(find(identity), size_of(path, systemtree.differences(path)))
                paths, sentence = systemtree.restore(path)
            if bootcopy.apart():
                paths = paths + bootcopy.restore(identity)
                sentence += ", /boot included"
        except OSError as error:
            raise Unusable("the snapshot could not be put back to the end: %s" % error) from None
        if lvmroom.fill(identity) >= 100:
            raise Unusable("the snapshot ran full while it was put back")
        return paths, [*proof, sentence]

    def short(self, identity):
        """Whether what the update writes could soon not be put back any more.

        Once the snapshot is lost nothing is short: without a way back the update had better end.
        """
        try:
            found = find(identity)
            return lvmroom.short(found) if found and lvmroom.used(found) < 100 else ("", False)
        except Unusable:
            return "", False

    def delete(self, identity):
        """Delete the snapshot by its exact name; nothing happens when there is none."""
        release(os.path.join(MOUNTS, naming.checked(identity)))
        found = find(identity)
        if found is not None:
            lvmreport.change("lvremove", "--force", found.path)
        bootcopy.delete(identity)


def file_system():
    """The type of the file system at /."""
    return btrfs.root_type(hostinfo.read("/proc/self/mountinfo"))


def read_only(found):
    """The sentence that nobody writes to the snapshot; Unusable when somebody could."""
    if not found.read_only:
        raise Unusable("%s can be written to (%s)" % (found.path, found.attributes))
    return "%s is a read-only LVM snapshot of %s, on which / is" % (found.path, found.origin)


def show(found, device, path):
    """Mount the snapshot. One in a thin pool is active only meanwhile: a second file system with
    the UUID of / could be taken for it at boot; of a thick one LVM itself sees to that."""
    if found.thin:
        lvmreport.change("lvchange", "--activate", "y", "--ignoreactivationskip", found.path)
    os.makedirs(path, mode=0o700, exist_ok=True)
    kind = file_system()
    options = "ro,nodev,nosuid,noexec,%s" % OPTIONS[kind]
    result = run(["mount", "-t", kind, "-o", options, device, path], timeout=lvmreport.SECONDS)
    if not result.ok:
        raise Unusable("the snapshot cannot be read: %s" % result.tail(2))


def release(path):
    """Unmount what an interrupted attempt, or this one, left there."""
    if os.path.ismount(path):
        result = run(["umount", path], timeout=lvmreport.SECONDS)
        if not result.ok:
            raise Unusable("%s cannot be unmounted: %s" % (path, result.tail(2)))
    if os.path.isdir(path):
        os.rmdir(path)


def size_of(path, changes):
    """Bytes that putting these changes back writes."""
    found = (tree.status(os.path.join(path, name)) for name in changes.replace)
    return sum(one.st_size for one in found if one is not None)


BACKEND = Lvm()
