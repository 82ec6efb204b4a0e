"""A lab: throw-away test hosts on this machine, for the demo and for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from orchestrator.lab import full, guest, maker, network, vm
from orchestrator.lab.cache import Stock, provide, provide_hypervisor, provide_vm
from orchestrator.lab.inventory import inventory_path
from orchestrator.lab.machine import Progress, check_machine, prepare_machine, require_root
from orchestrator.lab.members import end_members, leader, leaders, start_time
from orchestrator.lab.officers import key_folder
from orchestrator.lab.qemu import GUEST_TOOLS, VM_TOOLS
from orchestrator.lab.scenario import HostSpec, scenario
from orchestrator.lab.sources import read_sources, source_of
from orchestrator.lab.state import Host, State, create, find, load, plan_state
from orchestrator.model.errors import CannotRunError, UsageError

__all__ = ["Host", "HostSpec", "Lab"]


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
        create(state)
        try:
            maker.make(state, stock(hosts, progress), progress)
        except BaseException:
            maker.remove(state)
            raise
        return cls(state)

    @classmethod
    def load(cls, directory: Path) -> Lab:
        """The lab in a folder. Raises UsageError when there is none."""
        return cls(load(directory.resolve()))

    @staticmethod
    def exists(directory: Path) -> bool:
        """Whether there is a lab, whole or not, to be loaded."""
        return find(directory.resolve()) is not None

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
        self, host: str, argv: Sequence[str], timeout: float = 60, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside a host, also when its network is cut (not on machines).

        `timeout` is in seconds, `text` is its standard input. A command that fails is no error:
        look at `returncode`. Raises CannotRunError when the host does not run or the command
        takes longer.
        """
        command = maker.inside(self.state, self.host(host), argv)
        try:
            return subprocess.run(
                command,
                input=text,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotRunError(f"lab: {argv[0]} on {host} took longer than {timeout} s") from None

    def root(self, host: str) -> Path:
        """A full host's root file system, seen from outside; it is there while the host is off.

        Raises UsageError for a machine: its file system is its own.
        """
        if self.host(host).kind in maker.EMULATED:
            raise UsageError(f"lab: {host} is a machine; its files are seen from inside only")
        return full.root_path(self.state, self.host(host))

    def cut(self, host: str) -> None:
        """Pull the host's network plug: it goes on, unreachable."""
        network.set_link(self.state, self.host(host), up=False)

    def mend(self, host: str) -> None:
        """Put the network plug back and wait until ssh answers."""
        found = self.host(host)
        network.set_link(self.state, found, up=True)
        maker.wait_reachable(self.state, [found], 30)

    def stop(self, host: str, *, force: bool = False) -> None:
        """Shut a host down; with `force`, cut its power instead."""
        found = self.host(host)
        if found.kind == "guest":
            guest.stop(self.state, found)
        elif found.kind == "thin" or force:
            end_members([found.namespace])
        elif found.kind == "vm":
            vm.stop(self.state, found)
        else:
            full.stop(self.state, found)

    def start(self, host: str) -> None:
        """Switch a stopped host on and wait until it is at work."""
        found = self.host(host)
        if not self.running(host):
            maker.switch_on(self.state, found)
        maker.wait_at_work(self.state, [found])

    def running(self, host: str) -> bool:
        """Whether the host is switched on."""
        found = self.host(host)
        if found.kind == "guest":
            return guest.running(self.state, found)
        return leader(found.namespace) is not None

    def reachable(self, host: str) -> bool:
        """Whether the host's network plug is in."""
        return self.host(host).name not in network.cut_hosts(self.state)

    def status(self) -> dict[str, Any]:
        """Facts about every host, as `sop-run lab status --json` prints them."""
        cut = network.cut_hosts(self.state) if network.existing(self.state) else set()
        running = leaders(self.state.namespaces)
        hosts = [
            {
                "name": host.name,
                "kind": host.kind,
                "scenario": host.scenario,
                "shows": scenario(host.scenario).shows,
                "address": host.address,
                "user": host.user,
                "running": self.running(host.name)
                if host.kind == "guest"
                else host.namespace in running,
                "link": host.name not in cut,
            }
            for host in self.hosts
        ]
        return {"directory": str(self.directory), "prefix": self.state.prefix, "hosts": hosts}

    def down(self) -> None:
        """End and remove everything that the lab consists of; doing it again does nothing.

        Raises UsageError without root, or when a `lab up` is still making it.
        """
        require_root()
        pid, began = self.state.maker
        if pid != os.getpid() and start_time(pid) == began and not self.inventory.exists():
            raise UsageError(
                f"lab: `lab up` (process {pid}) is still making the lab in {self.directory}",
                "Stop it first, or wait until it has ended.",
            )
        maker.remove(self.state)


def stock(hosts: Sequence[HostSpec], progress: Progress) -> Stock:
    """Everything that these hosts are made of, built where it is not there yet."""
    machines = any(host.kind in maker.EMULATED for host in hosts)
    hypervisors = any(host.kind == "hypervisor" for host in hosts)
    tools = {**(VM_TOOLS if machines else {}), **(GUEST_TOOLS if hypervisors else {})}
    machine = prepare_machine(progress, tools)
    if machines and machine.architecture != "amd64":
        raise UsageError(f"lab: machines are emulated on amd64 only, not on {machine.architecture}")
    base = provide(machine, progress)
    return Stock(
        base,
        provide_vm(machine, base, progress) if machines else None,
        source_of(f"{machine.codename}-security", read_sources()),
        provide_hypervisor(machine, base, progress) if hypervisors else base.image,
    )
