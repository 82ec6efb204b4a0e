"""What a lab could leave on the machine, so that tests can prove that it left nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestrator.lab.cgroups import hierarchies
from orchestrator.lab.limits import FOLDER


def left_overs(prefix: str, directory: Path) -> list[str]:
    """Everything on the machine that bears the lab's prefix or lies in its folder."""

    def lines(*argv: str) -> list[str]:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()

    inside = f"{directory}/"
    found = [f"namespace {line}" for line in lines("ip", "netns", "list") if prefix in line]
    found += [f"loop {line}" for line in lines("losetup", "--all") if inside in line]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found += [f"mount {line}" for line in mounts if inside in line or prefix in line]
    found += [f"cgroup {top / prefix}" for top in hierarchies() if (top / prefix).exists()]
    found += [f"process {line}" for line in processes() if inside in line or prefix in line]
    found += [f"file {path}" for path in (directory, FOLDER / prefix) if path.exists()]
    return found


def processes() -> list[str]:
    """Command lines of all processes, with their ids."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if "pytest" not in words:
            found.append(f"{entry.name} {words}")
    return found
