"""Runs the machine's own programs for the lab: from lists, bounded in time, errors in words."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.model.errors import CannotRunError

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "NEEDRESTART_SUSPEND": "1",
}
# A helper must not go on making things after `lab up` was killed.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float = 600,
    text: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run `argv` and return its standard output; `text` is its standard input.

    `timeout` is in seconds. Raises CannotRunError, with the last lines that the program wrote,
    when it is missing, fails, or takes longer.
    """
    command = [str(part) for part in argv]
    if shutil.which(command[0], path=PATH) is None:
        raise CannotRunError(f"lab: the program {command[0]} is not installed")
    environment = {**os.environ, **ENVIRONMENT, "PATH": PATH, **(env or {})}
    try:
        done = subprocess.run(
            [*ENDS_WITH_US, *command],
            input=text if text is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
            cwd=cwd,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotRunError(f"lab: `{shown(command)}` took longer than {timeout:.0f} s") from None
    if done.returncode != 0:
        last = "\n".join((done.stdout + "\n" + done.stderr).strip().splitlines()[-8:])
        raise CannotRunError(f"lab: `{shown(command)}` ended with {done.returncode}:\n{last}")
    return done.stdout


def shown(command: Sequence[str]) -> str:
    """A command line short enough for a message."""
    line = " ".join(command)
    return line if len(line) <= 160 else line[:159] + "…"
