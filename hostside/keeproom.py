"""Room for a backup of the back end `packages`, estimated from above (SOP step 6, rehearsed)."""

import os

from hostside import hostinfo, state, systemtree
from hostside.command import run

MB = 1024 * 1024
DPKG = ["dpkg-query", "-W", "-f=${Installed-Size}\\n"]
RPM = ["rpm", "-q", "--qf", "%{SIZE}\\n"]


def tree_bytes(path):
    """Bytes of the files below a path; 0 when there is none."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    total = 0
    for base, _, names in os.walk(path):
        for name in names:
            full = os.path.join(base, name)
            if not os.path.islink(full) and os.path.isfile(full):
                total += os.path.getsize(full)
    return total


def installed_bytes(names):
    """Bytes that installed packages take on the disk; their package files are smaller."""
    if not names:
        return 0
    apt = hostinfo.package_manager() == "apt"
    result = run([*(DPKG if apt else RPM), *names], timeout=120)
    sizes = [int(line) for line in result.out.split() if line.isdigit()]
    return sum(sizes) * (1024 if apt else 1)


def needed(names):
    """Bytes that a backup of these packages, of /etc and of the package database takes at most."""
    database = systemtree.rpm_database() or "/var/lib/dpkg/status"
    return installed_bytes(names) + tree_bytes("/etc") + tree_bytes(database)


def free():
    """Bytes that root may still use where backups would lie."""
    path = state.ROOT
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    status = os.statvfs(path)
    return status.f_bfree * status.f_frsize


def short(names, reserve_mb):
    """Why there is no room for the backup; "" when there is."""
    wanted, there = needed(names) + int(reserve_mb * MB), free()
    if there >= wanted:
        return ""
    return "%s has %d MB free, and the backup may need %d MB" % (
        state.ROOT, there // MB, wanted // MB)
