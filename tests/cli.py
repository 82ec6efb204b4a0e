"""Calls sop-run as a user does: the command, its output, its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOP_RUN = Path(sys.executable).parent / "sop-run"


@dataclass(frozen=True)
class Called:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return self.out + self.err


def sop_run(
    *words: str | Path, cwd: Path | None = None, timeout: float = 900, program: Path = SOP_RUN
) -> Called:
    """Run `sop-run WORDS`; fails the test on a traceback, whatever the exit code."""
    done = subprocess.run(
        [str(program), *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    called = Called(done.returncode, done.stdout, done.stderr)
    assert "Traceback (most recent call last)" not in called.text, called.text
    return called


def make_key(path: Path) -> Path:
    """A new SSH key without passphrase; the public half lies in PATH.pub."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def temporary_files_in(folder: Path) -> Path:
    """Have this process, and those that it starts, keep temporary files in `folder`.

    For processes that a test kills: what they leave goes with the test's own folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder
