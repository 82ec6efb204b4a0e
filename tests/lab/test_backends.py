"""Back ends of the backup: each brings a host back after an update that breaks it, for real."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.lab.demo import whole_cycle
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.cycle import CycleId
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.progress import Silent
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs
from tests.lab.month import wait_for

pytestmark = pytest.mark.lab

HOSTS = {
    "snap01": HostSpec("snap01", "full", "snapper"),
    "kept01": HostSpec("kept01", "full", "breaks"),
    "own01": HostSpec("own01", "full", "breaks"),
    "rpmapi01": HostSpec("rpmapi01", "rpm", "rpm-breaks"),
}
OWN_PROGRAM = """#!/bin/sh
# An office's own backup of one service: its files and dpkg's database.
set -eu
archive=/srv/own/$2.tar
case $1 in
create)
    mkdir -p /srv/own
    { dpkg -L lab-api; find /var/lib/dpkg; } | while read -r path; do
        [ -d "$path" ] || echo "$path"
    done >/srv/own/list
    tar --create --file "$archive" --absolute-names --files-from /srv/own/list
    echo "$archive" ;;
verify) tar --list --absolute-names --file "$archive" >/srv/own/found; wc -l </srv/own/found ;;
restore) tar --extract --absolute-names --file "$archive"; echo "unpacked $archive" ;;
delete) rm "$archive" ;;
esac
"""
KEYS = ("create", "verify", "restore", "delete")
OWN = {key: ["/usr/local/sbin/own-backup", key] for key in KEYS}
METHODS: dict[str, dict[str, Any]] = {
    "kept01": {"backup_method": "packages"},
    "rpmapi01": {"backup_method": "packages"},
    "own01": {"backup_method": "command", "backup_command": OWN},
}
ITEM = {
    "class": "security", "name": "lab-api", "arch": "all", "from": "1.0", "to": "2.0",
    "source": "Lab:lab-security", "size": 1000, "sha256": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("backends") / "lab", list(HOSTS.values()), print)
    try:
        folder = made.inventory.parent / "host_vars"
        folder.mkdir()
        for host, variables in METHODS.items():
            (folder / f"{host}.yml").write_text(yaml.safe_dump(variables))
        program = made.root("own01") / "usr/local/sbin/own-backup"
        program.write_text(OWN_PROGRAM)
        program.chmod(0o755)
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def web(lab: Lab, host: str, port: int = 8081) -> str:
    return sh(lab, host, f"curl -s --max-time 5 http://127.0.0.1:{port}/")


def test_every_back_end_restores_a_broken_host(lab: Lab, tmp_path: Path) -> None:
    shown = whole_cycle(lab, tmp_path / "home", CycleId(2026, 11), Silent(), print)
    state = shown.standing.state
    verdicts = {host: v.verdict for host, v in state.verdicts.items()}
    assert verdicts == dict.fromkeys(HOSTS, Verdict.ROLLED_BACK), state.verdicts
    assert shown.audit.ok
    used = {}
    for host in HOSTS:
        outcome = state.last(host, Phase.RESTORE)
        evidence = outcome.read() if outcome else None
        assert evidence is not None
        used[host] = evidence.facts["restore"]["method"]
        assert evidence.facts["restore"]["proof"], host
    assert used == {
        "snap01": "snapper", "kept01": "packages", "own01": "command", "rpmapi01": "packages",
    }  # fmt: skip
    for host in ("snap01", "kept01", "own01"):
        assert web(lab, host) == "lab-api 1.0"
        assert sh(lab, host, "dpkg-query -W -f '${Version}${db:Status-Abbrev}' lab-api") == "1.0ii"
        assert sh(lab, host, "dpkg --audit") == ""
    assert web(lab, "rpmapi01", 8091) == "rlab-api 1.0"
    assert sh(lab, "rpmapi01", "rpm -q --qf %{VERSION} rlab-api") == "1.0"
    assert sh(lab, "rpmapi01", "rpm -V rlab-api") == ""


def backup(lab: Lab, host: str, number: int, **options: Any) -> dict[str, Any]:
    """A backup of lab-api under a transaction of its own."""
    return ask(lab, host, "backup", options, transaction=f"{number:032x}", items=[ITEM])


def test_snapper_lists_the_backup_and_nothing_else_is_deleted(lab: Lab) -> None:
    sh(lab, "snap01", "snapper --no-dbus create --description administrator")
    taken = backup(lab, "snap01", 1)["facts"]["backup"]
    assert taken["method"] == "snapper"
    listed = sh(lab, "snap01", "snapper --no-dbus list --columns number,userdata,description")
    assert f"sop-run={taken['id']}" in listed
    again = backup(lab, "snap01", 2, keep=1)
    assert "sweep-failed" not in told(again)
    listed = sh(lab, "snap01", "snapper --no-dbus list --columns number,userdata,description")
    assert taken["id"] not in listed and "administrator" in listed
    assert again["facts"]["backup"]["id"] in listed
    assert not (lab.root("snap01") / taken["location"][1:]).exists()


@pytest.mark.parametrize("host", ["snap01", "kept01", "own01"])
def test_a_backup_that_is_gone_is_no_backup(lab: Lab, host: str) -> None:
    """Fault 19: between backup and update somebody removes it; then nothing is updated."""
    options = {"method": "command", "command": OWN} if host == "own01" else {}
    options |= {"method": "packages"} if host == "kept01" else {}
    taken = backup(lab, host, 3, **options)["facts"]["backup"]
    remove = {
        "snap01": f"snapper --no-dbus delete {taken['location'].split('/')[2]}",
        "kept01": f"rm {taken['location']}/*.deb",
        "own01": f"rm {taken['location']}",
    }
    sh(lab, host, remove[host])
    found = ask(lab, host, "update", {}, transaction="4" * 32, items=[ITEM], backup=taken)
    assert found["status"] == "refused"
    assert "no-backup" in told(found)
    assert sh(lab, host, "dpkg-query -W -f '${Version}' lab-api") == "1.0"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({}, "backup_command is not set"),
        ({**OWN, "verify": ["/bin/false"]}, "backup_command.verify ended with exit code 1"),
        ({**OWN, "create": ["/nowhere/program"]}, "ended with exit code 127"),
        ({**OWN, "create": ["/bin/sleep"], "seconds": "1"}, "is no number of seconds"),
        ({**OWN, "restore": "rm -rf /"}, "backup_command.restore is no list of words"),
        ({"create": ["make"], "verify": ["/x"], "restore": ["/x"]}, "an absolute path"),
        ({**OWN, "undo": ["/x"]}, "an unknown key 'undo'"),
    ],
)
def test_no_proof_no_backup(lab: Lab, command: dict[str, Any], words: str) -> None:
    found = backup(lab, "own01", 5, method="command", command=command)
    assert found["status"] == "refused"
    assert words in told(found)["no-backup"]
    assert "backup" not in found["facts"]


SLOW = """#!/bin/sh
echo "begins $1" >>/srv/slow; sleep 5; echo "ends $1" >>/srv/slow; echo /srv/slow
"""


def test_an_offices_program_never_runs_twice_at_once(lab: Lab) -> None:
    """Fault 1: the worker is killed, its program goes on; the next attempt waits for that."""
    program = lab.root("own01") / "usr/local/sbin/slow-backup"
    program.write_text(SLOW)
    program.chmod(0o755)
    words = {key: ["/usr/local/sbin/slow-backup", key] for key in ("create", "verify", "restore")}
    with ThreadPoolExecutor(1) as side:
        asked = side.submit(backup, lab, "own01", 7, method="command", command=words)
        wait_for(lab, "own01", "grep -q 'begins create' /srv/slow", 30)
        sh(lab, "own01", "pkill -KILL -f /var/lib/sop-run/transactions/0*7/program.py")
        found = asked.result(timeout=120)
    assert found["status"] == "ok", told(found)
    once = ["begins create", "ends create"]
    assert sh(lab, "own01", "cat /srv/slow").splitlines() == [
        *once * 2,
        "begins verify",
        "ends verify",
    ]


def test_a_method_that_does_not_fit_is_refused_with_the_reason(lab: Lab) -> None:
    reasons = {
        "snapper": "snapper is not installed",
        "zfs": "/ is not on ZFS",
        "tape": "not one of",
    }
    for method, reason in reasons.items():
        assert reason in told(backup(lab, "kept01", 6, method=method))["no-backup"]
