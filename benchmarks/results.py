"""results.json: every run, with the machine that it ran on; a part measured again is replaced."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).resolve().with_name("results.json")
Part = Literal["check", "change", "documents"]


@dataclass(frozen=True)
class Measurement:
    """One run of one contender; `cost` has wall_s, cpu_s, controller_kb, largest_kb.

    Of a document: fold_s and render_s (processor), fold_mb and peak_mb, file_mb.
    """

    contender: str
    hosts: int
    cost: dict[str, float]


def machine() -> dict[str, str]:
    """What the figures depend on."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((x.split(":", 1)[1] for x in cpu.splitlines() if x.startswith("model name")), "")
    memory = Path("/proc/meminfo").read_text(encoding="utf-8").split(None, 2)[1]
    release = platform.freedesktop_os_release()["PRETTY_NAME"]
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    asked = [os.environ["BENCH_PYINFRA"], "-c", "import pyinfra; print(pyinfra.__version__)"]
    pyinfra = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return {
        "processor": f"{os.cpu_count()} × {model.strip()}",
        "memory": f"{int(memory) // 2**20} GiB",
        "kernel": platform.release(),
        "system": release,
        "versions": ", ".join([
            f"Python {platform.python_version()}", f"ansible-core {version('ansible-core')}",
            f"ansible-runner {version('ansible-runner')}", f"pyinfra {pyinfra.strip()}",
            ssh.split(",")[0],
        ]),
        "measured": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


def load() -> dict[str, Any]:
    """All results so far."""
    found: dict[str, Any] = {"machine": {}, "check": [], "change": [], "documents": []}
    if RESULTS.exists():
        found |= json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def keep(part: Part, made: Sequence[Measurement]) -> None:
    """Put runs into the file, in place of those of the same contenders and sizes.

    Results of another machine, or of other versions, are dropped: only ratios of one count.
    """
    found, here = load(), machine()
    if not _same_machine(found["machine"].get(part, {}), here):
        found[part] = []
    new = {(m.contender, m.hosts) for m in made}
    left = [run for run in found[part] if (run["contender"], run["hosts"]) not in new]
    left += [{"contender": m.contender, "hosts": m.hosts, **m.cost} for m in made]
    found[part] = sorted(left, key=lambda run: (run["hosts"], run["contender"]))
    found["machine"][part] = here
    text = json.dumps(found, indent=1, ensure_ascii=False).replace("\n   ", " ")
    RESULTS.write_text(text.replace("\n  }", " }") + "\n", encoding="utf-8")


def _same_machine(one: dict[str, str], other: dict[str, str]) -> bool:
    return {**one, "measured": ""} == {**other, "measured": ""}


def medians(part: Part) -> dict[tuple[str, int], dict[str, float]]:
    """(contender, hosts) → median of each figure, and how many runs it is of."""
    groups: dict[tuple[str, int], list[dict[str, float]]] = {}
    for run in load()[part]:
        groups.setdefault((run["contender"], run["hosts"]), []).append(run)
    return {
        key: {
            "runs": len(runs),
            **{
                name: statistics.median(run[name] for run in runs)
                for name in ("wall_s", "cpu_s", "controller_kb", "largest_kb")
            },
        }
        for key, runs in groups.items()
    }
