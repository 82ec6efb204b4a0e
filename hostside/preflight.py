"""What must be true of a host before it is changed (SOP step 6); in doubt the answer is no."""

import os
import re

from hostside import baseline, clocksync, hostinfo, packagelock

LOCK_SECONDS = 120
RESERVE_MB = 200
UNPACKED = 3.5  # installed size over package size, generously
KERNEL_MB = 150
FREE_INODES = 5000
KERNEL = re.compile(r"^(linux-image-|linux-modules-|kernel(-core|-modules)?$)")
MB = 1024 * 1024
# Package names, architectures and versions; nothing that a tool could take for an option.
PLAIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9+.:~^_-]*\Z")


def passed(request, answer, mend=False):
    """Whether the host may be changed; otherwise `answer` has status and every reason.

    `mend`: an interrupted transaction goes on, so half-configured packages are its own affair.
    """
    options = request.get("options", {})
    incoming = request.get("items", []) + (options.get("allow_new") or [])
    if os.geteuid() != 0:
        answer.stop("refused", "not-root", "a change of the host needs root",
                    "Set ansible_become: true, or connect as root.")
        return False
    if hostinfo.package_manager() == "none":
        answer.stop("refused", "no-package-manager", "neither apt, dnf nor zypper is here",
                    "Take the host out of the inventory, or update it by hand.")
        return False
    refused = [
        malformed(incoming, options.get("allow_removals") or []),
        clock(clocksync.offset_of(request),
              float(options.get("clock_tolerance_seconds", clocksync.TOLERANCE_SECONDS))),
        space(incoming, float(options.get("reserve_mb", RESERVE_MB))),
        None if mend else unfinished(),
    ]
    for reason in filter(None, refused):
        answer.stop("refused", *reason)
    if answer.status == "ok":
        lock_free(options, answer)
    return answer.status == "ok"


def malformed(items, removals=()):
    """A reason when a package's name, architecture or version is none, None otherwise."""
    words = [str(name) for name in removals]
    for item in items:
        if item.get("class") != "antivirus":
            keys = ("name", "version") if "version" in item else ("name", "from", "to")
            words += [str(item.get(key, "")) for key in keys]
            words += [item["arch"]] if item.get("arch") else []
    wrong = [word[:80] for word in words if not PLAIN.match(word)]
    if not wrong:
        return None
    return ("bad-item", "these are no package names or versions: %r" % wrong[:5],
            "Check this host again; the plan's items are not what its package manager says.")


def clock(offset, tolerance):
    """A reason when the host's clock is off from the control node's, None otherwise."""
    if offset is None or abs(offset) <= tolerance:
        return None
    return ("clock-off", clocksync.OFF % offset,
            "Set the clocks (timedatectl, chrony); signatures and logs depend on them.")


def needs(items, reserve_mb):
    """Bytes needed per mount: downloads under /var, unpacked files under /, kernels in /boot."""
    size = sum(int(item.get("size") or 0) for item in items)
    reserve = int(reserve_mb * MB)
    kernels = sum(1 for item in items if KERNEL.match(item.get("name", "")))
    return {
        "/": int(size * UNPACKED) + reserve,
        "/var": size + reserve,
        "/boot": kernels * KERNEL_MB * MB,
    }


def space(items, reserve_mb):
    """A reason when a file system is too small or out of inodes, None otherwise.

    Needs of mounts that share a file system add up.
    """
    needed = {}
    for mount, size in needs(items, reserve_mb).items():
        if os.path.isdir(mount):
            device = os.stat(mount).st_dev
            name, before = needed.get(device, (mount, 0))
            needed[device] = (name, before + size)
    short = []
    for mount, size in needed.values():
        status = os.statvfs(mount)
        free = status.f_bavail * status.f_frsize
        if free < size:
            short.append("%s has %d MB free and needs %d MB" % (mount, free // MB, size // MB))
        if status.f_files and status.f_favail < FREE_INODES:
            short.append("%s has %d free inodes and needs %d" % (
                mount, status.f_favail, FREE_INODES))
    if not short:
        return None
    return ("no-space", "; ".join(short), "Make room, or lower backup_reserve_mb with care.")


def unfinished():
    """A reason when packages are left half-configured, None otherwise."""
    names = baseline.half_configured()
    if not names:
        return None
    return ("half-configured", "dpkg has not finished: %s" % ", ".join(names[:20]),
            "Run `dpkg --configure -a` on the host, then start again.")


def lock_free(options, answer):
    """Wait for the package manager's lock; status `blocked`, naming the holder, when it stays."""
    seconds = float(options.get("lock_seconds", LOCK_SECONDS))
    holder = packagelock.wait_free(seconds)
    if holder:
        answer.stop("blocked", "package-lock", "after %.0f s: %s" % (seconds, holder),
                    "Wait for that process, or end it, and run the command again.")
