"""Fault 33 and SOP step 7: mirrors that refuse, damaged databases, other products than ClamAV."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.journal.book import read_state
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.recipe import CONTROLLER
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict
from tests.cli import sop_run
from tests.lab import mirror
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs

pytestmark = pytest.mark.lab
Evidence = dict[str, Any]
CYCLE = "2026-10"
PORT = 8001
NAMES = ("daily", "main")
# A product as an office may have it: a program with its own signatures, and a mirror in a folder.
PRODUCT = r"""#!/bin/sh
set -e
base=/opt/acme
case $1 in
version) printf 'build %s\nother words\n' "$(cat $base/installed)";;
latest) printf 'build %s\n' "$(cat $base/offered)";;
update) cat $base/offered >$base/installed; echo updated;;
slow) echo started; sleep 60;;
alone) mkdir $base/lock || exit 9; sleep 4; cat $base/offered >$base/installed; rmdir $base/lock;;
stuck) echo 'licence has expired'; exit 3;;
scan) if grep -q EICAR-STANDARD "$2"; then echo "$2: infected"; exit 7; fi;;
alarm) echo "$2: infected"; exit 7;;
esac
"""
# Takes every file with EICAR in it away, as a resident scanner does.
RESIDENT = """#!/bin/sh
while :; do for f in $(grep -rls EICAR-STANDARD /var/tmp); do rm -f "$f"; done; sleep 0.01; done
"""


def item(name: str, before: str, to: str) -> dict[str, str]:
    return {"class": "antivirus", "name": name, "arch": "", "from": before, "to": to}


ACME: dict[str, Any] = {
    "name": "Acme Shield",
    "version": ["/opt/acme/acme", "version"],
    "latest": ["/opt/acme/acme", "latest"],
    "update": ["/opt/acme/acme", "update"],
    "scan": ["/opt/acme/acme", "scan"],
    "found_status": 7,
    "infected_text": "infected",
}
SIGNATURES = item("Acme Shield signatures", "build 7", "build 9")


@dataclass
class Clam:
    """The lab with an antivirus host and a mirror whose answers a test decides."""

    lab: Lab
    folder: Path
    www: Path
    good: Path

    @property
    def control(self) -> Path:
        return self.folder / "control"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def offer(self, status: str = "", flip: int | None = None) -> None:
        """What the mirror does from now on; `flip` changes one byte of each database.

        A cool-down that an earlier answer brought about is over.
        """
        sh(self.lab, "av01", "rm -f /var/lib/clamav/freshclam.dat")
        self.control.write_text(status)
        self.log.write_text("")
        for name in NAMES:
            data = bytearray((self.good / f"{name}.cvd").read_bytes())
            if flip is not None:
                data[flip] ^= 1
            (self.www / f"{name}.cvd").write_bytes(data)

    def asked(self) -> list[str]:
        """What freshclam asked the mirror for since then."""
        return [line for line in self.log.read_text().splitlines() if "ClamAV/" in line]

    def update(self) -> Evidence:
        """The antivirus phase with the items of this scenario, as a transaction of its own."""
        items = [item(f"clamav-db ({name})", "1", "6") for name in NAMES]
        return phase(self.lab, "av01", items)

    def versions(self) -> set[str]:
        """Versions on the disk, and the one in the daemon's memory."""
        heads = [
            (self.lab.root("av01") / f"var/lib/clamav/{name}.cvd").read_bytes()[:64]
            for name in NAMES
        ]
        loaded = sh(self.lab, "av01", "clamdscan --version").split("/")[1]
        return {*(head.split(b":")[2].decode() for head in heads), loaded}

    def daemon(self) -> str:
        return sh(self.lab, "av01", "systemctl show --value -p MainPID clamav-daemon")


def phase(lab: Lab, host: str, items: list[dict[str, str]], **options: Any) -> Evidence:
    """The antivirus phase as a new transaction."""
    transaction = secrets.token_hex(16)
    return ask(lab, host, "antivirus", options, items=items, transaction=transaction)


