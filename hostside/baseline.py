"""How a host was before the update: taken by backup, compared by test (SOP 6 to 8)."""

from hostside import checks, hostinfo, managers, mounts, rpmdb, systemd

# A check that fails before the update is looked at once more: a hiccup is no pre-existing fault.
BASELINE_SETTLE_SECONDS = 1


def installed(names=None):
    """Installed versions {name: version} by the host's package manager; {} without one."""
    reader = managers.reader()
    return reader.installed(names) if reader else {}


def half_configured():
    """Packages that the package manager has not finished; rpm has no such state."""
    reader = managers.reader()
    return reader.half_configured() if reader else []


def package_key(item):
    """The key of an item in `installed`: the name, with the architecture where it is foreign."""
    return (managers.reader() or rpmdb).key(item["name"], item.get("arch", ""))


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
