"""The command line of an emulated machine (QEMU).

Always emulated, never virtualised by hardware: slower, but the same on every machine, also on one
that is virtual itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# Program → the Debian package that brings it; needed for machines only.
VM_TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mke2fs": "e2fsprogs",
    "cpio": "cpio",
}
GUEST_TOOLS = {"qemu-img": "qemu-utils"}
"""Needed for guests of a hypervisor, beside those."""
MEMORY_MIB = 384
KERNEL_WORDS = "console=ttyS0 net.ifnames=0 mitigations=off nowatchdog quiet"


def emulator(
    *,
    kernel: Path,
    initrd: Path,
    words: str,
    disks: Sequence[Path],
    console: Path,
    memory_mib: int = MEMORY_MIB,
    more: Sequence[str] = (),
) -> list[str]:
    """A machine that boots `kernel` with `words` and writes its console to a file.

    `disks` are raw images, written without waiting: what the machine wrote survives its power
    cut, but not that of the machine that it runs on.
    """
    command = [
        *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,tb-size=256"),
        *("-cpu", "max", "-smp", "1", "-m", str(memory_mib), "-display", "none", "-nodefaults"),
        *("-kernel", str(kernel), "-initrd", str(initrd)),
        *("-append", f"{KERNEL_WORDS} {words}"),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,append=on,path={console}", "-serial", "chardev:console"),
    ]
    for disk in disks:
        file = f"file={disk},format=raw,if=virtio,cache=unsafe"
        command += ["-drive", f"{file},discard=unmap,detect-zeroes=unmap"]
    return [*command, *more]


def console_tail(console: Path) -> str:
    """What a machine wrote last, for a message."""
    if not console.exists():
        return "nothing"
    return console.read_text(encoding="utf-8", errors="replace")[-600:].strip() or "nothing"
