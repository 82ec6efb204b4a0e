"""Makes a lab's hosts, waits until they are at work, and removes all of it again."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from orchestrator.lab import cgroups, full, guest, network, pool, thin, vm
from orchestrator.lab.cache import Stock
from orchestrator.lab.inventory import write_inventory, write_ssh
from orchestrator.lab.limits import raise_limits, registration, restore_limits
from orchestrator.lab.machine import Progress
from orchestrator.lab.members import end_members, leader, leaders
from orchestrator.lab.officers import write_office
from orchestrator.lab.personal import equip, generate_key, personalise
from orchestrator.lab.process import PATH, run
from orchestrator.lab.recipe import CONTROLLER, PORT
from orchestrator.lab.scenario import scenario
from orchestrator.lab.state import FILE, Host, State, save
from orchestrator.model.errors import CannotRunError

BANNER_PROGRAM = Path(__file__).with_name("banner.py")
EMULATED = ("vm", "guest")
"""Kinds of hosts with a kernel of their own: they are entered by ssh only."""
MADE = (
    *("bin", "inventory", "keys", "logs", "machines", "pool", "www"),
    *("known_hosts", "pool.img"),
)


def make(state: State, stock: Stock, progress: Progress) -> None:
    """Make everything that `state` names; the inventory comes last, when all hosts are at work.

    Raises CannotRunError, with what the host wrote last, when one does not come up.
    """
    began = time.monotonic()
    names = " ".join(host.name for host in state.hosts[:12])
    more = f" and {len(state.hosts) - 12} more" if len(state.hosts) > 12 else ""
    progress(f"lab: making {len(state.hosts)} hosts: {names}{more}")
    for name in ("logs", "keys"):
        (state.directory / name).mkdir(mode=0o700)
    raise_limits(state.prefix)
    save(state, registration(state.prefix))  # so that the lab is found without its folder, too
    network.connect(state)
    pool.copy_image(state, stock.image)
    pool.offer(state, stock.cache)
    pool.start_anchor(state)
    key = generate_key(state.directory / "keys/hosts/id_ed25519", state.prefix)
    with ThreadPoolExecutor(max_workers=4) as workers:
        host_keys: dict[str, str] = {}
        # Guests come last: their files lie on their hypervisor, whose libvirt starts them.
        for hosts in ([h for h in state.hosts if h.kind != "guest"], guests(state)):
            made = workers.map(lambda host: make_host(state, host, key, stock), hosts)
            host_keys.update(zip((host.name for host in hosts), made, strict=True))
    write_ssh(state, host_keys)
    write_office(state.directory)
    progress(f"lab: hosts are starting ({time.monotonic() - began:.0f} s)")
    wait_at_work(state, state.hosts)
    write_inventory(state)
    progress(f"lab: all hosts are at work ({time.monotonic() - began:.0f} s)")


def guests(state: State) -> list[Host]:
    """The hosts that a hypervisor of the lab runs."""
    return [host for host in state.hosts if host.kind == "guest"]


def make_host(state: State, host: Host, key: str, stock: Stock) -> str:
    """Make a host and switch it on; `key` may log in. Returns its public host key."""
    shown = scenario(host.scenario)
    if host.kind == "vm":
        public = vm.make(state, host, key, stock)
    elif host.kind == "guest":
        public = guest.make(state, host, key, stock)
    else:
        thin_host = host.kind == "thin"
        root = thin.make_root(state, host) if thin_host else full.make_root(state, host, shown.base)
        public = personalise(root, host, key)
        equip(root, shown, stock.cache, stock.security)
    if not shown.reachable:
        network.set_link(state, host, up=False)
    switch_on(state, host)
    return public


def switch_on(state: State, host: Host) -> None:
    """Start a host; returns at once."""
    if host.kind == "thin":
        thin.start(state, host, scenario(host.scenario).base)
    elif host.kind == "vm":
        vm.start(state, host, scenario(host.scenario).base)
    elif host.kind == "guest":
        guest.start(state, host)
    else:
        full.start(state, host)


def wait_at_work(state: State, hosts: Sequence[Host]) -> None:
    """Wait until ssh answers (where the link is up), systemd has started all, services answer.

    Raises CannotRunError when a host takes longer than a minute, 2 s per host, 300 s per machine.
    """
    seconds = 60.0 + sum(300 if host.kind in EMULATED else 2 for host in hosts)
    wait_switched_on(state, [host for host in hosts if host.kind != "guest"], seconds / 2)
    cut = network.cut_hosts(state)
    wait_reachable(state, [host for host in hosts if host.name not in cut], seconds)
    for host in hosts:
        if host.kind == "thin":
            continue
        on_host = partial(inside, state, host)
        full.wait_booted(host, on_host, seconds)
        full.wait_ready(host, on_host, scenario(host.scenario).ready, seconds)


def wait_switched_on(state: State, hosts: Sequence[Host], seconds: float) -> None:
    """Wait until every host has its first process. Raises CannotRunError, naming those without."""
    deadline = time.monotonic() + seconds
    while True:
        running = leaders([host.namespace for host in hosts])
        off = [host for host in hosts if host.namespace not in running]
        if not off:
            return
        if time.monotonic() > deadline:
            names = ", ".join(host.name for host in off)
            raise CannotRunError(f"lab: {names} did not start; {last_words(state, off[-1])}")
        time.sleep(0.1)


def last_words(state: State, host: Host) -> str:
    """What a host wrote on its console last, for a message."""
    log = full.log_path(state, host)
    text = log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else ""
    return f"{host.name} wrote last: {text.strip() or 'nothing'}"


def wait_reachable(state: State, hosts: Sequence[Host], seconds: float) -> None:
    """Wait until ssh answers on all hosts. Raises CannotRunError, naming those without."""
    addresses = {f"{host.address}:22": host for host in hosts}
    enter = ["nsenter", f"--net=/run/netns/{state.prefix}"]
    program = [sys.executable, str(BANNER_PROGRAM), str(seconds), f"{CONTROLLER}:{PORT}"]
    left = run([*enter, *program, *addresses], timeout=seconds + 60).split()
    if not left:
        return
    silent = [addresses[address] for address in left if address in addresses]
    if not silent:
        raise CannotRunError("lab: the lab's web server does not answer")
    names = ", ".join(host.name for host in silent)
    raise CannotRunError(f"lab: no ssh on {names}; {last_words(state, silent[-1])}")


def inside(state: State, host: Host, argv: Sequence[str]) -> list[str]:
    """What runs `argv` inside a host, as root. Raises CannotRunError when it is off."""
    if host.kind in EMULATED:
        return vm.inside(state, host, argv)
    pid = leader(host.namespace)
    if pid is None:
        raise CannotRunError(f"lab: {host.name} is switched off")
    spaces = ["--target", str(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--root"]
    environment = ["env", "-i", "--chdir=/", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8"]
    return ["nsenter", *spaces, "--", *environment, *argv]


def remove(state: State) -> None:
    """End and remove all that `state` names, in whatever condition it is."""
    end_members(network.existing(state))
    network.disconnect(state)
    pool.wait_until_released(state)
    cgroups.remove(state.prefix)
    restore_limits(state.prefix)
    for name in MADE:
        path = state.directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in (f".{FILE}", FILE):
        (state.directory / name).unlink(missing_ok=True)
    if state.directory.exists() and not any(state.directory.iterdir()):
        state.directory.rmdir()