@pytest.fixture(scope="module")
def clam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clam]:
    folder = tmp_path_factory.mktemp("antivirus")
    hosts = [HostSpec("av01", "full", "antivirus"), HostSpec("web01", "full", "idle")]
    lab = Lab.up(folder / "lab", hosts, print)
    www = folder / "www"
    www.mkdir()
    made = Clam(lab, folder, www, (lab.directory / "www/antivirus").resolve())
    server: subprocess.Popen[bytes] | None = None
    try:
        sh(lab, "av01", f"sed -i 's#:8000/antivirus#:{PORT}#' /etc/clamav/freshclam.conf")
        # Not thrice, with pauses; that is freshclam's own matter.
        sh(lab, "av01", "echo 'MaxAttempts 1' >>/etc/clamav/freshclam.conf")
        sh(lab, "web01", "mkdir /opt/acme; cd /opt/acme; echo 7 >installed; echo 9 >offered")
        write_program(lab, "/opt/acme/acme", PRODUCT)
        made.offer()
        server = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{lab.state.prefix}", "--", sys.executable,
             mirror.__file__, CONTROLLER, str(PORT), str(www), str(made.control), str(made.log)],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lab, f"curl -sf http://{CONTROLLER}:{PORT}/daily.cvd >/dev/null")
        yield made
    finally:
        if server is not None:
            server.kill()
            server.wait()
        lab.down()
    assert left_overs(lab.state.prefix, lab.directory) == []


def write_program(lab: Lab, path: str, text: str) -> None:
    """Put a program on the host that has the other product."""
    target = lab.root("web01") / path.lstrip("/")
    target.write_text(text)
    target.chmod(0o755)


def wait_for(lab: Lab, condition: str) -> None:
    deadline = time.monotonic() + 20
    while lab.run("av01", ["sh", "-c", condition]).returncode != 0:
        assert time.monotonic() < deadline, condition
        time.sleep(0.1)


REFUSED = [
    ("403", None, "av-mirror-forbidden", "403 Forbidden"),
    ("429 3600", None, "av-cool-down", "429 Too Many Requests"),
    ("", 5000, "av-database-rejected", "Verification: Can't verify database integrity"),
    ("", 40, "av-database-rejected", "Verification: Malformed database"),
]


@pytest.mark.parametrize(("status", "flip", "code", "words"), REFUSED)
def test_a_refusal_or_a_changed_byte_leaves_the_old_database_at_work(
    clam: Clam, status: str, flip: int | None, code: str, words: str
) -> None:
    clam.offer(status, flip)
    before = clam.daemon()
    found = clam.update()
    assert found["status"] == "failed"
    assert told(found)[code] == f"clamav-db (daily), clamav-db (main): {words}".replace(
        "403", "HTTP/1.0 403").replace("429", "HTTP/1.0 429")  # fmt: skip
    assert {(i["result"], i["after"]) for i in found["items"]} == {("failed", "1")}
    assert clam.asked() != []
    assert clam.versions() == {"1"}
    assert found["facts"]["daemon"] == "active" and clam.daemon() == before


@pytest.mark.parametrize("status", ["429 3600", "403"])
def test_the_mirror_is_not_asked_again_before_its_time(clam: Clam, status: str) -> None:
    clam.offer(status)
    clam.update()
    clam.log.write_text("")
    clam.control.write_text("")  # it would answer now
    again = clam.update()
    assert clam.asked() == []
    assert "You are still on cool-down until after: 20" in told(again)["av-cool-down"]
    assert {i["result"] for i in again["items"]} == {"failed"}
    assert clam.versions() == {"1"}


def test_a_mirror_out_of_reach_is_named_at_check_and_update(clam: Clam) -> None:
    clam.offer()
    sh(clam.lab, "av01", "sed -i 's#:8001#:8009#' /etc/clamav/freshclam.conf")
    found = told(ask(clam.lab, "av01", "check", {"refresh": "none"}))
    assert f"http://{CONTROLLER}:8009: " in found["antivirus-mirror-failed"]
    assert "av-mirror-unreachable" in told(clam.update())
    assert clam.versions() == {"1"}
    sh(clam.lab, "av01", "sed -i 's#:8009#:8001#' /etc/clamav/freshclam.conf")


