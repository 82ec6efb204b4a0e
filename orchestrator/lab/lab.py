"""A lab: throw-away test hosts on this machine, for the demo and for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from orchestrator.lab import cgroups, full, network, pool, thin
from orchestrator.lab.cache import Cache, provide
from orchestrator.lab.inventory import inventory_path, write_inventory, write_ssh
from orchestrator.lab.limits import raise_limits, restore_limits
from orchestrator.lab.machine import Machine, check_machine, prepare_machine
from orchestrator.lab.members import end_members, leader, start_time
from orchestrator.lab.officers import key_folder, write_office
from orchestrator.lab.personal import equip, generate_key, personalise
from orchestrator.lab.process import PATH, run
from orchestrator.lab.recipe import CONTROLLER, PORT
from orchestrator.lab.scenario import HostSpec, scenario
from orchestrator.lab.sources import read_sources, source_of
from orchestrator.lab.state import FILE, Host, State, create, load, plan_state
from orchestrator.model.errors import CannotRunError, UsageError

__all__ = ["Host", "HostSpec", "Lab"]

BANNER_PROGRAM = Path(__file__).with_name("banner.py")
MADE = ("bin", "inventory", "keys", "logs", "pool", "www", "known_hosts", "pool.img")


class Lab:
    """A running lab, in `directory`."""

    def __init__(self, state: State) -> None:
        self.state = state

    @classmethod
    def up(cls, directory: Path, hosts: Sequence[HostSpec], progress: Callable[[str], None]) -> Lab:
        """Make the hosts and wait until they are at work.

        Installs missing tools and builds the base first where needed. `progress` gets a line for
        every stage. Raises UsageError (not root, other system, folder in use) or CannotRunError;
        then, and on Ctrl-C, what was made is removed again.
        """
        state = plan_state(directory.resolve(), hosts)
        check_machine()
        machine = prepare_machine(progress)
        cache = provide(machine, progress)
        create(state)
        lab = cls(state)
        try:
            lab._make(cache, machine, progress)
        except BaseException:
            lab._remove()
            raise
        return lab

    @classmethod
    def load(cls, directory: Path) -> Lab:
        """The lab in a folder. Raises UsageError when there is none."""
        return cls(load(directory.resolve()))

    @property
    def directory(self) -> Path:
        """The lab's folder."""
        return self.state.directory

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All hosts, in the order of the inventory."""
        return self.state.hosts

    @property
    def inventory(self) -> Path:
        """The Ansible inventory, with office.yml beside it."""
        return inventory_path(self.directory)

    def officer_key(self, officer_id: str) -> Path:
        """Private key of a demo officer (pengelola, analis, jf, kepala)."""
        path = key_folder(self.directory) / officer_id
        if not path.exists():
            raise UsageError(f"lab: there is no demo officer {officer_id!r}")
        return path

    def host(self, name: str) -> Host:
        """The host of that name. Raises UsageError when there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise UsageError(f"lab: there is no host {name!r}", f"Known: {known}.")

    def run(
        self, host: str, argv: Sequence[str], timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside a host, also when its network is cut.

        `timeout` is in seconds. A command that fails is no error: look at `returncode`. Raises
        CannotRunError when the host does not run or the command takes longer.
        """
        command = [*self._inside(self.host(host)), *argv]
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotRunError(f"lab: {argv[0]} on {host} took longer than {timeout} s") from None

    def root(self, host: str) -> Path:
        """A full host's root file system, seen from outside; it is there while the host is off."""
        return full.root_path(self.state, self.host(host))

    def cut(self, host: str) -> None:
        """Pull the host's network plug: it goes on, unreachable."""
        network.set_link(self.state, self.host(host), up=False)

    def mend(self, host: str) -> None:
        """Put the network plug back and wait until ssh answers."""
        found = self.host(host)
        network.set_link(self.state, found, up=True)
        self._wait_reachable([f"{found.address}:22"], 30)

    def stop(self, host: str, *, force: bool = False) -> None:
        """Shut a host down; with `force`, cut its power instead."""
        found = self.host(host)
        if found.kind == "thin" or force:
            end_members([found.namespace])
        else:
            full.stop(self.state, found)

    def start(self, host: str) -> None:
        """Switch a stopped host on and wait until it is at work."""
        found = self.host(host)
        if leader(found.namespace) is None:
            self._start(found)
        self._wait([found])

    def running(self, host: str) -> bool:
        """Whether the host is switched on."""
        return leader(self.host(host).namespace) is not None

    def reachable(self, host: str) -> bool:
        """Whether the host's network plug is in."""
        return self.host(host).name not in network.cut_hosts(self.state)

    def status(self) -> dict[str, Any]:
        """Facts about every host, as `sop-run lab status --json` prints them."""
        cut = network.cut_hosts(self.state) if network.existing(self.state) else set()
        hosts = [
            {
                "name": host.name,
                "kind": host.kind,
                "scenario": host.scenario,
                "shows": scenario(host.scenario).shows,
                "address": host.address,
                "user": host.user,
                "running": leader(host.namespace) is not None,
                "link": host.name not in cut,
            }
            for host in self.hosts
        ]
        return {"directory": str(self.directory), "prefix": self.state.prefix, "hosts": hosts}

    def down(self) -> None:
        """End and remove everything that the lab consists of; doing it again does nothing.

        Raises UsageError when a `lab up` is still making it.
        """
        pid, began = self.state.maker
        if pid != os.getpid() and start_time(pid) == began and not self._finished():
            raise UsageError(
                f"lab: `lab up` (process {pid}) is still making the lab in {self.directory}",
                "Stop it first, or wait until it has ended.",
            )
        self._remove()

    def _finished(self) -> bool:
        return self.inventory.exists()

    def _remove(self) -> None:
        end_members(network.existing(self.state))
        network.disconnect(self.state)
        pool.wait_until_released(self.state)
        cgroups.remove(self.state.prefix)
        restore_limits(self.state.prefix)
        if not self.directory.exists():
            return
        for name in MADE:
            path = self.directory / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for name in (f".{FILE}", FILE):
            (self.directory / name).unlink(missing_ok=True)
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _make(self, cache: Cache, machine: Machine, progress: Callable[[str], None]) -> None:
        began = time.monotonic()
        for name in ("logs", "keys"):
            (self.directory / name).mkdir(mode=0o700)
        raise_limits(self.state.prefix)
        progress(f"lab: {len(self.hosts)} hosts: " + " ".join(host.name for host in self.hosts))
        network.connect(self.state)
        pool.copy_image(self.state, cache)
        pool.offer(self.state, cache)
        pool.start_anchor(self.state)
        key = generate_key(self.directory / "keys/hosts/id_ed25519", self.state.prefix)
        security = source_of(f"{machine.codename}-security", read_sources())

        def make(host: Host) -> str:
            shown = scenario(host.scenario)
            if host.kind == "thin":
                root = thin.make_root(self.state, host)
            else:
                root = full.make_root(self.state, host, shown.base)
            public = personalise(root, host, key)
            equip(root, shown, cache, security)
            self._start(host)
            return public

        with ThreadPoolExecutor(max_workers=4) as workers:
            keys = dict(
                zip(
                    (host.name for host in self.hosts),
                    workers.map(make, self.hosts),
                    strict=True,
                )
            )
        for host in self.hosts:
            if not scenario(host.scenario).reachable:
                network.set_link(self.state, host, up=False)
        write_ssh(self.state, keys)
        write_office(self.directory)
        progress(f"lab: hosts are starting ({time.monotonic() - began:.0f} s)")
        self._wait(self.hosts)
        write_inventory(self.state)
        progress(f"lab: all hosts are at work ({time.monotonic() - began:.0f} s)")

    def _start(self, host: Host) -> None:
        if host.kind == "thin":
            thin.start(self.state, host, scenario(host.scenario).base)
        else:
            full.start(self.state, host)

    def _wait(self, hosts: Sequence[Host]) -> None:
        cut = network.cut_hosts(self.state)
        seconds = 60 + 2 * len(hosts)
        reachable = [f"{host.address}:22" for host in hosts if host.name not in cut]
        self._wait_reachable([f"{CONTROLLER}:{PORT}", *reachable], seconds)
        for host in hosts:
            if host.kind == "thin":
                continue
            deadline = time.monotonic() + 30
            while leader(host.namespace) is None and time.monotonic() < deadline:
                time.sleep(0.1)
            full.wait_booted(host, self._inside(host), seconds)
            ready = scenario(host.scenario).ready
            while ready and self.run(host.name, ready).returncode != 0:
                if time.monotonic() > deadline + seconds:
                    raise CannotRunError(f"lab: {host.name} does not get to work: {ready}")
                time.sleep(0.2)

    def _wait_reachable(self, addresses: Sequence[str], seconds: float) -> None:
        inside = ["nsenter", f"--net=/run/netns/{self.state.prefix}"]
        program = [sys.executable, str(BANNER_PROGRAM), str(seconds)]
        left = run([*inside, *program, *addresses], timeout=seconds + 60).split()
        if left:
            logs = self.directory / "logs"
            raise CannotRunError(f"lab: these do not answer: {', '.join(left)}; see {logs}")

    def _inside(self, host: Host) -> list[str]:
        pid = leader(host.namespace)
        if pid is None:
            raise CannotRunError(
                f"lab: {host.name} is switched off",
                f"What it wrote last is in {full.log_path(self.state, host)}.",
            )
        spaces = ["--target", str(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--root"]
        environment = ["env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8"]
        return ["nsenter", *spaces, "--wd=/", "--", *environment]
