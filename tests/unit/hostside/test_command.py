"""Commands on a host end when they should, with everything that they started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hostside import command


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds (a zombie has ended)."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("end", "code"), [("kill -KILL $$", -9), ("kill -TERM $$", -15), ("sleep 60", None)]
)
def test_what_a_killed_command_began_does_not_go_on(end: str, code: int | None) -> None:
    result = command.run(["sh", "-c", f"sleep 300 & echo $!; {end}"], timeout=2)
    assert result.code == code
    assert gone(int(result.out))


def test_what_a_command_leaves_running_on_purpose_stays() -> None:
    result = command.run(["sh", "-c", "sleep 300 & echo $!"], timeout=20)
    assert result.ok
    pid = int(result.out)
    os.kill(pid, 0)
    os.kill(pid, 9)


def test_a_command_that_does_not_exist() -> None:
    result = command.run(["/no/such/program"])
    assert (result.code, result.ok) == (127, False)
