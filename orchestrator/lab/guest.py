"""Guests: emulated machines that a host of the lab, the hypervisor, runs with libvirt.

As with any other machine its disk comes from the cache; here as qcow2, so that it can hold
snapshots. It shares life and end with its hypervisor, whose processes it consists of.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from orchestrator.lab import full, vm
from orchestrator.lab.cache import Stock
from orchestrator.lab.hypervisorbase import IMAGES
from orchestrator.lab.members import leader
from orchestrator.lab.network import guest_tap, hypervisor_of
from orchestrator.lab.process import run
from orchestrator.lab.qemu import KERNEL_WORDS, MEMORY_MIB
from orchestrator.lab.root import write
from orchestrator.lab.scenario import scenario
from orchestrator.lab.state import Host, State
from orchestrator.lab.vmbase import GROUP
from orchestrator.model.errors import CannotRunError

STARTING_SECONDS = 60
_DOMAIN = """<domain type="qemu">
  <name>{name}</name>
  <memory unit="MiB">{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type machine="q35">hvm</type>
    <kernel>{images}/{name}-vmlinuz</kernel>
    <initrd>{images}/{name}-initrd</initrd>
    <cmdline>{words}</cmdline>
  </os>
  <features><acpi/><apic/><tcg><tb-cache unit="MiB">256</tb-cache></tcg></features>
  <cpu mode="maximum"/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="qcow2" cache="unsafe" discard="unmap"/>
      <source file="{images}/{name}.qcow2"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    <interface type="ethernet">
      <mac address="{mac}"/>
      <target dev="{tap}" managed="no"/>
      <model type="virtio"/>
    </interface>
    <serial type="file"><source path="/var/log/libvirt/{name}.log"/></serial>
    <rng model="virtio"><backend model="random">/dev/urandom</backend></rng>
    <memballoon model="none"/>
  </devices>
</domain>
"""


def make(state: State, host: Host, key: str, stock: Stock) -> str:
    """The guest's disk, kernel and initrd, and its definition; returns its public host key."""
    base = vm.started_from(stock)
    root = full.root_path(state, hypervisor_of(state))
    images = root / IMAGES
    public = vm.own_initrd(state, host, key, stock, images / f"{host.name}-initrd")
    run(["cp", base.kernel, images / f"{host.name}-vmlinuz"])
    disk = images / f"{host.name}.qcow2"
    run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", base.disk, disk])
    number = f"{host.number:04x}"
    text = _DOMAIN.format(
        name=host.name, memory=MEMORY_MIB, images=f"/{IMAGES}", tap=guest_tap(host),
        words=f"{KERNEL_WORDS} root=/dev/mapper/{GROUP}-{scenario(host.scenario).base} rw",
        mac=f"52:54:00:99:{number[:2]}:{number[2:]}",
    )  # fmt: skip
    write(root, f"root/{host.name}.xml", text)
    return public


def on_hypervisor(state: State, argv: Sequence[str]) -> list[str]:
    """What runs a command on the hypervisor, as root."""
    hypervisor = hypervisor_of(state)
    pid = leader(hypervisor.namespace)
    if pid is None:
        raise CannotRunError(f"lab: {hypervisor.name} is switched off")
    spaces = ["--target", str(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--root"]
    environment = ["env", "-i", "--chdir=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
    return ["nsenter", *spaces, "--", *environment, *argv]


def start(state: State, host: Host) -> None:
    """Switch the guest on, once its hypervisor's libvirt answers."""
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            run(on_hypervisor(state, ["virsh", "--quiet", "define", f"/root/{host.name}.xml"]))
            break
        except CannotRunError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
    run(on_hypervisor(state, ["virsh", "--quiet", "start", host.name]))


def running(state: State, host: Host) -> bool:
    """Whether the guest is switched on; it is off when its hypervisor is."""
    if leader(hypervisor_of(state).namespace) is None:
        return False
    listing = run(on_hypervisor(state, ["virsh", "list", "--name"]))
    return host.name in listing.split()


def stop(state: State, host: Host) -> None:
    """Cut the guest's power."""
    if running(state, host):
        run(on_hypervisor(state, ["virsh", "--quiet", "destroy", host.name]))
