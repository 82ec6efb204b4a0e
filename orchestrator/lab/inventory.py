"""Writes the lab as a normal Ansible inventory, with the ssh that reaches into its namespace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestrator.lab.limits import registration
from orchestrator.lab.scenario import scenario
from orchestrator.lab.state import Host, State


def inventory_path(directory: Path) -> Path:
    """The inventory file of a lab."""
    return directory / "inventory/hosts.yml"


def write_ssh(state: State, host_keys: Mapping[str, str]) -> None:
    """Write bin/ssh, which runs ssh in the lab's namespace, and known_hosts.

    nsenter and not `ip netns exec`: that one copies the mount table, and a connection kept open
    would then hold the file systems of other labs.
    """
    program = state.directory / "bin/ssh"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f'#!/bin/sh\nexec nsenter --net=/run/netns/{state.prefix} -- ssh "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    lines = [f"{host.address} {' '.join(host_keys[host.name].split()[:2])}" for host in state.hosts]
    (state.directory / "known_hosts").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_inventory(state: State) -> Path:
    """Write inventory/hosts.yml; returns its path."""
    directory = state.directory
    groups: dict[str, Any] = {
        name: {"hosts": {}} for name in ("debian", "rpm", "thin", "vm", "hypervisor", "guest")
    }
    for host in state.hosts:
        group = "debian" if host.kind == "full" else host.kind
        groups[group]["hosts"][host.name] = variables(host)
    options = f"-o UserKnownHostsFile={directory}/known_hosts -o StrictHostKeyChecking=yes"
    document = {
        "all": {
            "vars": {
                "ansible_ssh_executable": f"{directory}/bin/ssh",
                "ansible_ssh_private_key_file": f"{directory}/keys/hosts/id_ed25519",
                "ansible_ssh_common_args": options,
                # Short, as a socket's path must be, and not shared with another lab, whose hosts
                # have the same addresses.
                "ansible_control_path_dir": str(registration(state.prefix)),
            },
            "children": {name: group for name, group in groups.items() if group["hosts"]},
        }
    }
    path = inventory_path(directory)
    path.parent.mkdir(exist_ok=True)
    note = "# Test hosts, made by `sop-run lab up`; they go with `sop-run lab down`.\n"
    text = yaml.safe_dump(document, sort_keys=False, width=200)
    path.write_text(note + text, encoding="utf-8")
    return path


def variables(host: Host) -> dict[str, Any]:
    """A host's variables."""
    shown = scenario(host.scenario)
    found: dict[str, Any] = {"ansible_host": host.address, "ansible_user": host.user}
    if host.user != "root":
        found["ansible_become"] = True
    found["lab_scenario"] = host.scenario
    found.update(shown.variables)
    found["test_checks"] = [dict(check) for check in shown.checks]
    return found
