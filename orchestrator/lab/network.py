"""Network of a lab: a namespace with a bridge for the controller, one namespace per host.

There is no way out of these namespaces: what hosts send stays on the bridge.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from orchestrator.lab.process import run
from orchestrator.lab.recipe import CONTROLLER
from orchestrator.lab.state import Host, State
from orchestrator.model.errors import CannotRunError

BRIDGE = "br0"
TAP = "tap0"
"""A machine's network card, in its own namespace."""


def batch(lines: Sequence[str], namespace: str = "") -> None:
    """Many `ip` commands at the price of one."""
    inside = ["-netns", namespace] if namespace else []
    run(["ip", *inside, "-batch", "-"], text="\n".join(lines) + "\n")


def existing(state: State) -> list[str]:
    """Those of the lab's namespaces that exist."""
    words = (line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line)
    wanted = set(state.namespaces)
    return [name for name in words if name in wanted]


def connect(state: State) -> None:
    """Make all namespaces, the bridge and the links; unreachable hosts are cut later."""
    batch([f"netns add {name}" for name in state.namespaces])
    lines = [
        "link set lo up",
        f"link add {BRIDGE} type bridge forward_delay 0",
        f"addr add {CONTROLLER}/16 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]
    for host in state.hosts:
        port = interface(host)
        plug, where = ("host0", host.namespace)
        if host.kind == "guest":
            plug, where = (guest_plug(host), hypervisor_of(state).namespace)
        lines.append(f"link add {port} type veth peer name {plug} netns {where}")
        lines.append(f"link set {port} master {BRIDGE} up")
    batch(lines, state.prefix)
    for host in state.hosts:
        if host.kind == "guest":
            batch(_guest(host), hypervisor_of(state).namespace)
        else:
            batch(_machine() if host.kind == "vm" else _inside(host), host.namespace)


def hypervisor_of(state: State) -> Host:
    """The lab's host that runs its guests. Raises CannotRunError when there is none."""
    for host in state.hosts:
        if host.kind == "hypervisor":
            return host
    raise CannotRunError("lab: guests need a hypervisor in the same lab")


def guest_plug(host: Host) -> str:
    """A guest's plug, in its hypervisor's namespace."""
    return f"plug{host.number}"


def guest_tap(host: Host) -> str:
    """A guest's network card, in its hypervisor's namespace."""
    return f"tap{host.number}"


def _guest(host: Host) -> list[str]:
    """Beside the inside of its hypervisor: the guest's card and plug on a bridge of their own."""
    bridge = f"brg{host.number}"
    return [
        f"link add {bridge} type bridge forward_delay 0",
        f"tuntap add dev {guest_tap(host)} mode tap",
        f"link set {guest_tap(host)} master {bridge} up",
        f"link set {guest_plug(host)} master {bridge} up",
        f"link set {bridge} up",
    ]


def _inside(host: Host) -> list[str]:
    """The inside of a host's namespace: the address is the namespace's own."""
    return [
        "link set lo up",
        f"addr add {host.address}/16 dev host0",
        "link set host0 up",
        f"route add default via {CONTROLLER}",
    ]


def _machine() -> list[str]:
    """The inside of a machine's namespace: its network card is a port beside the plug."""
    return [
        "link set lo up",
        f"link add {BRIDGE} type bridge forward_delay 0",
        f"tuntap add dev {TAP} mode tap",
        f"link set {TAP} master {BRIDGE} up",
        f"link set host0 master {BRIDGE} up",
        f"link set {BRIDGE} up",
    ]


def interface(host: Host) -> str:
    """The host's port on the bridge."""
    return f"v{host.number}"


def set_link(state: State, host: Host, *, up: bool) -> None:
    """Pull the host's plug, or put it back."""
    lines = [f"link set {interface(host)} {'up' if up else 'down'}"]
    if not up:  # forget where it was, so that the next connection fails in 3 s
        lines.append(f"neigh flush to {host.address} dev {BRIDGE}")
    batch(lines, state.prefix)


def cut_hosts(state: State) -> set[str]:
    """Names of the hosts whose link is down."""
    listing = json.loads(run(["ip", "-netns", state.prefix, "-json", "link"]))
    down = {link["ifname"] for link in listing if "UP" not in link["flags"]}
    return {host.name for host in state.hosts if interface(host) in down}


def disconnect(state: State) -> None:
    """Delete the namespaces, and with them bridge and links; end their processes first."""
    batch([f"netns delete {name}" for name in existing(state)])
