"""`sop-run doctor` on real hosts: what it sees, what it advises, and that it changes nothing.

Also the timer of `sop-run schedule`, under a host's real systemd.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.root import write
from orchestrator.model.schedule import Schedule
from orchestrator.office.load import load_office
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.timer import NAME, activation, make_units
from tests.cli import SOP_RUN, sop_run
from tests.lab.asked import sh
from tests.lab.left import left_overs
from tests.lab.month import set_variables, wait_for

pytestmark = pytest.mark.lab

HOSTS = [
    HostSpec("web01", "full", "clean"),
    HostSpec("av01", "full", "antivirus"),
    HostSpec("snap01", "full", "snapper"),
    HostSpec("rpm01", "rpm", "rpm"),
    HostSpec("far01", "full", "unreachable"),
]
# Files with owner, mode, size and both times, without what logins and logs write by themselves.
LEFT_OUT = ["proc", "sys", "run", "dev", "tmp", "var/log", "var/tmp", "var/lib/systemd"]
FILES = (
    f"find / -xdev \\( {' -o '.join(f'-path /{name}' for name in LEFT_OUT)} \\) -prune -o "
    r"-printf '%p %u %m %s %T@ %C@\n' | sort; "
    "ls -A /tmp /var/tmp | grep -v systemd-private; ls /run | grep sop || true"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("doctor") / "lab", HOSTS, print)
    try:
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def doctor(lab: Lab, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and facts of one call."""
    home = lab.directory / "home"
    called = sop_run("doctor", "--json", *words, "--inventory", lab.inventory, "--home", home)
    assert not home.exists(), "it opens no cycle and keeps nothing"
    return called.code, json.loads(called.out)


def by_host(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {host["host"]: host for host in found["hosts"]}


def codes(host: dict[str, Any]) -> dict[str, str]:
    return {finding["code"]: finding["message"] for finding in host["findings"]}


def test_every_host_is_looked_at_in_seconds_and_nothing_on_it_changes(lab: Lab) -> None:
    asked = [spec.name for spec in HOSTS if spec.name != "far01"]
    before = {host: sh(lab, host, FILES) for host in asked}
    began = time.monotonic()
    code, found = doctor(lab)
    assert time.monotonic() - began < 60  # 12 s, of which 10 are the unreachable host's
    assert {host: sh(lab, host, FILES) for host in asked} == before
    assert code == 1 and found["ok"] is False
    hosts = by_host(found)
    assert list(hosts) == sorted(spec.name for spec in HOSTS)
    methods = {name: hosts[name]["facts"]["backup"]["method"] for name in asked}
    assert methods == {"web01": "btrfs", "av01": "btrfs", "snap01": "snapper", "rpm01": "btrfs"}
    managers = {name: hosts[name]["facts"]["package_manager"] for name in asked}
    assert managers == {"web01": "apt", "av01": "apt", "snap01": "apt", "rpm01": "dnf"}
    for name in asked:
        facts = hosts[name]["facts"]
        assert hosts[name]["reached"] and abs(hosts[name]["clock_offset_seconds"]) < 5
        assert facts["login"]["root"] and facts["python"].startswith("3.")
        assert facts["backup"]["last"] is None and facts["disk"][0]["mount"] == "/"
    assert hosts["av01"]["facts"]["antivirus"]["product"] == "clamav"
    assert "antivirus-database-old" in codes(hosts["av01"])
    assert codes(hosts["web01"]) == {"no-antivirus": "no antivirus is installed"}
    assert "no configuration" not in str(hosts["snap01"]["facts"]["backup"]["against"])
    assert "snapper is not installed" in hosts["web01"]["facts"]["backup"]["against"]["snapper"]


def test_an_unreachable_host_and_a_host_key_have_their_reason_and_a_fix(lab: Lab) -> None:
    _, found = doctor(lab, "--limit", "far01")
    (far,) = found["hosts"]
    assert far["reached"] is False and far["facts"] is None
    assert f"ping {lab.host('far01').address}" in far["findings"][0]["fix"]


def test_what_is_wrong_on_a_host_is_found_and_what_is_decided_is_not(lab: Lab) -> None:
    set_variables(lab, "web01", antivirus_method="none")
    code, found = doctor(lab, "--limit", "web01")
    assert codes(by_host(found)["web01"]) == {}
    set_variables(lab, "web01", backup_method="zfs", test_checks=[{"name": "x", "type": "htp"}])
    set_variables(lab, "snap01", backup_method="command", ansible_become=False)
    lab.root("web01").joinpath("etc/debian_release_gone").touch()
    write(lab.root("web01"), "etc/os-release", 'ID=debian\nVERSION_ID="10"\nPRETTY_NAME=Old\n')
    code, found = doctor(lab, "--limit", "web01,snap01")
    assert code == 1
    web, snap = (by_host(found)[name] for name in ("web01", "snap01"))
    assert codes(web)["no-backup"] == "backup_method is zfs, but / is not on ZFS"
    assert "release-end-of-life" in codes(web) and "bad-check" in codes(web)
    assert "backup_command is not set" in codes(snap)["no-backup"]
    fixes = {f["code"]: f["fix"] for f in web["findings"]}
    assert "backup_method or backup_command" in fixes["no-backup"] and "web01" in fixes["no-backup"]


def test_a_login_that_is_not_root_is_told_with_and_without_a_password(lab: Lab) -> None:
    user = lab.host("rpm01").user
    set_variables(lab, "rpm01", ansible_become=False)
    _, found = doctor(lab, "--limit", "rpm01")
    if user != "root":
        assert (
            "sudo would let it in without a password" in codes(by_host(found)["rpm01"])["not-root"]
        )
    set_variables(lab, "rpm01", ansible_become=True)
    _, found = doctor(lab, "--limit", "rpm01")
    login = by_host(found)["rpm01"]["facts"]["login"]
    assert login["root"] and (user == "root" or login == {
        "user": user, "root": True, "by": "sudo", "password": False,
    })  # fmt: skip


def test_the_table_fits_the_terminal_and_keeps_to_no_color(lab: Lab) -> None:
    for columns, colour in ((70, True), (160, True), (160, False)):
        environment = {**os.environ, "TERM": "xterm-256color"}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):  # parallel runs of tests set the last two
            environment.pop(name, None)
        if not colour:
            environment["NO_COLOR"] = "1"
        words = ["doctor", "--limit", "av01", "--inventory", str(lab.inventory)]
        child = pexpect.spawn(str(SOP_RUN), words, env=environment, encoding="utf-8",
                              timeout=120, dimensions=(50, columns))  # fmt: skip
        text = str(child.read())
        child.close()
        assert child.exitstatus == 1, text
        assert ("\x1b[" in text) is colour
        assert ("┌" in text) is (columns > 100) and ("  BACKUP     btrfs" in text) is (
            columns < 100
        )


