"""Builds what every emulated test machine starts from: kernel, initrd, and a disk with LVM.

Device mapper is needed to fill an LVM volume, and the machine that the lab runs on may have none.
So the disk is made by the guest's own kernel: an emulated machine boots from the guest's initrd,
makes the volume group and copies a finished root into its volumes. Both kinds of root are on it,
in one volume group: `root`, an ordinary (thick) volume with ext4, and `rootthin`, in a thin pool,
with xfs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from orchestrator.lab.apt import Downloader
from orchestrator.lab.machine import Machine, Progress, prepare_machine
from orchestrator.lab.process import run
from orchestrator.lab.qemu import VM_TOOLS, console_tail, emulator
from orchestrator.lab.recipe import COMPRESSION
from orchestrator.lab.root import install, write
from orchestrator.lab.sources import read_sources, source_of
from orchestrator.model.errors import CannotRunError, SopRunError

GROUP = "sys"
"""The volume group on every disk."""
ROOT_MIB = 2048
POOL_MIB = 1280
FREE_MIB = 2560  # where snapshots of the thick volume go
DISK_MIB = ROOT_MIB + POOL_MIB + FREE_MIB + 64
PACKAGES = (
    *("lvm2", "thin-provisioning-tools", "udev", "kmod", "e2fsprogs", "xfsprogs"),
    *("initramfs-tools", "busybox", "linux-base"),
)
MODULES = (
    *("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "ext4", "xfs"),
    *("dm_mod", "dm_snapshot", "dm_thin_pool"),
)
UNITS_LEFT_OUT = (
    *("lvm2-monitor.service", "dm-event.socket", "dm-event.service", "lvm2-lvmpolld.socket"),
    *("blk-availability.service", "xfs_scrub_all.timer"),
)
# Nothing here answers to udev while the disk is made, so LVM makes its own device nodes.
_INSTALL = f"""#!/bin/sh
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DM_DISABLE_UDEV=1
finish() {{ sync; poweroff -f; }}
trap finish EXIT
mkdir -p /proc /sys /dev /run /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev || true
for module in {" ".join(MODULES)}; do modprobe $module; done
while [ ! -b /dev/vdb ]; do sleep 0.1; done
lvm pvcreate -q /dev/vda
lvm vgcreate -q {GROUP} /dev/vda
lvm lvcreate -q -y -Zn -Wn -L {ROOT_MIB}m -n root {GROUP}
lvm lvcreate -q -y -L {POOL_MIB}m --poolmetadatasize 32m --thinpool pool {GROUP}
lvm lvcreate -q -y -V {ROOT_MIB}m --thin -n rootthin {GROUP}/pool
/lab/dd if=/dev/vdb of=/dev/mapper/{GROUP}-root bs=1M conv=sparse,fsync
/lab/mkfs.xfs -q /dev/mapper/{GROUP}-rootthin
mkdir /from /to
mount -t ext4 -o ro /dev/vdb /from
mount -t xfs /dev/mapper/{GROUP}-rootthin /to
/lab/cp -a /from/. /to/
umount /from /to
lvm lvs -a
lvm vgchange -q -an {GROUP}
echo LAB-DISK-IS-MADE
"""
# Runs once in a new machine's initrd, over the mounted root: gives it its name, keys, packages.
_PERSONAL = """#!/bin/sh
[ "$1" = prereqs ] && exit 0
[ -d /lab/personal ] || exit 0
[ -e "${rootmnt}/etc/lab-personal" ] && exit 0
mount -o remount,rw "${rootmnt}"
cp -a /lab/personal/. "${rootmnt}/"
mount -t proc proc "${rootmnt}/proc"
mount -o bind /dev "${rootmnt}/dev"
chroot "${rootmnt}" /bin/sh -e /lab-first-boot >/dev/console 2>&1 &&
    touch "${rootmnt}/etc/lab-personal"
