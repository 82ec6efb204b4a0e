"""Packages that fail, hang, ask or fill the disk: no hang, and each host repaired or restored.

Faults 5, 6, 10, 11, 20 and 37, in one cycle on real hosts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.process import run
from orchestrator.lab.rpm import RpmPackage, rpm_package
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs
from tests.lab.month import MONTHLY, Month, set_rules, set_variables, wait_for
from tests.lab.repository import Deb, copy_of, install, install_rpm, offer, offer_rpm, swap

pytestmark = pytest.mark.lab

HANG = "touch /run/lab-hang\nwhile :; do sleep 600; done"
ONCE = """if [ ! -e /var/lib/lab-once ]; then
    touch /var/lib/lab-once
    echo 'lab-once: the first try fails' >&2
    exit 1
fi"""
ASK = """. /usr/share/debconf/confmodule
db_get lab-ask/mode
echo "$RET" >/etc/lab-ask.mode"""
QUESTION = {
    "templates": "Template: lab-ask/mode\nType: select\nChoices: fast, safe\nDefault: safe\n"
    "Description: Which mode?\n Somebody has to choose.\n",
    "config": "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\n"
    "db_input critical lab-ask/mode || true\ndb_go || true\n",
}
FILL = """mkdir -p /var/lib/lab-fill
free=$(df --output=avail --block-size=1M /var | tail -n 1)
fallocate -l $((free - 90))M /var/lib/lab-fill/most
while head -c 1M /dev/zero >>/var/lib/lab-fill/data; do sleep 0.05; done
echo 'lab-fill: the disk is full' >&2
exit 1"""
QUOTA = "head -c 200M /dev/urandom >/usr/share/lab-quota.data"

PACKAGES = {
    "hang01": Deb("lab-hang", "1.1", HANG),
    "once01": Deb("lab-once", "1.1", ONCE),
    "ask01": Deb("lab-ask", "1.1", ASK, control=QUESTION),
    "fill01": Deb("lab-fill", "1.1", FILL),
    "quota01": Deb("lab-quota", "1.1", QUOTA),
}
RPMS = (
    RpmPackage("rlab-fill", "1.0", "baseos"),
    RpmPackage("rlab-fill", "1.1", "updates", post=FILL),
)
SMALL_VAR = """set -e; mkdir /root/var; mount -t tmpfs -o size=420m tmpfs /root/var
cp -a /var/. /root/var/; mount --bind /root/var /var"""
HOSTS = [
    *(HostSpec(name, "full", "idle") for name in PACKAGES),
    HostSpec("post01", "full", "postinst"),
    HostSpec("conf01", "full", "conffile"),
    HostSpec("rpm01", "rpm", "rpm"),
    HostSpec("rpmpost01", "rpm", "rpm"),
    HostSpec("suse01", "rpm", "suse"),
    HostSpec("kernel01", "full", "reboot"),
    HostSpec("kernel02", "full", "reboot"),
]
VERDICTS = {
    "hang01": "rolled-back",
    "once01": "updated",
    "ask01": "updated",
    "fill01": "rolled-back",
    "quota01": "rolled-back",
    "post01": "rolled-back",
    "conf01": "updated",
    "rpm01": "rolled-back",
    "rpmpost01": "rolled-back",
    "suse01": "rolled-back",
}
DAILY = "/usr/lib/apt/apt.systemd.daily install; touch /run/daily-over"
FREE = 'exec 9>>"$0"; flock --nonblock 9'
LOCKF = "import fcntl; fcntl.lockf(open('/run/unattended-upgrades.lock', 'w'), 6)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("packages")
    made = Lab.up(folder / "lab", HOSTS, print)
    try:
        prepare(made)
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def prepare(lab: Lab) -> None:
    """Old versions on the hosts, new ones in the repository, little room where it matters."""
    set_rules(lab, canary=len(HOSTS), abort_limit=len(HOSTS))
    set_variables(lab, "hang01", update_time_limit_seconds=10)
    offer(lab, copy_of(lab, "debian", "faulty"), *PACKAGES.values())
    swap(lab, "debian", "faulty")
    for host, package in PACKAGES.items():
        install(lab, host, Deb(package.name, "1.0"))
    rpms = copy_of(lab, "rpm", "faulty-rpms")
    offer_rpm(lab, rpms, *RPMS)
    swap(lab, "rpm", "faulty-rpms")
    for host in ("rpm01", "suse01"):
        install_rpm(lab, host, lab.directory / "www/rpm", RPMS[0])
    install_rpm(lab, "rpmpost01", lab.directory / "www/rpm", rpm_package("rlab-script", "1.0"))
    for host in ("fill01", "rpm01", "suse01"):
        sh(lab, host, SMALL_VAR)
    root = lab.root("quota01")
    run(["btrfs", "quota", "enable", root])
    run(["btrfs", "quota", "rescan", "-w", root])
    shown = run(["btrfs", "qgroup", "show", "--raw", "-f", root]).splitlines()[-1].split()
    run(["btrfs", "qgroup", "limit", str(int(shown[1]) + 100 * 2**20), root])


@pytest.fixture(scope="module")
def month(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Month:
    """The cycle up to step 8, on all hosts but those that are left for other tests."""
    made = Month(lab, tmp_path_factory.mktemp("home"))
    assert made.call(*MONTHLY, "--limit", "all:!kernel01:!kernel02").code == 3
    made.sign("analis")
    made.sign("kepala")
    running = made.begin()
    wait_for(lab, "hang01", "test -e /run/lab-hang")
    assert others_are_kept_out(lab, "hang01")
    lab.run("hang01", ["sh", "-c", f"setsid sh -c '{DAILY}' >/dev/null 2>&1 &"])
    output, _ = running.communicate(timeout=400)
    assert running.returncode == 3, output
    return made


def others_are_kept_out(lab: Lab, host: str) -> bool:
    """Whether the locks of apt's daily job and of unattended-upgrades are held on a host."""
    daily = lab.run(host, ["sh", "-c", FREE, "/var/lib/apt/daily_lock"]).returncode != 0
    unattended = lab.run(host, ["python3", "-c", LOCKF]).returncode != 0
    assert daily == unattended
    return daily


