"""The package managers that sop-run knows; the one place that chooses among them.

A reader has `installed(names=None)`, `half_configured()`, `key(name, arch)`,
`pending(refresh, advisories)` and `reboot_required()`; a writer has `carry_out(change)` and
`recover(change)`. Their locks and timers are in hostside/packagelock.py.
"""

import importlib

from hostside import hostinfo

# Modules by name, imported when they are wanted: reading those of the other systems, too, would be
# a quarter of what a check costs a host beside its package manager.
READERS = {"apt": "hostside.apt", "dnf": "hostside.dnf", "zypper": "hostside.zypper"}
WRITERS = {
    "apt": "hostside.aptchange", "dnf": "hostside.dnfchange", "zypper": "hostside.zypperchange",
}


def reader():
    """What reads this host's packages; None on a host without a package manager that we know."""
    name = READERS.get(hostinfo.package_manager())
    return importlib.import_module(name) if name else None


def writer():
    """What changes this host's packages. Raises KeyError where there is none."""
    return importlib.import_module(WRITERS[hostinfo.package_manager()])
