"""Puts the system paths of the live root back as they are in a snapshot's read-only tree.

For every back end that can show the old root as a folder (btrfs, snapper, ZFS, LVM). Only system
paths are touched, so what services and users wrote meanwhile stays
(docs/explanation/backup.md lists the paths and says why).
"""

import glob
import hashlib
import os

from hostside import hostinfo, rpmdb, tree
from hostside.command import run, which
from hostside.unusable import Unusable

PASSES = 3  # a live system may write into /etc while it is put back
# Must lie in the snapshot with /, or it would not hold them.
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
    "var/lib/dnf", "var/lib/zypp", "var/lib/alternatives", "var/lib/initramfs-tools",
    "var/lib/dkms", "var/lib/sgml-base", "var/lib/xml-core",
)
# Administrators' own, or kept by other programs at run time.
NOT_SYSTEM = frozenset({
    "usr/local", "etc/resolv.conf", "etc/mtab", "etc/adjtime", "etc/.pwd.lock",
    "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend", "var/lib/rpm/.rpm.lock",
    "usr/lib/sysimage/rpm/.rpm.lock",
})


def elsewhere(besides=()):
    """The first system path that lies on another file system or subvolume than /; "" for none.

    `besides`: paths that the back end keeps in another way.
    """
    device = os.stat("/").st_dev
    for path in (*MUST_HOLD, rpm_database() or "/"):
        if path not in besides and os.path.isdir(path) and os.stat(path).st_dev != device:
            return path
    return ""


def rpm_database():
    """The folder of rpm's database on a host with dnf or zypper; "" elsewhere."""
    return rpmdb.folder() if hostinfo.package_manager() in hostinfo.ON_RPM else ""


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


def owned_below_opt(root):
    """Paths below opt/ that packages own in the tree at `root`, relative to it."""
    owned = set()
    for path in glob.glob(os.path.join(glob.escape(root), "var/lib/dpkg/info/*.list")):
        with open(path, "r", encoding="utf-8", errors="surrogateescape") as stream:
            owned.update(line[1:].rstrip("\n") for line in stream if line.startswith("/opt/"))
    if which("rpm") and hostinfo.package_manager() in hostinfo.ON_RPM:
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


def differences(path):
    """What restoring from the tree at `path` would change, as tree.Changes."""
    owned = set()
    if os.path.isdir("/opt") and os.listdir("/opt"):
        owned = owned_below_opt("/") | owned_below_opt(path)
    trees = tree.Trees(path, "/", system_path(owned))
    for start in (*SYSTEM, *filter(None, [rpm_database()[1:]])):
        if tree.status(os.path.join(path, start)) or tree.status("/" + start):
            trees.compare(start)
    return trees.changes


def restore(path):
    """Put the system paths back as they are in the tree at `path`; returns (paths, sentence).

    Raises Unusable when something still differs at the end.
    """
    changed = set()
    for _ in range(PASSES):
        changes = differences(path)
        if not changes.paths():
            break
        changed.update(changes.paths())
        tree.put_back(path, "/", changes)
        os.sync()
    else:
        left = differences(path).paths()
        if left:
            raise Unusable("%d paths still differ after the restore: %s" % (
                len(left), ", ".join(left[:5])))
    sentence = "%d system paths were put back and none differs any more" % len(changed)
    return sorted("/" + name for name in changed), sentence
