"""Backup back end `btrfs`: a read-only snapshot of the root, restored in place, file by file.

Restoring touches system paths only, so what services and users wrote meanwhile stays
(docs/explanation/backup.md lists the paths and says why).
"""

import glob
import hashlib
import os
import re

from hostside import hostinfo, tree
from hostside.command import run, which

FOLDER = "/.snapshots"
NAME = re.compile(r"^sop-run-[0-9a-f]{32}\Z")
SUBVOLUME_INODE = 256
PASSES = 3  # a live system may write into /etc while it is put back
# Must lie in the root's own subvolume, or the snapshot would not hold them.
MUST_HOLD = ("/usr", "/etc", "/boot", "/var/lib/dpkg", "/var/lib/dnf", "/var/lib/apt")
DPKG_DATABASE = (
    "var/lib/dpkg/status", "var/lib/dpkg/diversions", "var/lib/dpkg/statoverride",
)
RPM_DATABASE = ("rpmdb.sqlite", "Packages", "Packages.db")
# What belongs to the system and goes back; /opt by package ownership only.
SYSTEM = (
    "usr", "etc", "boot", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt",
    "var/lib/dpkg", "var/lib/apt/extended_states", "var/lib/ucf", "var/lib/pam",
    "var/cache/debconf", "var/lib/systemd/deb-systemd-helper-enabled",
    "var/lib/systemd/deb-systemd-helper-masked",
    "var/lib/systemd/deb-systemd-user-helper-enabled",
    "var/lib/dnf", "var/lib/alternatives", "var/lib/initramfs-tools",
    "var/lib/dkms", "var/lib/sgml-base", "var/lib/xml-core",
)
# Administrators' own, or kept by other programs at run time.
NOT_SYSTEM = frozenset({
    "usr/local", "etc/resolv.conf", "etc/mtab", "etc/adjtime", "etc/.pwd.lock",
    "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend", "var/lib/rpm/.rpm.lock",
    "usr/lib/sysimage/rpm/.rpm.lock",
})


class Unusable(Exception):
    """Why this back end cannot back up or restore this host, in words for the report."""


def root_type(text):
    """The file system type of / from /proc/self/mountinfo's text; the last mount counts."""
    found = ""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[4:5] == ["/"]:
            found = after.split()[0]
    return found


def reason_against():
    """Why a btrfs snapshot would not do on this host; "" when it would."""
    if root_type(hostinfo.read("/proc/self/mountinfo")) != "btrfs":
        return "/ is not on btrfs"
    if os.stat("/").st_ino != SUBVOLUME_INODE:
        return "/ is not a btrfs subvolume"
    if not which("btrfs"):
        return "the program btrfs is not installed"
    device = os.stat("/").st_dev
    for path in (*MUST_HOLD, rpm_database() or "/"):
        if os.path.isdir(path) and os.stat(path).st_dev != device:
            return "%s is on another file system or subvolume than /" % path
    return ""


def location(identity):
    """The snapshot's path. Raises ValueError for a name that is not ours."""
    if not NAME.match(identity):
        raise ValueError("%r is no backup of sop-run" % identity[:80])
    return os.path.join(FOLDER, identity)


def rpm_database():
    """The folder of rpm's database on a dnf host; "" elsewhere."""
    if hostinfo.package_manager() != "dnf":
        return ""
    path = run(["rpm", "--eval", "%_dbpath"], timeout=60).out.strip()
    return os.path.realpath(path) if path.startswith("/") else "/var/lib/rpm"


def database_files():
    """The package database's main files, relative to a root."""
    if hostinfo.package_manager() == "apt":
        return DPKG_DATABASE
    return [os.path.join(rpm_database(), name)[1:] for name in RPM_DATABASE]


def database_digest(root):
    """SHA-256 over the package database's files below `root`; raises Unusable when it has none."""
    checksum, found = hashlib.sha256(), 0
    for path in database_files():
        full = os.path.join(root, path)
        if os.path.isfile(full):
            found += 1
            checksum.update(path.encode("ascii") + b"\0")
            with open(full, "rb") as stream:
                for block in iter(lambda: stream.read(tree.COPY), b""):
                    checksum.update(block)
    if not found:
        raise Unusable("there is no package database below %s" % root)
    return checksum.hexdigest()


