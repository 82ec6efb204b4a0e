"""Asks a lab host a phase directly: the host program as it is sent, without the runner around."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

from hostside import bundle
from orchestrator.lab.lab import Lab

ROOT = Path(__file__).resolve().parents[2]


def send(
    lab: Lab, host: str, phase: str, options: dict[str, Any], /, **request: Any
) -> subprocess.CompletedProcess[str]:
    """How the host program ended on a host."""
    asked = {"phase": phase, "transaction": "", "items": [], "options": options}
    asked |= {"clock": time.time(), **request}
    text = bundle.program(bundle.payload(str(ROOT / "hostside"), phase), asked)
    return lab.run(host, ["/usr/bin/python3", "-I", "-"], timeout=300, text=text)


def ask(
    lab: Lab, host: str, phase: str, options: dict[str, Any], /, **request: Any
) -> dict[str, Any]:
    """The evidence of a phase on a host."""
    done = send(lab, host, phase, options, **request)
    lines = [x for x in done.stdout.splitlines() if x.startswith("SOP-RUN-EVIDENCE")]
    assert lines, f"{host}: {done.stdout}{done.stderr}"
    return dict(json.loads(zlib.decompress(base64.b64decode(lines[-1].split()[2]))))


def sh(lab: Lab, host: str, script: str) -> str:
    """Output of a shell script that must succeed on a host."""
    done = lab.run(host, ["sh", "-c", script], timeout=300)
    assert done.returncode == 0, f"{host}: {script}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def told(evidence: dict[str, Any]) -> dict[str, str]:
    """Messages of the findings by their code."""
    return {p["code"]: p["message"] for p in evidence["problems"]}


def seconds_off(found: dict[str, str]) -> int:
    """By how much a host says that its clock is ahead of the control node's."""
    said = re.search(r"the host's clock is \+(\d+) s from the control node's", found["clock-off"])
    assert said is not None, found
    return int(said[1])
