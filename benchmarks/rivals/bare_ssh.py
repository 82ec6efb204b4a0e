"""Bare parallel SSH: one `ssh HOST COMMAND` for each host, and nothing around it. Run as a file.

`bare_ssh.py TARGETS RESULTS PROGRAM COMMAND`: the command gets the file PROGRAM as its input.
Standard library only; options of ssh as in the project's ansible.cfg.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def main() -> int:
    """Ask all hosts; exit code 1 when one of them failed."""
    targets_file, results_file, program_file, command = sys.argv[1:]
    targets: dict[str, Any] = json.loads(Path(targets_file).read_text(encoding="utf-8"))
    program = Path(program_file).read_bytes()
    options = [
        *("-o", "ControlMaster=auto", "-o", "ControlPersist=30s"),
        *("-o", f"ControlPath={targets['sockets']}/bare-%C", "-o", "BatchMode=yes"),
        *("-o", f"UserKnownHostsFile={targets['known_hosts']}", "-o", "StrictHostKeyChecking=yes"),
        *("-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-i", targets["key"]),
    ]

    def ask(host: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        words = command if host["user"] == "root" else f"sudo -n {command}"
        argv = ["ssh", *options, "-l", host["user"], host["address"], words]
        return subprocess.run(argv, input=program, capture_output=True, check=False)

    with ThreadPoolExecutor(targets["forks"]) as workers:
        done = list(workers.map(ask, targets["hosts"]))
    said = {
        host["name"]: answer.stdout.decode(errors="replace")
        for host, answer in zip(targets["hosts"], done, strict=True)
    }
    Path(results_file).write_text(json.dumps(said), encoding="utf-8")
    for host, answer in zip(targets["hosts"], done, strict=True):
        if answer.returncode:
            sys.stderr.write(f"{host['name']}: {answer.returncode} {answer.stderr.decode()}\n")
    return int(any(answer.returncode for answer in done))


if __name__ == "__main__":
    sys.exit(main())
