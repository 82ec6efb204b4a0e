"""The same check, or the same update, by pyinfra. Run as a file by pyinfra's own Python.

`with_pyinfra.py check|change TARGETS RESULTS`: files of JSON, see benchmarks/fleet.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.facts import get_facts
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import State
from pyinfra.facts import deb, hardware, server
from pyinfra.operations import server as server_operations

COMMANDS = json.loads(Path(__file__).with_name("commands.json").read_text(encoding="utf-8"))
FACTS = {
    "hostname": server.Hostname,
    "kernel": server.Kernel,
    "kernel_version": server.KernelVersion,
    "arch": server.Arch,
    "os": server.LinuxDistribution,
    "addresses": hardware.Ipv4Addresses,
    "mounts": server.Mounts,
    "reboot": server.RebootRequired,
}


def connected(targets: dict[str, Any]) -> State:
    """A state that is connected to every host."""
    hosts = [
        (host["name"], {"ssh_hostname": host["address"], "ssh_user": host["user"],
                        "_sudo": host["user"] != "root"})
        for host in targets["hosts"]
    ]  # fmt: skip
    shared = {
        "ssh_key": targets["key"],
        "ssh_known_hosts_file": targets["known_hosts"],
        "ssh_strict_host_key_checking": "yes",
    }
    state = State(Inventory((hosts, shared)), Config(PARALLEL=targets["forks"], FAIL_PERCENT=0))
    connect_all(state)
    return state


def fact(state: State, *words: Any) -> dict[str, Any]:
    """One fact of every host, by the host's name."""
    return {host.name: value for host, value in get_facts(state, *words).items()}


def check(state: State, found: dict[str, dict[str, Any]]) -> None:
    """Facts and the answers of the check's commands, of which the first refreshes."""
    for name, kind in FACTS.items():
        for host, value in fact(state, kind).items():
            found[host][name] = value
    for name, command in COMMANDS["check"].items():
        for host, value in fact(state, server.Command, (command,)).items():
            found[host][name] = value


def change(state: State, found: dict[str, dict[str, Any]]) -> None:
    """Facts before, copy of /etc, packages, antivirus, a look whether all is well, facts after."""
    commands = COMMANDS["change"]
    for when in ("before", "after"):
        for name, kind in {**FACTS, "packages": deb.DebPackages}.items():
            for host, value in fact(state, kind).items():
                found[host][f"{name} {when}"] = value
        if when == "after":
            return
        for name in ("keep_etc", "refresh", "upgrade", "antivirus"):
            add_op(state, server_operations.shell, name=name, commands=[commands[name]])
        run_ops(state)
        for name in ("failed_units", "active"):
            for host, value in fact(state, server.Command, (commands[name],)).items():
                found[host][name] = value


def main() -> None:
    """Do it, and write what was found."""
    task, targets_file, results_file = sys.argv[1:]
    targets = json.loads(Path(targets_file).read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = {host["name"]: {} for host in targets["hosts"]}
    state = connected(targets)
    (check if task == "check" else change)(state, found)
    disconnect_all(state)
    Path(results_file).write_text(json.dumps(found, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
