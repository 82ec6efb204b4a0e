"""Roles and playbooks: one task per phase, and every variable documented, with the same default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostside import hypervisor, hypervisors
from hostside.main import BESIDE as BESIDE_PHASES

PHASES = ("check", "rehearse", "backup", "update", "antivirus", "test", "restore", "doctor")
# What a guest and its hypervisor are asked beside a phase, where a hypervisor backs hosts up:
# (phase of the host program, whether it is delegated). A play of its own, without a host elsewhere.
BESIDE = {
    "backup": (("prepare", False), ("snapshot", True)),
    "update": (("proof", True),),
    "restore": (("revert", True),),
}


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
    beside = {"backup_hypervisor", "backup_domain", "backup_snapshot_seconds"}
    assert {f"{phase}_{option}" for option in call["options"]} == set(defaults) - {limit} - beside
    handed_on = f"{{{{ {phase}_told | default(omit) }}}}" if phase in BESIDE else None
    assert call.get("told") == handed_on
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
    *before, play = load(root / "playbooks" / f"{phase}.yml")
    assert play["gather_facts"] is False
    (task,) = play["tasks"]
    assert task["ansible.builtin.import_role"] == {"name": phase, "rolespec_validate": False}
    assert "become" not in play
    assert [one.get("tasks") is None for one in before] == (
        [True, False] if phase in BESIDE else []
    )


@pytest.mark.parametrize("phase", BESIDE)
def test_only_guests_of_a_hypervisor_are_asked_more(phase: str, root: Path) -> None:
    first, guests, _ = load(root / "playbooks" / f"{phase}.yml")
    assert set(first) == {"name", "hosts", "gather_facts"}, "it must cost nothing"
    assert "in hostvars[host].sop_run_by_hypervisor -%}" in guests["hosts"]
    shared = load(root / "playbooks/group_vars/all.yml")
    assert shared == {"sop_run_by_hypervisor": list(hypervisor.BACKENDS)}
    (task,) = guests["tasks"]
    assert task["ansible.builtin.import_role"] == {
        "name": phase,
        "tasks_from": "hypervisor",
        "rolespec_validate": False,
    }
    tasks = load(root / "roles" / phase / "tasks/hypervisor.yml")
    asked = tuple((one["sop_phase"]["phase"], "delegate_to" in one) for one in tasks)
    assert asked == BESIDE[phase]
    assert set(hypervisors.KINDS) == set(hypervisor.BACKENDS)
    for one in tasks:
        assert one["sop_phase"]["of"] == phase
        assert one["sop_phase"]["phase"] in BESIDE_PHASES
        delegated = "delegate_to" in one
        assert one.get("ignore_errors", False) is delegated
        assert one.get("delegate_to") == ("{{ backup_hypervisor }}" if delegated else None)
    assert tasks[-1]["register"] == f"{phase}_told"