def test_every_host_ends_in_its_verdict(month: Month) -> None:
    found = {host: str(v.verdict) for host, v in month.state.verdicts.items()}
    assert found == VERDICTS, {h: v.reason for h, v in month.state.verdicts.items()}


def test_a_script_that_hangs_is_ended_at_the_limit(month: Month) -> None:
    assert "time-limit" in month.told("hang01", "update")
    assert month.evidence("hang01", "update")["status"] == "failed"
    assert month.deb("hang01", "lab-hang") == "1.0 ii"
    assert month.ask("hang01", "pgrep", "-f", "lab-hang.postinst") == ""


def test_automatic_updates_are_kept_out_and_let_in_again(month: Month) -> None:
    wait_for(month.lab, "hang01", "test -e /run/daily-over", 60)
    assert not others_are_kept_out(month.lab, "hang01")
    assert month.deb("hang01", "lab-hang") == "1.0 ii"


def test_a_script_that_fails_is_named_and_undone(month: Month) -> None:
    assert "lab-badpost" in month.reason("post01")
    assert "migration failed" in month.evidence("post01", "update")["facts"]["log_tail"]
    assert month.deb("post01", "lab-badpost") == "1.0 ii"
    assert month.ask("post01", "dpkg", "--audit") == ""


def test_a_script_that_fails_under_dnf_is_named_and_undone(month: Month) -> None:
    """rpm counts the package as installed, and dnf's own library says nothing."""
    assert "%post(rlab-script-1.1-1.lab.noarch) scriptlet failed" in month.reason("rpmpost01")
    assert "migration failed" in month.evidence("rpmpost01", "update")["facts"]["log_tail"]
    for name in ("rlab-script", "rlab-web", "rlab-tool"):
        assert month.ask("rpmpost01", "rpm", "-q", "--qf", "%{VERSION}", name) == "1.0"


