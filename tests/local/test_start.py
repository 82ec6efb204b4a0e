"""The first minutes of a new office: `init`, existing inventories, completion."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from orchestrator.model.house import ROOT
from orchestrator.model.office import Office
from orchestrator.office.load import load_office
from orchestrator.office.scaffold import FILES
from tests.cli import SOP_RUN, sop_run
from tests.local.conftest import LocalOffice, only_this_machine

PERIOD = ("monthly", "--period", "2026-11")


def test_init_makes_an_office_that_works(tmp_path: Path) -> None:
    folder = tmp_path / "my office"
    called = sop_run("init", folder)
    assert called.code == 0 and f"cd '{folder}'" in called.out
    assert all((folder / name).is_file() for name in FILES)

    empty = sop_run(*PERIOD, cwd=folder)
    assert empty.code == 2 and "has no hosts" in empty.err, "no host of the example is real"

    office = LocalOffice(folder)
    only_this_machine(office)
    first = sop_run(*PERIOD, cwd=folder)
    assert first.code == 3 and "waits for a signature: step 3" in first.out, first.text
    assert (folder / "var/cycles/2026-11/documents/laporan-hasil-pengecekan.xlsx").is_file()


def test_init_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts.yml").write_text("mine")
    called = sop_run("init", tmp_path)
    assert called.code == 2 and "inventory/hosts.yml" in called.err
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["hosts.yml"]
    assert (tmp_path / "inventory/hosts.yml").read_text() == "mine"


def test_init_stays_out_of_the_programs_own_folder() -> None:
    called = sop_run("init", ROOT / "office")
    assert called.code == 2 and "program's own folder" in called.err
    assert not (ROOT / "office").exists()


def test_the_example_office_names_every_key() -> None:
    """An option that is not in the example is an option that nobody finds."""
    example = (ROOT / "inventory/office.yml").read_text(encoding="utf-8")
    load_office(ROOT / "inventory/office.yml")
    missing = [key for key in _keys(Office.model_json_schema()) if f"{key}:" not in example]
    assert not missing


def _keys(schema: dict[str, object]) -> set[str]:
    """Every key of office.yml, at any depth."""
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, dict)
    found: set[str] = set()
    for part in (schema, *definitions.values()):
        found.update(part.get("properties", {}))
    return found


HOSTS = """\
[web]
web[01:03].example.org

[db]
db01 ansible_host=192.0.2.20

[all:vars]
ansible_connection=local
"""
SCRIPT = """\
#!/bin/sh
cat <<'END'
{"dynamic": {"hosts": ["cloud01"]},
 "_meta": {"hostvars": {"cloud01": {"ansible_host": "192.0.2.30"}}}}
END
"""
CONSTRUCTED = """\
plugin: ansible.builtin.constructed
strict: true
groups: {everything: "true"}
"""


def test_existing_inventories_work_unchanged(tmp_path: Path) -> None:
    """INI with ranges, YAML, a dynamic script and a plugin, side by side in one folder."""
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    (inventory / "10-hosts").write_text(HOSTS)
    (inventory / "20-more.yml").write_text(yaml.safe_dump({"mail": {"hosts": {"mail01": None}}}))
    script = inventory / "30-cloud.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    (inventory / "40-groups.yml").write_text(CONSTRUCTED)
    (inventory / "office.yml").write_bytes((ROOT / "inventory/office.yml").read_bytes())
    (inventory / "logo.png").write_bytes(b"\x89PNG")
    (inventory / "report_templates").mkdir()
    (inventory / "report_templates/x.yml").write_text("no: inventory")

    from orchestrator.fleet.inventory import read_inventory

    found = read_inventory(inventory)
    webs = tuple(f"web0{n}.example.org" for n in (1, 2, 3))
    assert found.hosts == ("cloud01", "db01", "mail01", *webs)
    assert found.addresses["db01"] == "192.0.2.20" and found.addresses["cloud01"] == "192.0.2.30"
    assert read_inventory(inventory, "web:!web02*").hosts == (webs[0], webs[2])


def test_every_file_of_the_inventory_folder_counts(new_office: LocalOffice) -> None:
    """A second inventory file beside hosts.yml is no host forgotten."""
    second = {"all": {"hosts": {"second": {"ansible_connection": "local"}}}}
    (new_office.inventory / "more.yml").write_text(yaml.safe_dump(second))
    called = new_office.run(*PERIOD)
    assert called.code == 3, called.text
    assert set(new_office.facts()["hosts"]) == {"localhost", "second"}


def test_a_vault_in_the_inventory(new_office: LocalOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    password = new_office.folder / "vault-password"
    password.write_text("made up for this test")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    secret = new_office.inventory / "group_vars/all/vault.yml"
    secret.parent.mkdir(parents=True)
    secret.write_text("ansible_become_password: made-up-password\n")
    vault = SOP_RUN.with_name("ansible-vault")
    subprocess.run([vault, "encrypt", secret], check=True, capture_output=True, env=os.environ)
    assert new_office.run(*PERIOD).code == 3
    for path in new_office.home.rglob("*"):
        assert not path.is_file() or b"made-up-password" not in path.read_bytes(), path

    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE")
    refused = new_office.run("monthly", "--period", "2026-12")
    assert refused.code == 2 and "ANSIBLE_VAULT_PASSWORD_FILE" in refused.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    called = sop_run("completion", shell)
    assert called.code == 0 and "_SOP_RUN_COMPLETE" in called.out


def test_completing_commands_cycles_and_officers(
    local_office: LocalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_SOP_RUN_COMPLETE", "bash_complete")
    for words, offered in (
        ("mon", "monthly"),
        ("sign 2026", "2026-11"),
        ("sign 2026-11 --as ke", "kepala"),
        ("status 1999", ""),
    ):
        line = f"sop-run {words}"
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
        found = sop_run(cwd=local_office.folder).out
        assert found.strip() == (f"plain,{offered}" if offered else ""), words


def test_shipped_inventory_is_this_machine() -> None:
    listing = subprocess.run(
        [SOP_RUN.with_name("ansible-inventory"), "-i", ROOT / "inventory", "--list"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(json.loads(listing.stdout)["_meta"]["hostvars"]) == {"localhost"}
