"""Ends what installs packages when room runs out, but not in the middle of a script."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostside import leftovers, roomwatch

IDENTITY = secrets.token_hex(16)  # another run of these tests must not meet ours


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process named dpkg of the transaction, which runs a script: `sleep`."""
    program = tmp_path / "dpkg"
    shutil.copy("/bin/sh", program)
    environment = {**os.environ, leftovers.MARKER: IDENTITY}
    script = f"sleep 60 & echo $! >{tmp_path}/script; wait $!; exec {tmp_path}/dpkg -c 'read x'"
    process = subprocess.Popen([str(program), "-c", script], env=environment, stdin=subprocess.PIPE)
    while not (tmp_path / "script").exists() or not leftovers.script_runs(IDENTITY):
        time.sleep(0.01)
    try:
        yield process
    finally:
        leftovers.end(IDENTITY)
        process.wait()


def test_room_is_told_with_its_urgency(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    mounts = (str(tmp_path), "/no-such-folder")
    assert roomwatch.shortest(free / 2, mounts) == ("", False)
    words, urgent = roomwatch.shortest(free * 2, mounts)
    assert words.startswith(f"{tmp_path} has only ") and not urgent
    assert roomwatch.shortest(free * 4, mounts)[1]


def test_the_floor_lies_below_what_the_preflight_leaves() -> None:
    assert roomwatch.floor_of(200) == roomwatch.FLOOR
    assert roomwatch.floor_of("60") == 20 * 2**20
    assert roomwatch.floor_of(0) == 0


def test_a_running_script_is_waited_for(tool: subprocess.Popen[bytes], tmp_path: Path) -> None:
    with roomwatch.Watch(IDENTITY, lambda: ("full", False)) as watch:
        time.sleep(3 * roomwatch.POLL_SECONDS)
        assert tool.poll() is None
        os.kill(int((tmp_path / "script").read_text()), signal.SIGKILL)
        tool.wait(10)
    assert watch.reason == "full"


def test_it_is_not_waited_for_when_it_is_urgent(tool: subprocess.Popen[bytes]) -> None:
    with roomwatch.Watch(IDENTITY, lambda: ("full", True)) as watch:
        assert tool.wait(10) == -signal.SIGKILL
    assert watch.reason == "full"


def test_nothing_happens_while_there_is_room(tool: subprocess.Popen[bytes]) -> None:
    with roomwatch.Watch(IDENTITY, lambda: ("", False)) as watch:
        time.sleep(3 * roomwatch.POLL_SECONDS)
    assert tool.poll() is None
    assert watch.reason == ""