def test_a_script_that_fails_once_is_repaired_once(month: Month) -> None:
    assert "lab-once" in month.told("once01", "update")["repaired"]
    assert month.deb("once01", "lab-once") == "1.1 ii"
    assert month.phases("once01") == ["check", "backup", "update", "test"]


def test_a_changed_configuration_file_stays_and_is_named(month: Month) -> None:
    assert month.evidence("conf01", "update")["facts"]["kept_conffiles"] == ["/etc/lab-conf.conf"]
    assert "workers = 8" in month.ask("conf01", "cat", "/etc/lab-conf.conf")
    assert month.deb("conf01", "lab-conf") == "1.1 ii"


def test_a_question_is_answered_by_its_default(month: Month) -> None:
    assert month.ask("ask01", "cat", "/etc/lab-ask.mode") == "safe"
    assert month.deb("ask01", "lab-ask") == "1.1 ii"
    assert month.evidence("ask01", "update")["seconds"] < 60


def test_an_update_that_fills_the_disk_is_ended_before_it_is_full(month: Month) -> None:
    found = month.told("fill01", "update")
    assert "/var has only" in found["disk-filling"]
    assert "repaired" not in found
    assert month.evidence("fill01", "backup")["facts"]["backup"]["method"] == "packages"
    assert "the disk is full" not in month.evidence("fill01", "update")["facts"]["log_tail"]
    assert month.deb("fill01", "lab-fill") == "1.0 ii"
    assert month.ask("fill01", "dpkg", "--audit") == ""


@pytest.mark.parametrize(("host", "method"), [("rpm01", "packages"), ("suse01", "btrfs")])
def test_dnf_and_zypper_too_are_ended_before_the_disk_is_full(
    month: Month, host: str, method: str
) -> None:
    """zypper's host has rpm's database below /usr, as SUSE does: a snapshot of / holds it."""
    assert "/var has only" in month.told(host, "update")["disk-filling"]
    assert month.evidence(host, "backup")["facts"]["backup"]["method"] == method
    for name in ("rlab-fill", "rlab-web", "rlab-tool"):
        assert month.ask(host, "rpm", "-q", "--qf", "%{VERSION}", name) == "1.0"


def test_a_disk_that_gets_full_all_the_same_is_restored(month: Month) -> None:
    """A quota, which the host's free space does not show."""
    assert "lab-quota" in month.reason("quota01")
    assert "quota exceeded" in month.evidence("quota01", "update")["facts"]["log_tail"]
    assert month.deb("quota01", "lab-quota") == "1.0 ii"
    assert month.ask("quota01", "ls", "/usr/share/lab-quota.data") == ""
    receipts = month.ask("quota01", "sh", "-c", "ls /var/lib/sop-run/transactions/*/receipt.json")
    assert len(receipts.split()) == 3  # backup, update, restore


@pytest.mark.parametrize(("host", "left"), [("kernel01", -1), ("kernel02", 3600)])
def test_no_restart_begins_after_the_ordered_window(lab: Lab, host: str, left: int) -> None:
    items = ask(lab, host, "check", {})["items"]
    backup = ask(lab, host, "backup", {}, transaction="a" * 32, items=items)["facts"]["backup"]
    found = ask(
        lab,
        host,
        "update",
        {"reboot": "if-needed", "not_after": time.time() + left},
        transaction="b" * 32,
        items=items,
        backup=backup,
    )
    if left > 0:
        assert found["status"] == "rebooting"
        return
    assert found["status"] == "ok"
    assert found["items"][0]["after"] == "6.1.2"
    assert found["facts"]["reboot_required"] is True
    assert found["facts"]["rebooted"] is False
    assert "the ordered window ended at" in told(found)["reboot-deferred"]
