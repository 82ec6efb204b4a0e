"""What the lab needs from the machine it runs on: root, Debian or Ubuntu, and a few packages."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.process import PATH, run
from orchestrator.model.errors import UsageError

Progress = Callable[[str], None]
"""Receives one line of what is being done, for example `base: bootstrapping Debian bookworm`."""

# Program → the Debian package that brings it.
TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "mkfs.btrfs": "btrfs-progs",
    "ip": "iproute2",
    "dpkg-source": "dpkg-dev",
    "apt-ftparchive": "apt-utils",
    "gpg": "gnupg",
    "ssh": "openssh-client",
    "xz": "xz-utils",
    "rpmbuild": "rpm",
    "createrepo_c": "createrepo-c",
}


@dataclass(frozen=True)
class Machine:
    """The system that the lab runs on, and so the system that its Debian hosts are made of."""

    system: str  # debian or ubuntu
    codename: str  # for example bookworm
    architecture: str  # as dpkg names it, for example amd64


def missing_tools(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Programs that are not installed, each with the package that brings it."""
    wanted = {**TOOLS, **(more or {})}
    return {tool: package for tool, package in wanted.items() if not shutil.which(tool, path=PATH)}


def read_os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """The keys of os-release; empty when there is no such file."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {key: value.strip().strip("\"'") for key, value in pairs}


def check_machine() -> dict[str, str]:
    """Refuse early, with every reason at once; returns os-release.

    Raises UsageError (exit 2) without root or on another system than Debian or Ubuntu.
    """
    release = read_os_release()
    problems = []
    if platform.system() != "Linux" or release.get("ID") not in ("debian", "ubuntu"):
        name = release.get("PRETTY_NAME", platform.system())
        problems.append(f"it runs on Debian or Ubuntu only, and this is {name}")
    elif not release.get("VERSION_CODENAME"):
        problems.append("/etc/os-release names no release (VERSION_CODENAME)")
    if os.geteuid() != 0:
        problems.append("it needs root, to make namespaces and mounts")
    if problems:
        lacking = sorted(set(missing_tools().values()))
        if lacking:
            problems.append("these packages are missing: " + ", ".join(lacking))
        raise UsageError(
            "lab: cannot make test hosts here: " + "; ".join(problems),
            "Run it as root on a Debian or Ubuntu machine; it installs the packages itself.",
        )
    return release


def require_root() -> None:
    """Raises UsageError (exit 2) for an ordinary user."""
    if os.geteuid() != 0:
        raise UsageError(
            "lab: it needs root, to reach into namespaces and mounts", "Run it with sudo."
        )


def prepare_machine(progress: Progress, more: Mapping[str, str] | None = None) -> Machine:
    """Check the machine and install the packages that it lacks (apt-get, without questions).

    `more`: programs beyond those of every lab, each with its package.
    """
    release = check_machine()
    lacking = sorted(set(missing_tools(more).values()))
    if lacking:
        progress("tools: installing " + " ".join(lacking))
        lock = "-oDPkg::Lock::Timeout=300"
        run(["apt-get", "-qq", lock, "update"])
        run(["apt-get", "-qq", "-y", lock, "install", "--no-install-recommends", *lacking])
    left = missing_tools(more)
    if left:
        raise UsageError("lab: still missing after installing: " + ", ".join(sorted(left)))
    architecture = run(["dpkg", "--print-architecture"]).strip()
    return Machine(release["ID"], release["VERSION_CODENAME"], architecture)
