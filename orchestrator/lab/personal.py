"""What makes a root file system one certain host: name, keys, package sources, packages."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from orchestrator.lab.cache import Cache
from orchestrator.lab.packages import package
from orchestrator.lab.process import run
from orchestrator.lab.recipe import WEB
from orchestrator.lab.root import install_files, write
from orchestrator.lab.rpm import rpm_package
from orchestrator.lab.scenario import Scenario
from orchestrator.lab.sources import Source
from orchestrator.lab.state import Host

DEPLOY = 1000  # uid and gid of the first user that a Debian root gets


def generate_key(path: Path, comment: str) -> str:
    """Make an Ed25519 key pair (mode 0600); returns the public key's line."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])
    return path.with_name(path.name + ".pub").read_text(encoding="utf-8").strip()


def personalise(root: Path, host: Host, authorized_key: str) -> str:
    """Give the root its name and its keys; returns its public host key.

    `root` may be a thin host's own layer: only whole files are written.
    """
    write(root, "etc/hostname", host.name + "\n")
    write(root, "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {host.name}\n")
    write(root, "etc/machine-id", uuid.uuid4().hex + "\n", mode=0o444)
    for home, owner in (("root", 0), ("home/deploy", DEPLOY)):
        keys = write(root, f"{home}/.ssh/authorized_keys", authorized_key + "\n", mode=0o600)
        keys.parent.chmod(0o700)
        for path in (keys, keys.parent, keys.parent.parent):
            os.chown(path, owner, owner)
    (root / "root").chmod(0o700)
    return generate_key(root / "etc/ssh/ssh_host_ed25519_key", host.name)


def package_sources(shown: Scenario, security: Source) -> str:
    """The host's own sources: the lab's repository, the mirrored security suite, or none."""
    stanzas = []
    if "lab" in shown.sources:
        suites = ("lab", "lab-updates", "lab-security")
        keyring = "/usr/share/keyrings/lab-archive.gpg"
        stanzas.append(Source((f"{WEB}/debian",), suites, ("main",), keyring).deb822())
    if "security" in shown.sources:
        keyring = security.signed_by if security.signed_by.startswith("/") else ""
        mirrored = Source((f"{WEB}/security",), security.suites, security.components, keyring)
        stanzas.append(mirrored.deb822())
    return "\n".join(stanzas)


def equip(root: Path, shown: Scenario, cache: Cache, security: Source) -> None:
    """Install what the scenario starts with, and offer it what the scenario has pending."""
    if shown.kind == "rpm":
        rpms = [rpm_package(*wanted) for wanted in shown.install]
        paths = [cache.www / "rpm" / rpm.repository / rpm.file_name for rpm in rpms]
        install_files(root, ["rpm", "--install", "--nodeps"], paths)
    else:
        if shown.sources:
            text = package_sources(shown, security)
            write(root, "etc/apt/sources.list.d/lab.sources", text)
        debs = [package(*wanted) for wanted in shown.install]
        pool = cache.www / "debian/pool"
        paths = [pool / deb.suite / deb.file_name for deb in debs]
        install_files(root, ["dpkg", "--install"], paths)
    for command in shown.prepare:
        run(["chroot", root, *command])
