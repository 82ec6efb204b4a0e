"""A control node that keeps itself current, by `ansible_connection: local`, and restarts itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.errors import CannotRunError
from tests.cli import make_key
from tests.lab.left import left_overs

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = Path(sys.executable).parents[1]
PARTS = (
    "orchestrator",
    "hostside",
    "plugins",
    "playbooks",
    "roles",
    "report_templates",
    "ansible.cfg",
)
HOME = "/opt/sop-run"  # a checkout below /tmp would be hidden by the host's own
SOP_RUN = f"{HOME}/.venv/bin/sop-run"
BACKGROUND = f"PYTHONPATH={HOME} setsid --fork"
OFFICE = "root/office/inventory"
OFFICERS = ("pengelola", "analis", "jf", "kepala")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("itself")
    made = Lab.up(folder / "lab", [HostSpec("kernel01", "full", "reboot")], print)
    try:
        furnish(made.root("kernel01"), folder)
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def furnish(root: Path, folder: Path) -> None:
    """Put the program as it is here, and an office whose only server is the host, on the host."""
    inside = root / HOME[1:]
    inside.mkdir(parents=True)
    for part in PARTS:
        source = CHECKOUT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, inside / part)
    shutil.copytree(VENV, inside / ".venv", symlinks=True)
    old, new = f"#!{VENV}/bin/python".encode(), f"#!{HOME}/.venv/bin/python".encode()
    scripts = (p for p in (inside / ".venv/bin").iterdir() if p.is_file() and not p.is_symlink())
    for script in scripts:
        text = script.read_bytes()
        if text.startswith(old):
            script.write_bytes(text.replace(old, new, 1))
    office = yaml.safe_load((CHECKOUT / "inventory/office.yml").read_text(encoding="utf-8"))
    for officer in office["officers"]:
        key = make_key(root / "root/keys" / officer["id"])
        officer["keys"] = [key.with_suffix(".pub").read_text().strip()]
    (root / OFFICE).mkdir(parents=True)
    (root / OFFICE / "office.yml").write_text(yaml.safe_dump(office))
    hosts = {"all": {"hosts": {"itself": {"ansible_connection": "local"}}}}
    (root / OFFICE / "hosts.yml").write_text(yaml.safe_dump(hosts))


def call(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    """sop-run on the host."""
    script = 'cd /root/office && exec "$0" "$@"'
    argv = ["env", f"PYTHONPATH={HOME}", "sh", "-c", script, SOP_RUN, *words]
    return lab.run("kernel01", argv, timeout=240)


def sign(lab: Lab, officer: str) -> subprocess.CompletedProcess[str]:
    return call(lab, "sign", "2026-11", "--as", officer, "--key", f"/root/keys/{officer}")


def boot_id(lab: Lab) -> str:
    """The host's boot; "" while it is off."""
    try:
        return lab.run("kernel01", ["cat", "/proc/sys/kernel/random/boot_id"]).stdout
    except CannotRunError:
        return ""


def test_a_machine_updates_and_restarts_itself(lab: Lab) -> None:
    boot = boot_id(lab)
    monthly = ("monthly", "--period", "2026-11")
    first = call(lab, *monthly)
    assert first.returncode == 3, first.stdout + first.stderr
    sign(lab, "analis")
    assert sign(lab, "kepala").returncode == 0
    # Its own session, as of a timer: what runs a command from outside would itself be in the way.
    script = f"cd /root/office && {BACKGROUND} {SOP_RUN} {' '.join(monthly)} >/root/out 2>&1"
    assert lab.run("kernel01", ["sh", "-c", script]).returncode == 0
    deadline = time.monotonic() + 180
    while boot_id(lab) in (boot, ""):
        assert time.monotonic() < deadline, "it did not restart"
        time.sleep(0.5)
    lab.start("kernel01")  # waits until it is at work
    said = (lab.root("kernel01") / "root/out").read_text()
    # Either way it says how to go on; the machine's end may also catch Ansible at its work.
    assert "run the same command again" in said and "Traceback" not in said, said
    again = call(lab, *monthly)
    assert again.returncode == 3, again.stdout + again.stderr
    for officer in ("pengelola", "analis", "jf", "kepala"):
        sign(lab, officer)
    last = call(lab, *monthly)
    assert last.returncode == 0, last.stdout + last.stderr
    found = json.loads(call(lab, "status", "2026-11", "--json").stdout)
    assert found["hosts"] == {"itself": "updated"}
    shown = lab.run("kernel01", ["dpkg-query", "-W", "-f=${Version}", "lab-kernel"]).stdout
    assert shown == "6.1.2"
    assert call(lab, "audit", "2026-11").returncode == 0
