"""Mounted file systems: read, looked at by a check, compared with the baseline (SOP 6 to 8)."""

import os
import re

from hostside import hostinfo
from hostside.command import run
from hostside.outcome import result
from hostside.probes import Failed

MOUNTINFO = "/proc/self/mountinfo"
FSTAB = "/etc/fstab"
# File systems that hold data; all others are the kernel's, or come and go by themselves.
LASTING = re.compile(
    r"^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|reiserfs|vfat|exfat|ntfs3?|nfs4?|cifs|smb3|ceph|gfs2|ocfs2"
    r"|glusterfs|fuseblk|fuse\.(sshfs|glusterfs|s3fs|rclone|ceph|mergerfs))$"
)
PASSING = re.compile(
    r"^/(run|media|snap|tmp|proc|sys|dev)(/|$)|^/var/(snap|lib/(docker|containers?|containerd"
    r"|kubelet|machines|lxd|lxc))(/|$)|/\.snapshots(/|$)"
)
LOW_BYTES = 100 * 1024 * 1024
MB = 1024 * 1024


def unescape(text):
    """A path of mountinfo or fstab: `\\040` is a space."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)


def parse_mountinfo(text):
    """{mount point: {mount, fstype, source, options}}; of several on one point the last counts.

    `options` joins those of the mount and of the file system, sorted.
    """
    found = {}
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if dash and len(fields) > 5 and len(rest) > 2:
            mount = unescape(fields[4])
            # The mount's own ro or rw wins over that of its file system.
            options = set(fields[5].split(",")) | (set(rest[2].split(",")) - {"rw", "ro"})
            if "ro" in rest[2].split(","):
                options = (options - {"rw"}) | {"ro"}
            found[mount] = {
                "mount": mount, "fstype": rest[0], "source": unescape(rest[1]),
                "options": sorted(options),
            }
    return found


def parse_fstab(text):
    """Mount points that the host mounts at boot."""
    found = set()
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 3 and not fields[0].startswith("#"):
            options = fields[3].split(",")
            if fields[1].startswith("/") and not {"noauto", "x-systemd.automount"} & set(options):
                found.add(unescape(fields[1]))
    return found


def baseline():
    """`[{mount, fstype, writable, standing}]` of file systems that hold data, by mount point.

    `standing`: mounted at boot by /etc/fstab, or the root itself.
    """
    standing = parse_fstab(hostinfo.read(FSTAB)) | {"/"}
    return [
        {
            "mount": name, "fstype": entry["fstype"], "writable": "ro" not in entry["options"],
            "standing": name in standing,
        }
        for name, entry in sorted(parse_mountinfo(hostinfo.read(MOUNTINFO)).items())
        if LASTING.match(entry["fstype"]) and not PASSING.search(name)
    ]


def compare(before, now):
    """One test for each mount that is gone or became read-only, one for all that are well.

    A mount that is not in /etc/fstab is `wanted` only: someone mounted it by hand.
    """
    present = {entry["mount"]: entry for entry in now}
    tests = []
    for old in before:
        new, name = present.get(old["mount"]), old["mount"]
        words = ""
        if new is None:
            words = "was mounted before (%s), is not now" % old["fstype"]
        elif old["writable"] and not new["writable"]:
            words = "was writable before, is read-only now"
        if words:
            tests.append(result(
                name, "mount", name, "failed", words, required=bool(old["standing"])
            ))
    return [result(
        "file systems still mounted", "mount", "*", "passed",
        "%d of %d file systems are mounted as before" % (len(before) - len(tests), len(before)),
    ), *tests]


def compare_disks(before, now):
    """One test for each disk that had room before and has hardly any now; never required."""
    old = {entry["mount"]: entry for entry in before}
    tests = []
    for disk in now:
        earlier = old.get(disk["mount"])
        if earlier and disk["free"] < LOW_BYTES <= earlier["free"]:
            tests.append(result(
                disk["mount"], "disk", disk["mount"], "failed",
                "%d MB are free, %d MB before" % (disk["free"] // MB, earlier["free"] // MB),
                required=False,
            ))
    words = ", ".join("%s %d MB" % (disk["mount"], disk["free"] // MB) for disk in now)
    return [result("room on disks", "disk", "*", "passed", "free: " + words), *tests]


def check_mount(check, limit):
    """Passes when `path` is mounted, as `fstype`, with `options`, with `free_mb` or
    `free_percent` free. The space is asked by a program that ends with the time limit."""
    path = os.path.normpath(str(check["path"]))
    entry = parse_mountinfo(hostinfo.read(MOUNTINFO)).get(path)
    if entry is None:
        raise Failed("%s is not mounted" % path)
    if check.get("fstype") and check["fstype"] != entry["fstype"]:
        raise Failed("%s is %s instead of %s" % (path, entry["fstype"], check["fstype"]))
    missing = sorted(set(map(str, check.get("options") or [])) - set(entry["options"]))
    if missing:
        raise Failed("%s is mounted without %s" % (path, ", ".join(missing)))
    found = run(["stat", "-f", "--printf=%a %S %b", "--", path], timeout=limit)
    if not found.ok:
        raise Failed(found.tail(1) or "%s did not answer within %g s" % (path, limit))
    free, block, total = (int(word) for word in found.out.split())
    share = 100.0 * free / total if total else 100.0
    words = "%s (%s) has %d MB (%d %%) free" % (path, entry["fstype"], free * block // MB, share)
    if free * block < float(check.get("free_mb") or 0) * MB:
        raise Failed(words)
    if share < float(check.get("free_percent") or 0):
        raise Failed(words)
    return words