def test_plain_lines_where_there_is_no_terminal(lab: Lab, tmp_path: Path) -> None:
    called = sop_run("doctor", "--limit", "av01", "-i", lab.inventory, "--home", tmp_path / "v")
    assert called.code == 1 and "\x1b" not in called.text and "┌" not in called.text
    (row,) = [line for line in called.out.splitlines() if line.startswith("av01")]
    assert "btrfs" in row and "clamav" in row
    assert "finding  av01: the daily database" in called.out
    assert "freshclam" in called.out.split("the daily database")[1].splitlines()[1]


RECORDER = """#!/bin/sh
{ printf '%s\\n' "$@"; printf 'LC_ALL=%s umask=%s user=%s\\n' "$LC_ALL" "$(umask)" "$(id -un)"; } \\
    >/root/called
exit "$(cat /root/code)"
"""


def test_real_systemd_takes_the_timer_and_tells_a_waiting_gate_from_a_failure(lab: Lab) -> None:
    """The very units, run by a host's own systemd; in the program's place a script that notes how
    it was called."""
    odd = "/srv/kantor 100% $HOME 'a' \\b"
    settings = Settings(Path(f"{odd}/hosts.yml"), Path(f"{odd}/office.yml"), Path(f"{odd}/var"))
    office = load_office(lab.inventory.parent / "office.yml")
    schedule = Schedule(rule="first working tuesday", time="08:30")
    office = office.model_copy(update={"schedule": schedule})
    units = make_units(settings, office, name=NAME, run_as="root", user=False)
    # On the host it does not lie where this checkout happens to lie: a host has a /tmp of its own.
    here, program = Path(sys.executable).with_name("sop-run"), Path("/opt/sop-run/bin/sop-run")
    assert any(str(here) in text for text in units.files.values())
    root = lab.root("web01")
    for name, text in units.files.items():
        write(root, f"etc/systemd/system/{name}", text.replace(str(here), str(program)))
    write(root, str(program).lstrip("/"), RECORDER)
    sh(lab, "web01", f"chmod +x {program}")
    sh(lab, "web01", f"systemd-analyze verify --man=no /etc/systemd/system/{NAME}.*")
    for words in activation(units):  # as --install does it
        sh(lab, "web01", shlex.join(words))
    shown = sh(lab, "web01", f"systemctl show {NAME}.timer -p NextElapseUSecRealtime --value")
    assert "01:30:00 UTC" in shown, shown  # half past eight in Jakarta
    for code, result in ((3, "success"), (1, "success"), (0, "success"), (4, "exit-code")):
        sh(lab, "web01", f"echo {code} >/root/code; systemctl start {NAME}.service || true")
        service = sh(lab, "web01", f"systemctl show {NAME}.service -p Result --value")
        assert (code, service) == (code, result)
    called = sh(lab, "web01", "cat /root/called").splitlines()
    assert called == [
        "monthly", "--if-due", "--inventory", f"{odd}/hosts.yml", "--office", f"{odd}/office.yml",
        "--home", f"{odd}/var", "LC_ALL=C.UTF-8 umask=0027 user=root",
    ]  # fmt: skip
    # The timer itself, sooner.
    sooner = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nAccuracySec=100ms\n"
    write(root, f"etc/systemd/system/{NAME}.timer.d/sooner.conf", sooner)
    sh(lab, "web01", "rm /root/called; systemctl reset-failed; systemctl daemon-reload")
    sh(lab, "web01", f"systemctl restart {NAME}.timer")
    wait_for(lab, "web01", "test -s /root/called", 60)
    sh(lab, "web01", f"systemctl disable --now {NAME}.timer")