rm -f "${rootmnt}/lab-first-boot"
umount "${rootmnt}/dev" "${rootmnt}/proc"
sync
"""
_HOOK = """#!/bin/sh
[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
for program in /bin/dd /bin/cp /sbin/mkfs.xfs; do
    copy_exec $program /lab/${program##*/}
done
"""


class Build:
    """One build into `folder`: vmlinuz, initrd.img, disk.img. `pool` is the lab's base image."""

    def __init__(self, folder: Path, pool: Path, machine: Machine, progress: Progress) -> None:
        self.folder = folder
        self.image = pool
        self.machine = machine
        self.progress = progress
        self.work = folder / "work"

    def carry_out(self) -> None:
        """The root natively, then the disk by an emulated machine."""
        self.progress("vm: a root with kernel and LVM")
        root = self.make_root()
        for name in ("vmlinuz", "initrd.img"):
            (found,) = (root / "boot").glob(f"{name}-*")
            shutil.copyfile(found, self.folder / name)
        filesystem = self.folder / "root.ext4"
        run(["mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, filesystem, f"{ROOT_MIB}M"])
        run(["umount", self.work / "pool"])
        self.progress("vm: an emulated machine makes the disk with LVM")
        self.make_disk(filesystem)
        filesystem.unlink()
        shutil.rmtree(self.work)

    def make_root(self) -> Path:
        """The lab's Debian base with a kernel, in a copy of the lab's image."""
        pool = self.work / "pool"
        pool.mkdir(parents=True)
        copy = self.work / "pool.img"
        run(["cp", "--sparse=always", self.image, copy])
        run(["btrfstune", "-f", "-m", copy])
        run(["mount", "-o", f"loop,noatime,compress={COMPRESSION}", copy, pool])
        root = pool / "vm"
        run(["btrfs", "--quiet", "subvolume", "snapshot", pool / "debian", root])
        sources = read_sources()
        suites = (self.machine.codename, f"{self.machine.codename}-security")
        apt = Downloader(self.work / "apt", tuple(source_of(name, sources) for name in suites))
        apt.update()
        settle(root)
        # The kernel comes alone, so that its initrd is made once, with everything in place.
        release = replace(apt, sources=apt.sources[:1], archives="tools")
        install(root, release.download(root, "install", *PACKAGES))
        # Its daemon needs longer to start under emulation than LVM waits for it.
        write(root, "etc/lvm/lvmlocal.conf", "activation {\n\tmonitoring = 0\n}\n")
        install(
            root, apt.download(root, "install", f"linux-image-cloud-{self.machine.architecture}")
        )
        return root

    def make_disk(self, filesystem: Path) -> None:
        """Let the guest's kernel make volume group and volumes. Raises CannotRunError."""
        disk = self.folder / "disk.img"
        with disk.open("wb") as handle:
            handle.truncate(DISK_MIB * 2**20)
        script = write(self.work / "extra", "lab/install", _INSTALL, mode=0o755)
        initrd = extended(self.folder / "initrd.img", script.parents[1], self.work / "initrd")
        console = self.work / "console.log"
        command = emulator(
            kernel=self.folder / "vmlinuz", initrd=initrd, words="rdinit=/lab/install panic=-1",
            disks=(disk, filesystem), console=console, memory_mib=512,
            more=("-no-reboot",),
        )  # fmt: skip
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise CannotRunError(f"lab: the disk took too long: {console_tail(console)}") from None
        if "LAB-DISK-IS-MADE" not in console.read_text(encoding="utf-8", errors="replace"):
            reason = done.stderr.strip() or console_tail(console)
            raise CannotRunError(f"lab: the emulated machine made no disk: {reason}")


def settle(root: Path) -> None:
    """Settings that only a whole machine needs."""
    hooks = "etc/initramfs-tools"
    write(root, f"{hooks}/conf.d/lab", "MODULES=list\nBUSYBOX=y\nCOMPRESS=gzip\nRESUME=none\n")
    write(root, f"{hooks}/modules", "\n".join(MODULES) + "\n")
    write(root, f"{hooks}/hooks/lab", _HOOK, mode=0o755)
    write(root, f"{hooks}/scripts/local-bottom/lab", _PERSONAL, mode=0o755)
    write(root, "etc/kernel-img.conf", "do_symlinks = no\n")
    for unit in UNITS_LEFT_OUT:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    wants = root / "etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
    wants.parent.mkdir(parents=True, exist_ok=True)
    wants.symlink_to("/lib/systemd/system/systemd-networkd.service")


def extended(initrd: Path, extra: Path, target: Path) -> Path:
    """`initrd` with the files below `extra` in addition: the kernel unpacks one after the other."""
    with target.open("wb") as handle:
        handle.write(initrd.read_bytes())
        handle.write(b"\0" * (-handle.tell() % 4))
        handle.flush()
        archive = ["cpio", "--create", "--null", "--quiet", "--format=newc"]
        names = b"\0".join(
            str(path.relative_to(extra)).encode() for path in sorted(extra.rglob("*"))
        )
        subprocess.run(archive, input=names, stdout=handle, cwd=extra, check=True)
    return target


def main() -> int:
    """`python -m orchestrator.lab.vmbase FOLDER POOL-IMAGE`; exit code 0, or that of the error."""
    began = time.monotonic()

    def progress(line: str) -> None:
        sys.stdout.write(f"{line} ({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()

    try:
        machine = prepare_machine(progress, VM_TOOLS)
        Build(Path(sys.argv[1]), Path(sys.argv[2]), machine, progress).carry_out()
    except SopRunError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
