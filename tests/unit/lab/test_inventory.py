"""The inventory and the office of a lab, as every command reads them."""

from __future__ import annotations

from pathlib import Path

import yaml

from orchestrator.lab.inventory import write_inventory, write_ssh
from orchestrator.lab.officers import key_folder, write_office
from orchestrator.lab.scenario import plan_hosts
from orchestrator.lab.state import plan_state
from orchestrator.model.office import Office


def test_the_inventory_is_grouped_and_reaches_into_the_lab(tmp_path: Path) -> None:
    state = plan_state(tmp_path, plan_hosts(2, 1, 1))
    document = yaml.safe_load(write_inventory(state).read_text())
    groups = document["all"]["children"]
    assert {name: list(group["hosts"]) for name, group in groups.items()} == {
        "debian": ["web01", "sec01"],
        "rpm": ["rpm01"],
        "thin": ["thin001"],
    }
    assert groups["debian"]["hosts"]["web01"]["ansible_user"] == "root"
    assert groups["debian"]["hosts"]["sec01"]["ansible_become"] is True
    assert groups["debian"]["hosts"]["web01"]["test_checks"][0]["status"] == 200
    shared = document["all"]["vars"]
    assert shared["ansible_ssh_executable"] == f"{tmp_path}/bin/ssh"
    assert "StrictHostKeyChecking=yes" in shared["ansible_ssh_common_args"]
    assert state.prefix in shared["ansible_control_path_dir"]


def test_only_the_groups_that_have_hosts_are_written(tmp_path: Path) -> None:
    state = plan_state(tmp_path, plan_hosts(1, 0, 0))
    document = yaml.safe_load(write_inventory(state).read_text())
    assert list(document["all"]["children"]) == ["debian"]


def test_known_hosts_has_each_hosts_own_key(tmp_path: Path) -> None:
    state = plan_state(tmp_path, plan_hosts(2, 0, 0))
    write_ssh(state, {"web01": "ssh-ed25519 AAA web01", "sec01": "ssh-ed25519 BBB sec01"})
    assert (tmp_path / "known_hosts").read_text() == (
        "10.99.0.11 ssh-ed25519 AAA\n10.99.0.12 ssh-ed25519 BBB\n"
    )
    assert state.prefix in (tmp_path / "bin/ssh").read_text()
    assert (tmp_path / "bin/ssh").stat().st_mode & 0o777 == 0o755


def test_the_office_is_valid_and_its_private_keys_are_private(tmp_path: Path) -> None:
    office = Office.model_validate(yaml.safe_load(write_office(tmp_path).read_text()))
    assert [officer.id for officer in office.officers] == ["pengelola", "analis", "jf", "kepala"]
    for officer in office.officers:
        assert officer.name.startswith("Contoh")
        private = key_folder(tmp_path) / officer.id
        assert private.stat().st_mode & 0o777 == 0o600
        assert private.with_name(f"{officer.id}.pub").read_text().split()[1] in officer.keys[0]
