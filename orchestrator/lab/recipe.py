"""What the lab's base is made of; its hash names the cache, so a change builds a new one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchestrator.lab.machine import Machine

CONTROLLER = "10.99.0.1"
"""Address of the lab's repositories; it exists inside a lab's own namespaces only."""
PORT = 8000
WEB = f"http://{CONTROLLER}:{PORT}"

BASE_PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "python3",
    "iproute2",
    "procps",
    "cron",
    "curl",
    "ca-certificates",
    "less",
    "btrfs-progs",
)
ANTIVIRUS_PACKAGES = ("clamav-daemon", "clamav-freshclam", "clamdscan")
RPM_PACKAGES = ("dnf", "rpm")
SNAPPER_PACKAGES = ("snapper",)
SUSE_PACKAGES = ("zypper", "rpm")

# Units that only cost time in a test host, or that would change it behind the test's back.
MASKED_UNITS = (
    "systemd-firstboot.service",
    "systemd-networkd-wait-online.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "man-db.timer",
    "dpkg-db-backup.timer",
    "clamav-freshclam.service",
    "dnf-makecache.timer",
    "snapper-boot.timer",
    "snapper-cleanup.timer",
    "snapper-timeline.timer",
)

IMAGE_GIB = 24  # size that hosts see; the file is sparse
COMPRESSION = "zstd:1"

# Modules whose text decides what a build contains.
_PARTS = (
    "apt",
    "build",
    "clamav",
    "debrepo",
    "packages",
    "recipe",
    "root",
    "rpm",
    "rpmrepo",
    "security",
    "signing",
    "suse",
)


def recipe_id(machine: Machine) -> str:
    """16 hex digits: the hash of everything that decides what the base contains."""
    digest = hashlib.sha256(f"{machine.system} {machine.codename} {machine.architecture}".encode())
    folder = Path(__file__).parent
    for part in _PARTS:
        digest.update((folder / f"{part}.py").read_bytes())
    return digest.hexdigest()[:16]
