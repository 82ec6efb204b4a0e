"""What a host is: system, kernel, boot, addresses, disks. Read from files, without side effects."""

import ipaddress
import os
import re
import socket
import sys
import time

from hostside.command import run, which

BOOT_ID = "/proc/sys/kernel/random/boot_id"
OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
FIB_TRIE = "/proc/net/fib_trie"
IF_INET6 = "/proc/net/if_inet6"
WATCHED_MOUNTS = ("/", "/var", "/boot")
DEBIAN_LIKE = frozenset({"debian", "ubuntu"})
RPM_LIKE = frozenset({"rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"})
SUSE_LIKE = frozenset({"suse", "opensuse", "sles", "sled", "opensuse-leap", "opensuse-tumbleweed"})
TOOLS = {"apt": ("apt-get", "dpkg-query"), "dnf": ("dnf", "rpm"), "zypper": ("zypper", "rpm")}
ON_RPM = ("dnf", "zypper")  # package managers that work on rpm's database


def read(path, limit=1024 * 1024):
    """The first `limit` bytes of a file as text, or "" when it cannot be read."""
    try:
        with open(path, "rb") as handle:
            return handle.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def boot_id():
    """The kernel's random id of this boot: it changes with every real restart (SOP step 7)."""
    return read(BOOT_ID).strip()


def parse_os_release(text):
    """os-release(5) as a dict; shell quotes are taken off, nothing is expanded."""
    values = {}
    for line in text.splitlines():
        match = re.match(r"\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$", line)
        if match:
            value = match.group(2)
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            values[match.group(1)] = value
    return values


def os_release():
    """The host's os-release; {} where it has none."""
    for path in OS_RELEASE:
        text = read(path)
        if text:
            return parse_os_release(text)
    return {}


def operating_system():
    """`{id, version, name}` of the operating system."""
    release = os_release()
    return {
        "id": release.get("ID", "linux"),
        "version": release.get("VERSION_ID", release.get("VERSION_CODENAME", "")),
        "name": release.get("PRETTY_NAME", release.get("NAME", "")),
    }


def package_manager():
    """`apt`, `dnf`, `zypper` or `none`."""
    release = os_release()
    return choose_manager(set(release.get("ID_LIKE", "").split()) | {release.get("ID", "")}, {
        name for name, tools in TOOLS.items() if all(which(tool) for tool in tools)
    })


def choose_manager(family, present):
    """By the system's `family` (its ID and ID_LIKE) first, for a host may have several tools.

    SUSE comes before the other RPM systems, whose tools it may have, too.
    """
    for name, like in (("apt", DEBIAN_LIKE), ("zypper", SUSE_LIKE), ("dnf", RPM_LIKE)):
        if family & like and name in present:
            return name
    return next((name for name in ("apt", "dnf", "zypper") if name in present), "none")


def parse_fib_trie(text):
    """The host's own IPv4 addresses: the `/32 host LOCAL` leaves of the kernel's routing trie."""
    found, last = set(), ""
    for line in text.splitlines():
        leaf = re.match(r"\s*\|-- (\S+)$", line)
        if leaf:
            last = leaf.group(1)
        elif line.strip() == "/32 host LOCAL":
            found.add(last)
    return found


def parse_if_inet6(text):
    """The host's own IPv6 addresses from /proc/net/if_inet6."""
    found = set()
    for line in text.splitlines():
        digits = line.split(" ", 1)[0]
        if re.match(r"^[0-9a-f]{32}$", digits):
            found.add(str(ipaddress.IPv6Address(int(digits, 16))))
    return found


def addresses():
    """IP addresses of the host, without loopback and link-local ones, IPv4 first."""
    found = [ipaddress.ip_address(text) for text in parse_fib_trie(read(FIB_TRIE))]
    found += [ipaddress.ip_address(text) for text in parse_if_inet6(read(IF_INET6))]
    usable = [a for a in found if not (a.is_loopback or a.is_link_local or a.is_unspecified)]
    return [str(a) for a in sorted(usable, key=lambda a: (a.version, int(a)))]


def disks(mounts=WATCHED_MOUNTS):
    """`{mount, total, free, free_inodes}` in bytes of each distinct file system an update fills.

    `free` leaves out the reserve for root, as `df` does. File systems
    without a fixed number of inodes (btrfs) report 0 of 0; `free_inodes` is null there.
    """
    seen, found = set(), []
    for mount in mounts:
        try:
            device, space = os.stat(mount).st_dev, os.statvfs(mount)
        except OSError:
            continue  # no such folder on this host: nothing can fill it
        if device in seen:
            continue
        seen.add(device)
        found.append({
            "mount": mount,
            "total": space.f_blocks * space.f_frsize,
            "free": space.f_bavail * space.f_frsize,
            "free_inodes": space.f_favail if space.f_files else None,
        })
    return found


def virtualization():
    """What the host runs on by systemd-detect-virt (`kvm`, `lxc`, `none` …); "" if unknown."""
    if not which("systemd-detect-virt"):
        return ""
    return run(["systemd-detect-virt"], timeout=10).out.strip()[:40]


def facts():
    """Everything that the check list and the report say of the host itself (SOP step 2)."""
    return {
        "hostname": socket.gethostname(),
        "os": operating_system(),
        "kernel": os.uname().release,
        "arch": os.uname().machine,
        "boot_id": boot_id(),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "addresses": addresses(),
        "clock": round(time.time(), 3),
        "package_manager": package_manager(),
        "virtualization": virtualization(),
        "disk": disks(),
    }