def test_a_cycle_with_a_product_by_command_and_a_mirror_that_refuses(clam: Clam) -> None:
    clam.offer()
    sh(clam.lab, "web01", "echo 7 >/opt/acme/installed")
    office = clam.folder / "office/inventory"
    shutil.copytree(clam.lab.inventory.parent, office)
    (office / "host_vars").mkdir()
    variables = {"antivirus_command": ACME, "check_advisories": False}
    (office / "host_vars/web01.yml").write_text(yaml.safe_dump(variables))
    where = ["--inventory", str(office), "--home", str(clam.folder / "home")]
    words = ["monthly", "--period", CYCLE, *where]
    assert sop_run(*words).code == 3
    for officer in ("analis", "kepala"):
        key = str(clam.lab.officer_key(officer))
        sop_run("sign", CYCLE, "--as", officer, "--key", key, *where)
    clam.control.write_text("403")
    called = sop_run(*words)
    state = read_state(clam.folder / "home/cycles" / CYCLE)
    verdicts = {host: (v.verdict, v.reason) for host, v in state.verdicts.items()}
    assert verdicts == {
        "web01": (Verdict.UPDATED, "1 items, tests passed"),
        "av01": (
            Verdict.INCOMPLETE,
            "clamav-db (daily) was not updated: "
            "clamav-db (daily), clamav-db (main): HTTP/1.0 403 Forbidden",
        ),
    }, called.text
    evidence = state.last("web01", Phase.ANTIVIRUS).read()  # type: ignore[union-attr]
    assert evidence is not None and evidence.facts["eicar"] == "found"
    assert [(i.name, i.from_version, i.after) for i in evidence.items] == [
        ("Acme Shield signatures", "build 7", "build 9")
    ]
    assert sh(clam.lab, "web01", "cat /opt/acme/installed") == "9"
    assert clam.versions() == {"1"}


def test_then_a_good_run_from_1_to_6_that_finds_eicar(clam: Clam) -> None:
    clam.offer()
    check = ask(clam.lab, "av01", "check", {"refresh": "none"})
    offered = [(i["name"], i["from"], i["to"]) for i in check["items"]]
    assert offered == [(f"clamav-db ({name})", "1", "6") for name in NAMES]
    found = clam.update()
    assert (found["status"], told(found)) == ("ok", {})
    assert {(i["result"], i["after"]) for i in found["items"]} == {("updated", "6")}
    assert clam.versions() == {"6"}
    assert found["facts"]["eicar"] == "found"
    assert ask(clam.lab, "av01", "check", {"refresh": "none"})["items"] == []
    assert sh(clam.lab, "av01", "ls -d /var/tmp/sop-run-* || true") == ""


def check(clam: Clam, **options: Any) -> Evidence:
    """The check of the host that has the other product, with the options of its role."""
    renamed = {f"antivirus_{key}": value for key, value in options.items()}
    return ask(clam.lab, "web01", "check", {"refresh": "none", **renamed})


def acme(clam: Clam, **changes: Any) -> Evidence:
    """The antivirus phase with the other product, some of its commands changed."""
    sh(clam.lab, "web01", "echo 7 >/opt/acme/installed")
    command = {key: value for key, value in {**ACME, **changes}.items() if value is not None}
    return phase(clam.lab, "web01", [SIGNATURES], command=command, freshclam_seconds=2)


def test_a_product_by_command_is_checked_updated_and_proven(clam: Clam) -> None:
    sh(clam.lab, "web01", "echo 7 >/opt/acme/installed")
    found = check(clam, command=ACME)
    (listed,) = [i for i in found["items"] if i["class"] == "antivirus"]
    assert {key: listed[key] for key in ("name", "from", "to")} == {
        key: SIGNATURES[key] for key in ("name", "from", "to")
    }
    fact = found["facts"]["antivirus"]
    assert (fact["product"], fact["databases"][0]["version"]) == ("Acme Shield", "build 7")
    assert "no-antivirus" not in told(found)
    done = acme(clam)
    assert (done["status"], told(done)) == ("ok", {})
    (updated,) = done["items"]
    assert (updated["result"], updated["after"]) == ("updated", "build 9")
    assert done["facts"]["eicar"] == "found"
    assert done["facts"]["eicar_proof"].startswith("Acme Shield: `scan` ended with exit code 7")
    assert not [i for i in check(clam, command=ACME)["items"] if i["class"] == "antivirus"]
    latest = {key: value for key, value in ACME.items() if key != "latest"}
    (listed,) = [i for i in check(clam, command=latest)["items"] if i["class"] == "antivirus"]
    assert listed["to"] == "latest"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"update": ["/opt/acme/acme", "slow"]}, "av-timeout", "was ended at its time limit"),
        ({"update": ["/opt/acme/acme", "stuck"]}, "av-not-updated", "3: licence has expired"),
        ({"update": ["/opt/acme/none"]}, "av-not-updated", "No such file"),
        ({"update": ["true", "; touch /opt/acme/shell"]}, "av-not-updated", "says build 7"),
        ({"scan": ["true"]}, "av-eicar-not-found", "`scan` ended with exit code 0"),
        ({"scan": ["/opt/acme/acme", "alarm"]}, "av-eicar-not-found", "in a clean file, too"),
        ({"found_status": None}, "av-eicar-not-found", "`scan` ended with exit code 7"),
    ],
)
def test_what_a_product_does_not_do_is_not_claimed(
    clam: Clam, changes: dict[str, Any], code: str, words: str
) -> None:
    found = acme(clam, **changes)
    assert found["status"] == "failed"
    assert words in told(found)[code]
    result = "updated" if code == "av-eicar-not-found" else "failed"
    assert found["items"][0]["result"] == result
    assert found["facts"]["eicar"] == ("not-found" if result == "updated" else "found")
    assert found["seconds"] < 20
    left = sh(
        clam.lab, "web01", "pgrep -f '[a]cme/acme'; ls -d /opt/acme/shell /var/tmp/sop-run-* || :"
    )
    assert left == ""


