"""Thin hosts, for numbers: a shared root with an overlay, own namespaces, sshd as process 1.

No systemd and no services, so hundreds fit on one machine.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.lab.members import end_members
from orchestrator.lab.pool import launch, mount_namespace, pool_path
from orchestrator.lab.state import Host, State

# $1 host name, $2 its folder, $3 base root, $4 log; runs as process 1 of the host.
_INIT = """set -e
name=$1 folder=$2 base=$3 log=$4
root=$folder/root
exec </dev/null >>"$log" 2>&1
mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=16m tmpfs "$root/run"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/tmp"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/sshd" "$root/run/lock"
chmod 1777 "$root/dev/shm"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
hostname "$name"
cd "$root"
pivot_root . mnt
cd /
umount -l /mnt
exec env -i PATH="$PATH" LANG=C.UTF-8 /usr/sbin/sshd -D -e -o UsePAM=no
"""


def folder_path(state: State, host: Host) -> Path:
    """The host's folder in the pool, seen from outside."""
    return pool_path(state) / "thin-hosts" / host.name


def make_root(state: State, host: Host) -> Path:
    """The host's own layer, still empty; what is written there covers the shared root."""
    folder = folder_path(state, host)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir(parents=True)
    return folder / "upper"


def start(state: State, host: Host, base: str) -> None:
    """Start the host; returns at once."""
    inside = [f"--mount={mount_namespace(state)}", f"--net=/run/netns/{host.namespace}"]
    alone = ["unshare", "--fork", "--pid", "--mount", "--propagation", "private", "--uts", "--ipc"]
    pool = state.directory / "pool"
    log = state.directory / "logs" / f"{host.name}.log"
    words = [host.name, str(pool / "thin-hosts" / host.name), str(pool / base), str(log)]
    launch(["nsenter", *inside, *alone, "--kill-child", "sh", "-c", _INIT, "init", *words])


def stop(host: Host) -> None:
    """End the host and everything in it."""
    end_members([host.namespace])
