"""How a host was before the update: taken by backup, compared by test (SOP 6 to 8)."""

from hostside import apt, checks, dnf, hostinfo, mounts, systemd

# A check that fails before the update is looked at once more: a hiccup is no pre-existing fault.
BASELINE_SETTLE_SECONDS = 1


def installed(names=None):
    """Installed versions {name: version} by the host's package manager; {} without one."""
    manager = hostinfo.package_manager()
    if manager == "apt":
        return apt.installed(names)
    return dnf.installed(names) if manager == "dnf" else {}


def half_configured():
    """Packages that dpkg has not finished; rpm has no such state."""
    return apt.half_configured() if hostinfo.package_manager() == "apt" else []


def package_key(item):
    """The key of an item in `installed`: the name, with the architecture where it is foreign."""
    if hostinfo.package_manager() == "apt":
        return apt.key(item["name"], item.get("arch", ""))
    return dnf.key(item["name"], item.get("arch", ""))


def package_items(request):
    """The request's items that are packages, not antivirus databases."""
    return [item for item in request.get("items", []) if item.get("class") != "antivirus"]


def take(request):
    """`facts.baseline` of the backup phase: boot, units, ports, mounts, disks, packages, checks.

    Raises ValueError when the office's checks are malformed, OSError when systemd does not answer.
    """
    names = sorted({package_key(item) for item in package_items(request)})
    return {
        "boot_id": hostinfo.boot_id(),
        "active_units": systemd.active_units(),
        "failed_units": systemd.failed_units(),
        "ports": systemd.listening_ports(),
        "mounts": mounts.baseline(),
        "disk": hostinfo.disks(),
        "packages": installed(names) if names else {},
        "checks": checks.run_all(
            request.get("options", {}).get("checks") or [], BASELINE_SETTLE_SECONDS
        ),
    }
