"""A copy of /boot, where that is a file system of its own that a snapshot of / does not hold.

Kernels, initrds and the boot loader's menu are small, so they are copied beside the backup's
record, file by file, and put back the same way. A copy is bound to its SHA-256 by a sealed file.
"""

import hashlib
import os
import shutil
import stat

from hostside import durable, hostinfo, mounts, records, tree
from hostside.unusable import Unusable

BOOT = "/boot"
# Keep owner, mode and links; on others (an EFI partition, say) a copy would not be the same.
KINDS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs"})
SPARE = 200 * 1024 * 1024


def apart():
    """Whether /boot is a file system of its own."""
    return os.path.isdir(BOOT) and os.stat(BOOT).st_dev != os.stat("/").st_dev


def reason_against():
    """Why /boot cannot be copied; "" when it can."""
    kind = mounts.parse_mountinfo(hostinfo.read(mounts.MOUNTINFO)).get(BOOT, {}).get("fstype", "")
    if kind not in KINDS:
        return "/boot is a file system of its own (%s), of which no copy is made" % (
            kind or "unknown")
    return ""


def folder(identity):
    """Where the copy of this backup lies."""
    return os.path.join(records.place(identity), "boot")


def seal(identity):
    """The file that binds the copy to its SHA-256."""
    return folder(identity) + ".json"


def kept(identity):
    """Whether this backup has a copy of /boot."""
    return os.path.exists(seal(identity))


def wanted(root):
    """The predicate that leaves out what is mounted below `root`."""
    device = os.lstat(root).st_dev

    def inside(path):
        found = tree.status(os.path.join(root, path))
        return found is None or found.st_dev == device
    return inside


def copy(source, target):
    """Make `target` the same as `source`, as far as it differs; returns the paths put there."""
    trees = tree.Trees(source, target, wanted(BOOT))
    trees.compare("")
    tree.put_back(source, target, trees.changes)
    tree.attributes(source, target)
    os.sync()
    return [path for path in trees.changes.paths() if path]


def digest(root):
    """SHA-256 over names, kinds, owners, modes, times and contents of everything below `root`."""
    checksum = hashlib.sha256()
    for base, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(base, name)
            found = os.lstat(path)
            words = [os.path.relpath(path, root), found.st_mode, found.st_uid, found.st_gid]
            if stat.S_ISREG(found.st_mode):
                words += [found.st_size, found.st_mtime_ns]
            elif stat.S_ISLNK(found.st_mode):
                words.append(os.readlink(path))
            checksum.update(repr(words).encode("utf-8", "surrogateescape"))
            if stat.S_ISREG(found.st_mode):
                with open(path, "rb") as stream:
                    for block in iter(lambda: stream.read(tree.COPY), b""):
                        checksum.update(block)
    return checksum.hexdigest()


def take(identity):
    """Copy /boot, and seal the copy. Raises Unusable when there is no room or it differs."""
    target = folder(identity)
    status = os.statvfs(BOOT)
    size = (status.f_blocks - status.f_bfree) * status.f_frsize
    os.makedirs(target, mode=0o700, exist_ok=True)
    room = os.statvfs(target)
    if room.f_bavail * room.f_frsize < size + SPARE:
        raise Unusable("%s has no room for a copy of /boot (%d MB)" % (target, size >> 20))
    copy(BOOT, target)
    if copy(BOOT, target):
        raise Unusable("/boot changes while it is copied")
    durable.write_sealed(seal(identity), {"content": digest(target)})


def prove(identity):
    """The sentence that the copy is whole; Unusable when it is not there or was altered."""
    try:
        known = durable.read_sealed(seal(identity))["content"]
    except (FileNotFoundError, durable.Damaged, KeyError) as error:
        raise Unusable("the copy of /boot cannot be relied on: %s" % error) from None
    if digest(folder(identity)) != known:
        raise Unusable("the copy of /boot in %s was altered" % folder(identity))
    return "/boot is copied to %s, SHA-256 %s" % (folder(identity), known)


def restore(identity):
    """Put /boot back; returns the paths. Raises Unusable when it still differs afterwards."""
    paths = copy(folder(identity), BOOT)
    left = copy(folder(identity), BOOT)
    if left:
        raise Unusable("/boot still differs after the restore: %s" % ", ".join(left[:5]))
    return sorted(os.path.join(BOOT, path) for path in paths)


def delete(identity):
    """Remove the copy; nothing happens when there is none."""
    if os.path.isdir(records.place(identity)):
        shutil.rmtree(records.place(identity))
