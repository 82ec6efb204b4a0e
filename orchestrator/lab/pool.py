"""The lab's file system: a copy of the cached btrfs image, mounted in the lab's namespace only.

A process of the lab (its web server) holds that mount namespace. When the last process of the
lab ends, mounts and loop device end with it: nothing can be left behind.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from orchestrator.lab.cache import Cache
from orchestrator.lab.members import command_line, members
from orchestrator.lab.process import ENVIRONMENT, PATH, run
from orchestrator.lab.recipe import COMPRESSION, CONTROLLER, PORT
from orchestrator.lab.state import State
from orchestrator.model.errors import CannotRunError

WEB_PROGRAM = Path(__file__).with_name("web.py")
# $1 image, $2 mount point, $3 log, then the program that stays. /run is private, since
# systemd-nspawn leaves things there.
_ANCHOR = f"""set -e
image=$1 pool=$2 log=$3; shift 3
exec </dev/null >>"$log" 2>&1
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/nspawn /run/lock
mount -o loop,noatime,compress={COMPRESSION} "$image" "$pool"
exec "$@"
"""


def image_path(state: State) -> Path:
    """The lab's own image."""
    return state.directory / "pool.img"


def copy_image(state: State, cached: Path) -> None:
    """Copy the cached image and give the copy an identity of its own, so that labs can coexist."""
    image = image_path(state)
    run(["cp", "--sparse=always", cached, image])
    run(["btrfstune", "-f", "-m", image])


def offer(state: State, cache: Cache) -> None:
    """The folder that the web server offers: links into the cache, so a test may swap one."""
    www = state.directory / "www"
    www.mkdir()
    for entry in cache.www.iterdir():
        (www / entry.name).symlink_to(entry)


def start_anchor(state: State) -> None:
    """Mount the pool and start the web server, in the controller's namespace, for good."""
    pool = state.directory / "pool"
    pool.mkdir()
    inside = [f"--net=/run/netns/{state.prefix}", "unshare", "--mount", "--propagation", "slave"]
    launch(
        [
            "nsenter",
            *inside,
            *["sh", "-c", _ANCHOR, "anchor", str(image_path(state)), str(pool)],
            str(state.directory / "logs/web.log"),
            *[sys.executable, str(WEB_PROGRAM), CONTROLLER, str(PORT)],
            str(state.directory / "www"),
        ]
    )
    deadline = time.monotonic() + 20
    while anchor(state) is None:
        if time.monotonic() > deadline:
            log = (state.directory / "logs/web.log").read_text(encoding="utf-8")[-800:]
            raise CannotRunError(f"lab: the lab's file system could not be mounted: {log}")
        time.sleep(0.05)


def launch(command: list[str]) -> None:
    """Start a program that outlives us, in a session of its own, with nothing of ours open."""
    subprocess.run(
        ["setsid", "--fork", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**ENVIRONMENT, "PATH": PATH},
        cwd="/",
        check=True,
    )


_anchors: dict[str, int] = {}
"""Anchors found before, by prefix: looking through all processes for each of 500 hosts is slow."""


def anchor(state: State) -> int | None:
    """The process that holds the lab's mount namespace, or None."""
    known = _anchors.get(state.prefix)
    found = [pid for pid, _ in members([state.prefix])] if known is None else [known]
    for pid in found:
        line = command_line(pid)
        if line[1:2] == [str(WEB_PROGRAM)] and line[-1] == str(state.directory / "www"):
            _anchors[state.prefix] = pid
            return pid
    if known is None:
        return None
    del _anchors[state.prefix]
    return anchor(state)


def mount_namespace(state: State) -> str:
    """Path of the lab's mount namespace. Raises CannotRunError when the lab is not running."""
    pid = anchor(state)
    if pid is None:
        raise CannotRunError(
            f"lab: the lab in {state.directory} is not running (was the machine restarted?)",
            f"Remove what is left with: sop-run lab down --dir {state.directory}",
        )
    return f"/proc/{pid}/ns/mnt"


def pool_path(state: State) -> Path:
    """The pool as seen from outside of its mount namespace."""
    pid = mount_namespace(state).split("/")[2]
    return Path(f"/proc/{pid}/root{state.directory}/pool")


def wait_until_released(state: State, seconds: float = 15) -> None:
    """Wait until no loop device uses the image any more; the kernel lets go a moment late."""
    deadline = time.monotonic() + seconds
    while devices := run(["losetup", "--associated", image_path(state)]).strip():
        if time.monotonic() > deadline:
            raise CannotRunError(f"lab: the lab's image is still in use: {devices}")
        time.sleep(0.05)
