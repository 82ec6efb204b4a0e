"""Roles and playbooks: one task per phase, and every variable documented, with the same default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PHASES = ("check", "rehearse", "backup", "update", "antivirus", "test", "restore", "doctor")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("phase", PHASES)
def test_a_role_is_one_task_whose_options_are_its_variables(phase: str, root: Path) -> None:
    tasks = load(root / "roles" / phase / "tasks/main.yml")
    assert len(tasks) == 1
    call = tasks[0]["sop_phase"]
    assert re.match(rf"SOP \d+ \| {phase} \| ", tasks[0]["name"])
    assert call["phase"] == phase
    for option, value in call["options"].items():
        assert value == f"{{{{ {phase}_{option} }}}}"
    defaults = load(root / "roles" / phase / "defaults/main.yml")
    limit = f"{phase}_timeout_seconds"  # Ansible's own limit, nothing for the host program
    assert {f"{phase}_{option}" for option in call["options"]} == set(defaults) - {limit}
    waits = f"{{{{ {phase}_wait_seconds | int + 300 }}}}"
    assert tasks[0]["timeout"] == (f"{{{{ {limit} }}}}" if limit in defaults else waits)


@pytest.mark.parametrize("phase", PHASES)
def test_every_variable_is_documented_with_its_default(phase: str, root: Path) -> None:
    defaults = load(root / "roles" / phase / "defaults/main.yml")
    options = load(root / "roles" / phase / "meta/argument_specs.yml")["argument_specs"]["main"][
        "options"
    ]
    assert set(options) == set(defaults)
    for name, spec in options.items():
        assert spec["description"], name
        if "{{" not in str(defaults[name]):
            assert spec["default"] == defaults[name], name


@pytest.mark.parametrize("phase", PHASES)
def test_every_option_is_read_by_a_host_program(phase: str, root: Path) -> None:
    options = load(root / "roles" / phase / "tasks/main.yml")[0]["sop_phase"]["options"]
    text = "".join(p.read_text(encoding="utf-8") for p in (root / "hostside").glob("*.py"))
    for option in options:
        assert f'"{option}"' in text, f"{phase}_{option} is read by nothing"


@pytest.mark.parametrize("phase", PHASES)
def test_a_playbook_asks_each_host_one_thing(phase: str, root: Path) -> None:
    (play,) = load(root / "playbooks" / f"{phase}.yml")
    assert play["gather_facts"] is False
    (task,) = play["tasks"]
    assert task["ansible.builtin.import_role"] == {"name": phase, "rolespec_validate": False}
    assert "become" not in play
