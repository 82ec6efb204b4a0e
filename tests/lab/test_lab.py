"""The lab itself: its hosts show what they promise, and it leaves nothing behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.state import load
from orchestrator.model.errors import CannotRunError, UsageError
from tests.lab.left import left_overs

pytestmark = pytest.mark.lab

APT_PENDING = "apt-get -qq update && apt-get -s dist-upgrade | grep -c ^Inst || true"
PENDING = {"web01": 1, "api01": 1, "kernel01": 1, "tool01": 1, "conf01": 1, "post01": 1, "av01": 0}
PENDING |= {"idle01": 0, "held01": 0, "thin001": 1, "thin003": 1}


def ask(lab: Lab, host: str, script: str) -> str:
    """Output of a shell script that must succeed on a host."""
    done = lab.run(host, ["sh", "-c", script], timeout=120)
    assert done.returncode == 0, f"{host}: {script}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def ssh(lab: Lab, host: str, *words: str, known_hosts: Path | None = None) -> int:
    """Exit code of ssh as the inventory has it."""
    found = lab.host(host)
    known = known_hosts or lab.directory / "known_hosts"
    options = ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
    key = ["-i", str(lab.directory / "keys/hosts/id_ed25519")]
    program = [str(lab.directory / "bin/ssh"), "-F", "none", *options, *key]
    target = f"{found.user}@{found.address}"
    return subprocess.run([*program, target, *words], capture_output=True, check=False).returncode


@pytest.mark.parametrize(("host", "count"), PENDING.items())
def test_exactly_the_scenarios_update_is_pending(every_host: Lab, host: str, count: int) -> None:
    assert ask(every_host, host, APT_PENDING) == str(count)


def test_real_security_updates_are_pending_under_their_own_signature(every_host: Lab) -> None:
    assert int(ask(every_host, "sec01", APT_PENDING)) > 3
    listing = ask(every_host, "sec01", "apt-get -s dist-upgrade | grep ^Inst")
    assert all("-Security" in line for line in listing.splitlines())


def test_every_host_takes_the_login_that_the_inventory_names(every_host: Lab) -> None:
    for host in every_host.hosts:
        if not every_host.reachable(host.name):
            continue
        options = ["-o", f"UserKnownHostsFile={every_host.directory}/known_hosts"]
        key = every_host.directory / "keys/hosts/id_ed25519"
        words = [
            "-i",
            str(key),
            "-o",
            "BatchMode=yes",
            *options,
            f"{host.user}@{host.address}",
            "id",
        ]
        ssh = [str(every_host.directory / "bin" / "ssh"), *words]
        done = subprocess.run(ssh, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0 and f"({host.user})" in done.stdout, (host, done.stderr)


def test_the_held_package_has_a_newer_version(every_host: Lab) -> None:
    assert ask(every_host, "held01", "apt-mark showhold") == "lab-held"
    assert "Candidate: 1.1" in ask(
        every_host, "held01", "apt-get -qq update; apt-cache policy lab-held"
    )


def test_the_rpm_host_is_an_imitation_that_says_so_and_checks_signatures(every_host: Lab) -> None:
    assert "imitation" in ask(every_host, "rpm01", "cat /etc/os-release")
    assert every_host.run("rpm01", ["which", "apt-get"]).returncode != 0
    listing = every_host.run("rpm01", ["dnf", "-q", "check-update"])
    assert listing.returncode == 100
    assert "rlab-web" in listing.stdout
    assert "rlab-tool" in listing.stdout
    assert "LABSA-2026:0001" in ask(every_host, "rpm01", "dnf -q updateinfo list --security")
    assert "gpgcheck=1" in ask(every_host, "rpm01", "cat /etc/yum.repos.d/lab.repo")
    ask(every_host, "rpm01", "dnf -q -y upgrade rlab-tool && rpm -q rlab-tool-1.1")


def test_the_antivirus_goes_from_the_old_to_the_new_database_and_finds_eicar(
    every_host: Lab,
) -> None:
    assert "/1/" in ask(every_host, "av01", "clamdscan --version")
    ask(every_host, "av01", "freshclam --quiet 2>/dev/null")
    deadline = time.monotonic() + 30
    while "/6/" not in ask(every_host, "av01", "clamdscan --version"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    # In two halves, so that this file is no find itself.
    eicar = r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    (every_host.root("av01") / "root/eicar.com").write_text(eicar)
    scan = every_host.run("av01", ["clamdscan", "--fdpass", "/root/eicar.com"])
    assert scan.returncode == 1
    assert "FOUND" in scan.stdout


def test_a_service_breaks_by_its_update(every_host: Lab) -> None:
    assert ask(every_host, "api01", "curl -s 127.0.0.1:8081") == "lab-api 1.0"
    ask(every_host, "api01", "apt-get -qq update; apt-get -qq -y install lab-api")
    state = ["systemctl", "is-active", "lab-api"]
    deadline = time.monotonic() + 20  # it takes a moment to fail
    while every_host.run("api01", state).stdout != "failed\n":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_host_can_snapshot_its_own_root(every_host: Lab) -> None:
    ask(every_host, "tool01", "echo before >/root/x && btrfs subvolume snapshot / /.snapshots/one")
    ask(every_host, "tool01", "echo after >/root/x")
    assert ask(every_host, "tool01", "cat /.snapshots/one/root/x") == "before"
    ask(every_host, "tool01", "btrfs subvolume delete /.snapshots/one && ! ls -d /.snapshots/one")


def test_a_host_reboots_by_itself_with_a_new_boot_id(every_host: Lab) -> None:
    boot_id = "cat /proc/sys/kernel/random/boot_id"
    before = ask(every_host, "kernel01", boot_id)
    ask(every_host, "kernel01", "systemctl reboot")
    deadline = time.monotonic() + 60
    after = before
    while after == before and time.monotonic() < deadline:
        time.sleep(0.3)
        try:
            after = every_host.run("kernel01", ["sh", "-c", boot_id]).stdout.strip() or before
        except CannotRunError:
            continue
    assert after != before
    every_host.start("kernel01")
    assert ssh(every_host, "kernel01", "true") == 0


def test_only_the_unreachable_host_is_unreachable_until_it_is_mended(every_host: Lab) -> None:
    facts = {host["name"]: host["link"] for host in every_host.status()["hosts"]}
    assert [name for name, link in facts.items() if not link] == ["far01"]
    assert ssh(every_host, "far01", "true") == 255
    every_host.mend("far01")
    assert ssh(every_host, "far01", "true") == 0
    every_host.cut("far01")
    assert ssh(every_host, "far01", "true") == 255
    assert ask(every_host, "far01", "hostname") == "far01"


@pytest.mark.parametrize("host", ["web01", "thin002"])
def test_a_host_can_be_switched_off_and_on(every_host: Lab, host: str) -> None:
    every_host.stop(host)
    assert not every_host.running(host)
    with pytest.raises(CannotRunError, match="switched off"):
        every_host.run(host, ["true"])
    every_host.start(host)
    assert ssh(every_host, host, "true") == 0


def test_power_can_be_cut(every_host: Lab) -> None:
    ask(every_host, "idle01", "sync")
    every_host.stop("idle01", force=True)
    every_host.start("idle01")
    assert ask(every_host, "idle01", "curl -s 127.0.0.1:8080") == "lab-web 1.1"


def test_every_host_has_its_own_key_and_a_wrong_one_is_refused(
    every_host: Lab, tmp_path: Path
) -> None:
    lines = (every_host.directory / "known_hosts").read_text().splitlines()
    assert len({line.split()[2] for line in lines}) == len(every_host.hosts)
    assert ssh(every_host, "sec01", "sudo -n true") == 0
    other = next(line for line in lines if line.startswith(every_host.host("web01").address + " "))
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"{every_host.host('sec01').address} {other.split(' ', 1)[1]}\n")
    assert ssh(every_host, "sec01", "true", known_hosts=wrong) == 255


def test_nothing_of_a_host_gets_out(every_host: Lab) -> None:
    assert ask(every_host, "web01", "ip -o link | grep -c :") == "2"  # lo and the lab's link
    out = every_host.run("web01", ["curl", "--max-time", "3", "http://192.0.2.1/"])
    assert out.returncode != 0


def test_a_second_lab_stands_beside_it_and_goes_alone(every_host: Lab, tmp_path: Path) -> None:
    other = Lab.up(tmp_path / "lab", [HostSpec("web01", "full", "clean")], print)
    try:
        assert ask(other, "web01", "hostname") == "web01"
        with pytest.raises(UsageError, match="already"):
            Lab.up(tmp_path / "lab", [HostSpec("web01", "full", "clean")], print)
    finally:
        other.down()
    assert left_overs(other.state.prefix, tmp_path / "lab") == []
    other.down()
    assert ask(every_host, "web01", "hostname") == "web01"


def test_a_lab_whose_folder_was_deleted_is_still_removed(tmp_path: Path) -> None:
    made = Lab.up(tmp_path / "lab", [HostSpec("web01", "full", "clean")], print)
    shutil.rmtree(made.directory)
    assert Lab.exists(made.directory)
    Lab.load(made.directory).down()
    assert left_overs(made.state.prefix, made.directory) == []


MOMENTS = {
    "as soon as it is written down": "lab.json",
    "while the file system is made": "pool.img",
    "while hosts are made": "logs/web01.log",
    "when hosts run": "known_hosts",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_lab_up_is_cleaned_up(moment: str, tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    program = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
    words = ["lab", "up", "--dir", str(directory), "--full", "2", "--thin", "2"]
    making = subprocess.Popen([*program, *words], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (directory / MOMENTS[moment]).exists():
        assert time.monotonic() < deadline
        assert making.poll() is None
        time.sleep(0.005)
    prefix = load(directory).prefix
    with pytest.raises(UsageError, match="still making"):
        Lab.load(directory).down()
    making.send_signal(signal.SIGKILL)
    making.wait()
    down = subprocess.run(
        [*program, "lab", "down", "--dir", str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert down.returncode == 0, down.stderr
    assert left_overs(prefix, directory) == []