def take(identity):
    """Make the snapshot and prove it; returns `{location, size_bytes, sha256, proof}`.

    A snapshot of that name that an interrupted attempt left is taken anew when the package
    database has changed since. Raises Unusable when it cannot be made or proven.
    """
    path = location(identity)
    if os.path.isdir(path) and database_digest(path) != database_digest("/"):
        delete(identity)
    if not os.path.isdir(path):
        os.makedirs(FOLDER, mode=0o750, exist_ok=True)
        result = run(["btrfs", "subvolume", "snapshot", "-r", "/", path], timeout=120)
        if not result.ok:
            raise Unusable("btrfs made no snapshot: %s" % result.tail())
    return {"location": path, "size_bytes": 0, "sha256": database_digest(path),
            "proof": prove(identity)}


def prove(identity, checksum=None):
    """Sentences that prove the snapshot; raises Unusable when it is missing, writable or altered.

    `checksum`: of the package database as recorded; None compares with the live one.
    """
    path = location(identity)
    if not os.path.isdir(path) or os.stat(path).st_ino != SUBVOLUME_INODE:
        raise Unusable("%s is not there" % path)
    result = run(["btrfs", "property", "get", "-ts", path, "ro"], timeout=60)
    if not result.ok or result.out.strip() != "ro=true":
        raise Unusable("%s is not read-only: %s" % (path, result.tail()))
    held = database_digest(path)
    if held != (checksum or database_digest("/")):
        raise Unusable("the package database in %s is not the one it should be" % path)
    return [
        "%s is a read-only btrfs snapshot of /" % path,
        "its package database has SHA-256 %s, equal to %s" % (
            held, "the record" if checksum else "the live one"),
    ]


def delete(identity):
    """Delete a snapshot of ours; raises Unusable when btrfs refuses."""
    path = location(identity)
    if os.path.isdir(path):
        result = run(["btrfs", "subvolume", "delete", path], timeout=120)
        if not result.ok:
            raise Unusable("%s cannot be deleted: %s" % (path, result.tail()))


def owned_below_opt(root):
    """Paths below opt/ that packages own in the tree at `root`, relative to it."""
    owned = set()
    for path in glob.glob(os.path.join(glob.escape(root), "var/lib/dpkg/info/*.list")):
        with open(path, "r", encoding="utf-8", errors="surrogateescape") as stream:
            owned.update(line[1:].rstrip("\n") for line in stream if line.startswith("/opt/"))
    if which("rpm") and hostinfo.package_manager() == "dnf":
        result = run(["rpm", "--root", root, "-qal"], timeout=120, limit=256 * tree.COPY)
        owned.update(x[1:] for x in result.out.splitlines() if x.startswith("/opt/"))
    return owned


def system_path(owned):
    """The predicate that says which paths go back."""
    def wanted(path):
        if path in NOT_SYSTEM:
            return False
        return not path.startswith("opt/") or path in owned
    return wanted


def differences(identity):
    """What a restore would change, as tree.Changes."""
    path = location(identity)
    owned = set()
    if os.path.isdir("/opt") and os.listdir("/opt"):
        owned = owned_below_opt("/") | owned_below_opt(path)
    trees = tree.Trees(path, "/", system_path(owned))
    for start in (*SYSTEM, *filter(None, [rpm_database()[1:]])):
        if tree.status(os.path.join(path, start)) or tree.status("/" + start):
            trees.compare(start)
    return trees.changes


def restore(identity, checksum):
    """Put the system paths back as they are in the snapshot; returns (paths, proof sentences).

    Raises Unusable before anything is touched when the snapshot is not proven any more.
    """
    proof = prove(identity, checksum)
    changed = set()
    for _ in range(PASSES):
        changes = differences(identity)
        if not changes.paths():
            break
        changed.update(changes.paths())
        tree.put_back(location(identity), "/", changes)
        os.sync()
    else:
        left = differences(identity).paths()
        if left:
            raise Unusable("%d paths still differ after the restore: %s" % (
                len(left), ", ".join(left[:5])))
    proof.append("%d system paths were put back and none differs any more" % len(changed))
    return sorted("/" + path for path in changed), proof
