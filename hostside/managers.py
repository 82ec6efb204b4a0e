"""The package managers that sop-run knows; the one place that chooses among them.

A reader has `installed(names=None)`, `half_configured()`, `key(name, arch)`,
`pending(refresh, advisories)` and `reboot_required()`; a writer has `carry_out(change)` and
`recover(change)`. Their locks and timers are in hostside/packagelock.py.
"""

import collections

from hostside import apt, aptchange, dnf, dnfchange, hostinfo, zypper, zypperchange

Manager = collections.namedtuple("Manager", "reader writer")
KNOWN = {
    "apt": Manager(apt, aptchange),
    "dnf": Manager(dnf, dnfchange),
    "zypper": Manager(zypper, zypperchange),
}


def reader():
    """What reads this host's packages; None on a host without a package manager that we know."""
    found = KNOWN.get(hostinfo.package_manager())
    return found.reader if found else None


def writer():
    """What changes this host's packages. Raises KeyError where there is none."""
    return KNOWN[hostinfo.package_manager()].writer
