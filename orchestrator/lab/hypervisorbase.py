"""Builds the lab's image once more, with one more root: a Debian that runs guests with libvirt.

Only labs that have a hypervisor need it, so it is an image of its own beside the base's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from orchestrator.lab.apt import Downloader
from orchestrator.lab.machine import Progress, prepare_machine
from orchestrator.lab.process import run
from orchestrator.lab.recipe import COMPRESSION
from orchestrator.lab.root import install, write
from orchestrator.lab.sources import read_sources, source_of
from orchestrator.model.errors import SopRunError

ROOT = "hypervisor"
"""Name of the root in the image."""
IMAGES = "var/lib/libvirt/images"
PACKAGES = ("libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "qemu-utils")
# What a host without hardware, other guests and a bus for logins has no use for.
UNITS_LEFT_OUT = ("libvirt-guests.service", "virtlockd.socket", "virtlockd.service")
# The hypervisor is a container: no profiles, no groups of its own for guests, qemu as root.
_QEMU = """security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""


def carry_out(folder: Path, base: Path, progress: Progress) -> None:
    """A copy of the `base` image with the hypervisor's root, as `folder`/pool.img."""
    machine = prepare_machine(progress)
    progress("hypervisor: a root with libvirt and QEMU")
    pool, image = folder / "pool", folder / "pool.img"
    pool.mkdir()
    run(["cp", "--sparse=always", base, image])
    run(["btrfstune", "-f", "-m", image])
    run(["mount", "-o", f"loop,noatime,compress={COMPRESSION}", image, pool])
    root = pool / ROOT
    run(["btrfs", "--quiet", "subvolume", "snapshot", pool / "debian", root])
    sources = read_sources()
    release = (source_of(machine.codename, sources),)  # as the base: newer ones stay pending
    apt = Downloader(folder / "apt", release)
    apt.update()
    install(root, apt.download(root, "install", *PACKAGES))
    settle(root)
    run(["rm", "-rf", folder / "apt"])
    run(["fstrim", pool])
    run(["umount", pool])
    pool.rmdir()


def settle(root: Path) -> None:
    """Settings of libvirt in a container, and a folder for disks that is not compressed."""
    write(root, "etc/libvirt/qemu.conf", _QEMU)
    for unit in UNITS_LEFT_OUT:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    images = root / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    run(["chattr", "+C", images])


def main() -> int:
    """`python -m orchestrator.lab.hypervisorbase FOLDER POOL-IMAGE`; 0, or the error's code."""
    began = time.monotonic()

    def progress(line: str) -> None:
        sys.stdout.write(f"{line} ({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()

    try:
        carry_out(Path(sys.argv[1]), Path(sys.argv[2]), progress)
    except SopRunError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
