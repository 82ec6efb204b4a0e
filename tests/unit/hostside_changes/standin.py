"""Stand-ins for vendors' programs: they answer as a test wrote down, and note how they were called.

What they prove is what the back ends ask and what they refuse, and nothing about a real hypervisor.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hostside import command

PROGRAM = """#!/usr/bin/python3
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
asked = [os.path.basename(__file__), *sys.argv[1:]]
with open(os.path.join(here, "called"), "a") as called:
    called.write(json.dumps({"argv": asked, "env": dict(os.environ)}) + "\\n")
with open(os.path.join(here, "answers")) as answers:
    found = json.load(answers).get(" ".join(asked))
if found is None:
    sys.exit("nothing is known of: " + " ".join(asked))
for path in found.get("becomes", []):
    os.replace(os.path.join(here, path), os.path.join(here, "answers"))
sys.stdout.write(found.get("out", ""))
sys.stderr.write(found.get("err", ""))
sys.exit(found.get("code", 0))
"""

Answers = dict[str, Any]


class StandIn:
    """Programs in a folder of their own, in front of the PATH that host programs have."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.folder = folder
        folder.mkdir()
        for name in names:
            path = folder / name
            path.write_text(PROGRAM, encoding="utf-8")
            path.chmod(0o755)
        monkeypatch.setitem(command.ENVIRONMENT, "PATH", f"{folder}:/usr/bin:/bin")

    def answers(self, answers: Answers, file: str = "answers") -> None:
        """What they answer: JSON for a list or an object, else text; how a call fails and to
        which answers it leads stand in a dict with `code` or `becomes`."""
        written = {
            key: value
            if isinstance(value, dict) and {"code", "becomes"} & set(value)
            else {"out": value if isinstance(value, str) else json.dumps(value)}
            for key, value in answers.items()
        }
        (self.folder / file).write_text(json.dumps(written), encoding="utf-8")

    def called(self) -> list[dict[str, Any]]:
        """How they were called, and with which environment."""
        path = self.folder / "called"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def changes(self) -> list[list[str]]:
        """Calls that would change something."""
        words = {"snapshot", "rollback", "delsnapshot"}
        words |= {"snapshot.create", "snapshot.revert", "snapshot.remove"}
        return [one["argv"] for one in self.called() if one["argv"][1] in words]