def test_a_killed_update_of_a_product_does_not_run_twice_at_once(clam: Clam) -> None:
    sh(clam.lab, "web01", "echo 7 >/opt/acme/installed")
    command = {**ACME, "update": ["/opt/acme/acme", "alone"]}
    asked = {"items": [SIGNATURES], "transaction": secrets.token_hex(16)}
    options = {"command": command, "freshclam_seconds": 30}
    first = ask(clam.lab, "web01", "antivirus", {**options, "wait_seconds": 1}, **asked)
    assert first["status"] == "running"
    folder = f"/var/lib/sop-run/transactions/{asked['transaction']}"
    sh(clam.lab, "web01", f"kill -9 $(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' {folder}/state.json)")
    assert sh(clam.lab, "web01", "ls -d /opt/acme/lock") != "", "the update itself goes on"
    again = ask(clam.lab, "web01", "antivirus", options, **asked)
    assert (again["status"], told(again)) == ("ok", {})
    assert again["items"][0]["after"] == "build 9"


def test_a_resident_scanner_that_takes_the_file_away_is_proof(clam: Clam) -> None:
    write_program(clam.lab, "/opt/acme/resident", RESIDENT)
    sh(clam.lab, "web01", "systemd-run --quiet --unit resident /opt/acme/resident")
    found = acme(clam, scan=["/bin/sh", "-c", 'sleep 1; exec /opt/acme/acme scan "$0"'])
    sh(clam.lab, "web01", "systemctl stop resident")
    assert (found["status"], found["facts"]["eicar"]) == ("ok", "found"), told(found)
    assert found["facts"]["eicar_proof"] == "Acme Shield: Acme Shield took the file away"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "command"}, "antivirus_command needs `name`"),
        ({"method": "virustotal"}, "antivirus_method is virustotal"),
        ({"command": ["acme"]}, "must be an object, not list"),
        ({"command": {**ACME, "update": "acme update; reboot"}}, "must be a list of words"),
        ({"command": {**ACME, "updates": ["x"]}}, "unknown key `updates`"),
        ({"command": {**ACME, "found_status": 300}}, "a number from 0 to 255"),
        ({"command": {**ACME, "name": "a\x1b[2J"}}, "letters, digits, spaces"),
    ],
)
def test_a_malformed_definition_is_named_and_nothing_is_listed(
    clam: Clam, options: dict[str, Any], words: str
) -> None:
    found = check(clam, **options)
    messages = [p["message"] for p in found["problems"] if p["code"] == "bad-antivirus-command"]
    assert any(words in message for message in messages), messages
    assert not [i for i in found["items"] if i["class"] == "antivirus"]
    refused = phase(clam.lab, "web01", [SIGNATURES], **options)
    assert refused["status"] == "refused" and words in told(refused)["bad-antivirus-command"]
    assert refused["items"][0]["result"] == "not-attempted"


def test_a_command_that_fails_at_check_is_a_finding(clam: Clam) -> None:
    found = told(check(clam, command={**ACME, "version": ["/opt/acme/none"]}))
    assert "`version` of Acme Shield ended with exit code 127" in found["antivirus-unreadable"]
    found = told(check(clam, command={**ACME, "latest": ["false"]}))
    assert "`latest` of Acme Shield ended with exit code 1" in found["antivirus-mirror-failed"]


def test_no_antivirus_is_a_finding_unless_the_office_has_decided_so(clam: Clam) -> None:
    assert "no-antivirus" in told(check(clam))
    assert "no-antivirus" in told(check(clam, method="clamav", command=ACME))
    found = check(clam, method="none")
    assert "no-antivirus" not in told(found)
    assert found["facts"]["antivirus"]["decided"] is True
    refused = phase(clam.lab, "web01", [SIGNATURES], method="none", command=ACME)
    assert (refused["status"], "no-antivirus" in told(refused)) == ("refused", True)
