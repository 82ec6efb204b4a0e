"""Makes a root file system for lab hosts: bootstrap, settings that every host shares, packages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab.machine import Machine
from orchestrator.lab.process import run
from orchestrator.lab.recipe import BASE_PACKAGES, MASKED_UNITS
from orchestrator.lab.sources import Source

CONTACT_SETTINGS = ("Acquire::http", "Acquire::https")
INBOX = "root/packages"
PATHS_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")


def bootstrap(root: Path, machine: Machine, source: Source, work: Path) -> None:
    """Fill `root` from the release suite alone, so that later security updates stay pending."""
    listing = work / "bootstrap.sources"
    listing.write_text(source.deb822(), encoding="utf-8")
    options = [f"--aptopt={line}" for line in connection_settings()]
    options += [f"--dpkgopt=path-exclude={path}" for path in PATHS_LEFT_OUT]
    run(
        [
            "mmdebstrap",
            "--variant=minbase",
            "--mode=root",
            f"--architectures={machine.architecture}",
            "--include=" + ",".join(BASE_PACKAGES),
            '--aptopt=Acquire::Languages "none"',
            '--aptopt=APT::Install-Recommends "false"',
            "--dpkgopt=force-unsafe-io",
            "--skip=output/dev,cleanup/reproducible",
            *options,
            machine.codename,
            str(root),
            str(listing),
        ],
        env={"TMPDIR": str(work)},
        timeout=900,
    )


def connection_settings() -> list[str]:
    """The machine's apt settings about proxies and certificates, as lines of apt.conf."""
    listing = run(["apt-config", "dump", "--format", '%F "%v";%n', *CONTACT_SETTINGS])
    return [line for line in listing.splitlines() if not line.endswith(' "";')]


def configure(root: Path) -> None:
    """Settings of every host: sshd, the user `deploy` with sudo, quiet apt, few timers."""
    for pattern in ("apt.conf.d/*mmdebstrap", "sources.list.d/*"):
        for leftover in (root / "etc/apt").glob(pattern):
            leftover.unlink()
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    files = {
        "etc/ssh/sshd_config.d/10-lab.conf": (
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\n"
            "MaxStartups 100\n"
        ),
        "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n",
        "etc/dpkg/dpkg.cfg.d/lab-unsafe-io": "force-unsafe-io\n",
        "etc/apt/apt.conf.d/99lab": (
            'Acquire::Check-Valid-Until "false";\nAcquire::By-Hash "no";\n'
            'Acquire::Languages "none";\nAPT::Install-Recommends "false";\n'
        ),
        "etc/apt/sources.list": "",
        "etc/hostname": "lab-host\n",
    }
    for name, text in files.items():
        write(root, name, text)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    write(root, "etc/resolv.conf", "nameserver 127.0.0.1\n")
    # No password, yet not locked ('!'): sshd without PAM, as on thin hosts, refuses locked users.
    run(["chroot", root, "useradd", "-m", "--shell", "/bin/bash", "--password", "*", "deploy"])
    write(root, "etc/sudoers.d/deploy", "deploy ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
    for unit in MASKED_UNITS:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)


def configure_snapper(root: Path) -> None:
    """Give snapper a configuration for /; every host gets the subvolume .snapshots anyway."""
    template = (root / "usr/share/snapper/config-templates/default").read_text(encoding="utf-8")
    write(root, "etc/snapper/configs/root", template, mode=0o640)
    write(root, "etc/default/snapper", 'SNAPPER_CONFIGS="root"\nDISABLE_APT_SNAPSHOT="no"\n')


def write(root: Path, name: str, text: str, mode: int = 0o644) -> Path:
    """Write a file under a root, with its folders; returns its path."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@contextmanager
def usable(root: Path) -> Iterator[None]:
    """Lend `root` /proc and /dev while packages are installed, and let no service start.

    Call it in a private mount namespace only: then a killed build leaves no mount behind.
    """
    run(["mount", "-t", "proc", "proc", root / "proc"])
    run(["mount", "--rbind", "/dev", root / "dev"])
    policy = write(root, "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
    try:
        yield
    finally:
        policy.unlink()
        run(["umount", "--recursive", root / "dev"])
        run(["umount", root / "proc"])


def install(root: Path, packages: Sequence[Path]) -> None:
    """Install Debian packages into a root that is being built."""
    with usable(root):
        install_files(root, ["dpkg", "--force-unsafe-io", "--install"], packages)


def install_files(root: Path, command: Sequence[str], packages: Sequence[Path]) -> None:
    """Install package files with the root's own package manager."""
    if not packages:
        return
    folder = root / INBOX
    folder.mkdir()
    for path in packages:
        shutil.copyfile(path, folder / path.name)
    run(["chroot", root, *command, *(f"/{INBOX}/{path.name}" for path in packages)], timeout=900)
    shutil.rmtree(folder)
