"""Full hosts: real systemd in systemd-nspawn, root on a btrfs subvolume of its own.

Snapshots work inside such a host, it can reboot, and every boot has its own boot_id. RPM hosts
are full hosts, too.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.lab import cgroups
from orchestrator.lab.members import end_members, leader
from orchestrator.lab.pool import launch, mount_namespace, pool_path
from orchestrator.lab.process import run
from orchestrator.lab.state import Host, State
from orchestrator.model.errors import CannotRunError

Inside = Callable[[Sequence[str]], list[str]]
"""Makes of a command the one that runs it on the host."""
REBOOT = 133  # how systemd-nspawn --keep-unit ends when the host asked for a reboot
# $1 log, $2 root, $3 machine name, $4 one more option or nothing, then the files of its own
# cgroups. It goes on while the host reboots and ends with the host otherwise.
_SUPERVISOR = f"""log=$1 root=$2 machine=$3 more=$4; shift 4
exec </dev/null >>"$log" 2>&1
for file in "$@"; do echo $$ >"$file" || exit; done
while :; do
    systemd-nspawn --quiet --register=no --keep-unit --directory="$root" --machine="$machine" \
        --network-namespace-path=/proc/self/ns/net --link-journal=no --resolv-conf=off \
        --timezone=off --console=pipe --kill-signal=SIGRTMIN+3 $more --boot
    code=$?
    echo "systemd-nspawn ended with $code"
    [ $code -eq {REBOOT} ] || exit $code
done
"""


def root_path(state: State, host: Host) -> Path:
    """The host's root file system, seen from outside."""
    return pool_path(state) / "hosts" / host.name


def log_path(state: State, host: Host) -> Path:
    """What the host writes on its console."""
    return state.directory / "logs" / f"{host.name}.log"


def make_root(state: State, host: Host, base: str) -> Path:
    """A snapshot of a base root, with a subvolume for the host's own snapshots."""
    root = root_path(state, host)
    root.parent.mkdir(exist_ok=True)
    run(["btrfs", "--quiet", "subvolume", "snapshot", pool_path(state) / base, root])
    run(["btrfs", "--quiet", "subvolume", "create", root / ".snapshots"])
    (root / ".snapshots").chmod(0o750)
    return root


def start(state: State, host: Host) -> None:
    """Boot the host; returns at once. A supervisor of its own outlives this program."""
    inside = [f"--mount={mount_namespace(state)}", f"--net=/run/netns/{host.namespace}"]
    root = state.directory / "pool/hosts" / host.name
    more = "--bind=/dev/net/tun" if host.kind == "hypervisor" else ""  # for its guests' cards
    words = [str(log_path(state, host)), str(root), host.namespace, more]
    groups = cgroups.create(state.prefix, host.name)
    launch(["nsenter", *inside, "sh", "-c", _SUPERVISOR, "supervisor", *words, *groups])


def stop(state: State, host: Host, *, seconds: float = 20) -> None:
    """Shut the host down in good order; after `seconds` its power is cut."""
    pid = leader(host.namespace)
    if pid is not None:
        with suppress(ProcessLookupError):  # it may just have ended by itself
            os.kill(pid, signal.SIGRTMIN + 4)  # what systemd powers off at
        deadline = time.monotonic() + seconds
        while leader(host.namespace) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
    end_members([host.namespace])


def wait_booted(host: Host, inside: Inside, seconds: float) -> None:
    """Wait until systemd has started everything.

    Raises CannotRunError when it does not come up, or comes up with failed units.
    """
    deadline = time.monotonic() + seconds
    refusal = ""
    while time.monotonic() < deadline:
        try:
            run(inside(["systemctl", "is-system-running", "--wait"]), timeout=seconds)
        except CannotRunError as error:
            refusal = error.message
            time.sleep(0.2)
        else:
            return
    raise CannotRunError(f"lab: {host.name} does not get to the state 'running': {refusal}")


def wait_ready(host: Host, inside: Inside, ready: Sequence[str], seconds: float) -> None:
    """Wait until the command `ready` succeeds on the host: its service is at work.

    Raises CannotRunError when it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while ready:
        try:
            run(inside(ready), timeout=seconds)
        except CannotRunError as error:
            if time.monotonic() > deadline:
                raise CannotRunError(
                    f"lab: {host.name} does not get to work: {error.message}"
                ) from None
            time.sleep(0.2)
        else:
            return
