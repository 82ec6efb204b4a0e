"""Emulated machines: a Debian of their own kernel, with / on LVM; for what containers cannot show.

The emulator runs as process 1 of a process namespace in the host's network namespace, so that a
machine is found, counted and ended like any other host of the lab. Its network card is a port of
a bridge there, whose other port is the host's plug on the lab's bridge.
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.lab.cache import Stock, VmCache
from orchestrator.lab.members import end_members, leader
from orchestrator.lab.network import TAP
from orchestrator.lab.packages import package
from orchestrator.lab.personal import package_sources, personalise
from orchestrator.lab.pool import launch
from orchestrator.lab.process import run
from orchestrator.lab.qemu import emulator
from orchestrator.lab.recipe import CONTROLLER
from orchestrator.lab.root import INBOX, write
from orchestrator.lab.scenario import scenario
from orchestrator.lab.state import Host, State
from orchestrator.lab.vmbase import GROUP, extended
from orchestrator.model.errors import CannotRunError


def folder_path(state: State, host: Host) -> Path:
    """Where the machine's kernel, initrd and disk lie."""
    return state.directory / "machines" / host.name


def started_from(stock: Stock) -> VmCache:
    """What machines start from. Raises CannotRunError when it was not built."""
    if stock.machines is None:
        raise CannotRunError("lab: nothing was built that machines could start from")
    return stock.machines


def make(state: State, host: Host, key: str, stock: Stock) -> str:
    """The machine's own disk and initrd; returns its public host key."""
    base = started_from(stock)
    folder = folder_path(state, host)
    public = own_initrd(state, host, key, stock, folder / "initrd.img")
    run(["cp", "--sparse=always", base.disk, folder / "disk.img"])
    run(["cp", base.kernel, folder / "vmlinuz"])
    return public


def own_initrd(state: State, host: Host, key: str, stock: Stock, target: Path) -> str:
    """The machine's own initrd, at `target`; returns its public host key.

    What makes it this one host lies in the initrd and is put on the disk at its first boot.
    """
    shown = scenario(host.scenario)
    folder = folder_path(state, host)
    personal = folder / "extra/lab/personal"
    personal.mkdir(parents=True)
    public = personalise(personal, host, key)
    write(personal, "etc/fstab", f"/dev/mapper/{GROUP}-{shown.base} / auto defaults 0 0\n")
    network = f"[Match]\nName=eth0\n\n[Network]\nAddress={host.address}/16\nGateway={CONTROLLER}\n"
    write(personal, "etc/systemd/network/10-lab.network", network)
    write(personal, "etc/apt/sources.list.d/lab.sources", package_sources(shown, stock.security))
    steps = [list(command) for command in shown.prepare]
    inbox = personal / INBOX
    inbox.mkdir()
    for deb in (package(*wanted) for wanted in shown.install):
        shutil.copyfile(
            stock.cache.www / "debian/pool" / deb.suite / deb.file_name, inbox / deb.file_name
        )
        steps.insert(0, ["dpkg", "--install", f"/{INBOX}/{deb.file_name}"])
    steps.append(["rm", "-r", f"/{INBOX}"])
    write(personal, "lab-first-boot", "".join(shlex.join(step) + "\n" for step in steps))
    extended(started_from(stock).initrd, folder / "extra", target)
    shutil.rmtree(folder / "extra")
    return public


def start(state: State, host: Host, volume: str) -> None:
    """Switch the machine on; returns at once. `volume` holds its /."""
    folder = folder_path(state, host)
    number = f"{host.number:04x}"
    command = emulator(
        kernel=folder / "vmlinuz",
        initrd=folder / "initrd.img",
        words=f"root=/dev/mapper/{GROUP}-{volume} rw",
        disks=[folder / "disk.img"],
        console=state.directory / "logs" / f"{host.name}.log",
        more=[
            *("-netdev", f"tap,id=net,ifname={TAP},script=no,downscript=no"),
            *(
                "-device",
                f"virtio-net-pci,netdev=net,romfile=,mac=52:54:00:99:{number[:2]}:{number[2:]}",
            ),
        ],
    )
    errors = ["sh", "-c", 'log=$1; shift; exec "$@" 2>>"$log"', "emulator"]
    log = str(state.directory / "logs" / f"{host.name}-emulator.log")
    alone = ["unshare", "--fork", "--pid", "--kill-child"]
    launch(["nsenter", f"--net=/run/netns/{host.namespace}", *alone, *errors, log, *command])


def inside(state: State, host: Host, argv: Sequence[str]) -> list[str]:
    """What runs a command inside the machine, as root: over ssh, so it needs the network."""
    if host.kind == "vm" and leader(host.namespace) is None:
        raise CannotRunError(f"lab: {host.name} is switched off")
    directory = state.directory
    options = [
        *("-i", str(directory / "keys/hosts/id_ed25519"), "-o", "BatchMode=yes"),
        *("-o", f"UserKnownHostsFile={directory}/known_hosts", "-o", "ConnectTimeout=20"),
        *("-o", "ServerAliveInterval=10", "-o", "LogLevel=ERROR"),
    ]
    return [f"{directory}/bin/ssh", *options, f"root@{host.address}", "--", shlex.join(argv)]


def stop(state: State, host: Host, *, seconds: float = 60) -> None:
    """Shut the machine down in good order; after `seconds` its power is cut."""
    if leader(host.namespace) is not None:
        with suppress(CannotRunError):  # the connection may end first
            run(inside(state, host, ["systemctl", "poweroff"]), timeout=seconds)
        deadline = time.monotonic() + seconds
        while leader(host.namespace) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
    end_members([host.namespace])
