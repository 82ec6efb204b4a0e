"""zypper on real hosts (an imitation of SLES): exactly what was approved, or nothing."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hostside import rpmversion
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.process import run
from orchestrator.model.verdict import Verdict
from tests.lab.asked import ask, send, sh, told
from tests.lab.left import left_overs
from tests.lab.month import MONTHLY, Month, set_variables, wait_for

pytestmark = pytest.mark.lab

HOSTS = [
    HostSpec("suse01", "rpm", "suse"),
    HostSpec("suseapi01", "rpm", "suse-breaks"),
    HostSpec("susekept01", "rpm", "suse-breaks"),
    HostSpec("try01", "rpm", "suse"),
]
OLD = ("rlab-kernel-6.1", "rlab-script-1.0", "rlab-more-1.0")
VERSIONS = ("1.0", "1.0.1", "1.0a", "1.0~rc1", "1.0^git1", "1.00", "2", "10", "1_0", "a1", "1.0~")
UNITS = {  # names that SUSE's own have; what they would start is of no matter here
    "packagekit.service": "[Service]\nExecStart=/bin/sleep 1\n",
    "os-update.service": "[Service]\nExecStart=/bin/sleep 1\n",
    "os-update.timer": "[Timer]\nOnCalendar=yearly\n",
}
ODD_SPEC = """Name: libodd++6
Epoch: 3
Version: 1.{0}~rc1
Release: 2
Summary: odd
License: GPL-3.0-or-later
AutoReqProv: no
%description
odd
%files
"""
Ids = Iterator[str]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("zypper") / "lab", HOSTS, print)
    try:
        set_variables(made, "susekept01", backup_method="packages")
        source = "http://10.99.0.1:8000/rpm/baseos"
        files = " ".join(f"{source}/{name}-1.lab.noarch.rpm" for name in OLD)
        sh(made, "try01", f"rpm --install {files}")
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


@pytest.fixture(scope="module")
def ids() -> Ids:
    """Transaction ids, each used once."""
    return (f"{number:032x}" for number in itertools.count(1))


def items(lab: Lab, *names: str, stage: bool = False) -> list[dict[str, Any]]:
    """Pending items of these names, as the check tells them."""
    found = {i["name"]: i for i in ask(lab, "try01", "check", {"stage": stage})["items"]}
    return [found[name] for name in names]


def version(lab: Lab, name: str, host: str = "try01") -> str:
    return sh(lab, host, f"rpm -q --qf '%{{VERSION}} ' {name}")


def backup(lab: Lab, ids: Ids, approved: list[dict[str, Any]], method: str) -> dict[str, Any]:
    found = ask(lab, "try01", "backup", {"method": method}, transaction=next(ids), items=approved)
    assert found["status"] == "ok", found["problems"]
    return dict(found["facts"])


def update(
    lab: Lab, ids: Ids, approved: list[dict[str, Any]], method: str = "btrfs", **options: Any
) -> dict[str, Any]:
    """An update of exactly these items, with a backup before it."""
    facts = backup(lab, ids, approved, method)
    found = ask(
        lab, "try01", "update", options,
        transaction=next(ids), items=approved, backup=facts["backup"],
    )  # fmt: skip
    return {**found, "before": facts}


def restore(lab: Lab, ids: Ids, done: dict[str, Any], approved: list[dict[str, Any]]) -> None:
    """Back to the backup that `done` was made with."""
    found = ask(
        lab, "try01", "restore", {}, transaction=next(ids), items=approved,
        backup=done["before"]["backup"], baseline=done["before"]["baseline"],
    )  # fmt: skip
    assert found["status"] == "ok", found["problems"]
    assert {item["result"] for item in found["items"]} == {"restored"}


def test_the_host_says_that_it_is_an_imitation_and_has_no_other_package_manager(lab: Lab) -> None:
    assert "imitation" in sh(lab, "suse01", "cat /etc/os-release")
    for program in ("apt-get", "dpkg", "dnf"):
        assert lab.run("suse01", ["which", program]).returncode != 0


def test_a_whole_cycle_through_the_command_line(lab: Lab, tmp_path: Path) -> None:
    """Check, backup, update, test; the two hosts whose service breaks are restored."""
    month = Month(lab, tmp_path)
    first = month.call(*MONTHLY, "--limit", "suse01,suseapi01,susekept01")
    codes = [first.code, month.sign("analis").code, month.sign("kepala").code]
    changed = month.monthly()
    assert [*codes, changed.code] == [3, 3, 0, 3], changed.text
    assert {host: v.verdict for host, v in month.state.verdicts.items()} == {
        "suse01": Verdict.UPDATED,
        "suseapi01": Verdict.ROLLED_BACK,
        "susekept01": Verdict.ROLLED_BACK,
    }, month.state.verdicts
    methods = {}
    for host in ("suseapi01", "susekept01"):
        methods[host] = month.evidence(host, "restore")["facts"]["restore"]["method"]
        assert version(lab, "rlab-api", host) == "1.0"
        assert sh(lab, host, "rpm -V rlab-api") == ""
        assert sh(lab, host, "curl -s --max-time 5 127.0.0.1:8091") == "rlab-api 1.0"
    assert methods == {"suseapi01": "btrfs", "susekept01": "packages"}
    assert sh(lab, "suse01", "curl -s --max-time 5 127.0.0.1:8090") == "rlab-web 1.1"
    assert version(lab, "rlab-tool", "suse01") == "1.1"
    assert "install|rlab-web|1.1" in sh(lab, "suse01", "cat /var/log/zypp/history")
    assert sh(lab, "suse01", "find /var/lib/sop-run -name '*.rpm'") == "", "nothing is left"


def test_check_names_versions_checksums_advisories_and_new_packages(lab: Lab) -> None:
    sh(lab, "try01", "touch /root/before; sleep 0.1")
    found = ask(lab, "try01", "check", {})
    assert found["status"] == "ok", found["problems"]
    assert found["facts"]["package_manager"] == "zypper"
    (new,) = found["facts"]["new_packages"]
    assert (new["name"], new["version"], len(new["sha256"])) == ("rlab-new", "1.0-1.lab", 64)
    assert found["facts"]["staged"] is None
    assert found["facts"]["without_source"] == found["facts"]["withheld"] == []
    by_name = {item["name"]: item for item in found["items"]}
    assert {n: (i["from"], i["to"], i["class"]) for n, i in by_name.items()} == {
        "rlab-kernel": ("6.1-1.lab", "6.2-1.lab", "security"),
        "rlab-more": ("1.0-1.lab", "1.1-1.lab", "system"),
        "rlab-script": ("1.0-1.lab", "1.1-1.lab", "system"),
        "rlab-tool": ("1.0-1.lab", "1.1-1.lab", "system"),
        "rlab-web": ("1.0-1.lab", "1.1-1.lab", "security"),
    }
    web, kernel = by_name["rlab-web"], by_name["rlab-kernel"]
    assert web["advisories"] == ["LABSA-2026:0001", "CVE-2026-0001"]
    assert (web["severity"], web["source"], web["reboot"]) == ("Important", "updates", False)
    assert (kernel["severity"], kernel["reboot"]) == ("Moderate", True)
    package = lab.directory / "www/rpm/updates/rlab-web-1.1-1.lab.noarch.rpm"
    digest = sh(lab, "try01", f"curl -s 10.99.0.1:8000/rpm/updates/{package.name} | sha256sum")
    assert (web["sha256"], web["size"]) == (digest.split()[0], package.stat().st_size)
    written = sh(
        lab, "try01",
        "find / -xdev -newer /root/before -type f -not -path '/root/*' -not -path '/var/log/*'",
    ).split()  # fmt: skip
    # SQLite's shared memory, and what libzypp writes at every first use and has no switch for.
    allowed = {"/usr/lib/sysimage/rpm/rpmdb.sqlite-shm", "/var/lib/YaST2/cookies"}
    assert set(written) <= allowed | {"/var/lib/zypp/AnonymousUniqueId"}


def test_a_locked_package_is_held_and_what_needs_it_kept_back(lab: Lab, ids: Ids) -> None:
    approved = items(lab, "rlab-tool")
    sh(lab, "try01", "zypper --non-interactive addlock rlab-tool")
    found = ask(lab, "try01", "check", {})
    reasons = {row["name"]: row["reason"] for row in found["facts"]["withheld"]}
    assert reasons == {"rlab-tool": "held", "rlab-more": "kept-back"}
    assert "rlab-tool" not in {item["name"] for item in found["items"]}
    refused = update(lab, ids, approved)
    assert refused["status"] == "refused", refused
    assert "remove lock" in told(refused)["cannot-resolve"]
    sh(lab, "try01", "zypper --non-interactive removelock rlab-tool")
    assert version(lab, "rlab-tool") == "1.0"


def test_blind_repositories_and_packages_without_a_source_are_named(lab: Lab) -> None:
    sh(lab, "try01", "cp -a /etc/zypp/repos.d /root/repos.d")
    sh(lab, "try01", "sed -i s/gpgcheck=1/gpgcheck=0/ /etc/zypp/repos.d/updates.repo")
    found = ask(lab, "try01", "check", {})
    assert told(found)["repository-unsigned"] == "no signature is checked for: updates"
    sh(lab, "try01", "rm /etc/zypp/repos.d/baseos.repo")
    found = ask(lab, "try01", "check", {})
    assert found["facts"]["without_source"] == ["lab-release-suse"]
    assert "packages-without-source" in told(found)
    sh(lab, "try01", "rm -r /etc/zypp/repos.d; mv /root/repos.d /etc/zypp")


BREAKS: dict[str, tuple[str, str]] = {
    "a wrong key": ("rpm -e gpg-pubkey", "is signed with an unknown key"),
    "no such address": (
        "sed -i s,rpm/updates,rpm/nowhere, /etc/zypp/repos.d/updates.repo",
        "updates: Valid metadata not found at specified URL",
    ),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_repository_that_cannot_be_trusted_is_named(lab: Lab, ids: Ids, fault: str) -> None:
    """Faults 7 and 8: no list from the check, and nothing installed by the update."""
    breaks, words = BREAKS[fault]
    approved = items(lab, "rlab-tool")
    taken = backup(lab, ids, approved, "btrfs")["backup"]
    sh(lab, "try01", f"cp -a /etc/zypp/repos.d /root/repos.d; {breaks}")
    found = ask(lab, "try01", "check", {})
    assert (found["status"], found["items"]) == ("failed", [])
    assert words in told(found)["metadata-refresh-failed"]
    refused = ask(lab, "try01", "update", {}, transaction=next(ids), items=approved, backup=taken)
    sh(lab, "try01", "rm -r /etc/zypp/repos.d; mv /root/repos.d /etc/zypp")
    sh(lab, "try01", "rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-lab")
    assert refused["status"] == "refused"
    assert words in told(refused)["metadata-refresh-failed"]
    assert version(lab, "rlab-tool") == "1.0"


def test_a_lock_is_waited_for_then_its_holder_is_named(lab: Lab, ids: Ids) -> None:
    """Fault 4; the check neither takes the lock nor waits for it."""
    approved = items(lab, "rlab-tool")
    taken = backup(lab, ids, approved, "btrfs")["backup"]
    holder = "sleep 60 | zypper --non-interactive shell"
    sh(lab, "try01", f"systemd-run --quiet --unit=holder sh -c '{holder}'; sleep 1.5")
    pid = sh(lab, "try01", "cat /run/zypp.pid")
    assert ask(lab, "try01", "check", {})["status"] == "ok"
    began = time.monotonic()
    found = ask(
        lab, "try01", "update", {"lock_seconds": 2},
        transaction=next(ids), items=approved, backup=taken,
    )  # fmt: skip
    assert 2 <= time.monotonic() - began < 15
    assert found["status"] == "blocked"
    assert f"zypper (process {pid}) holds /run/zypp.pid" in told(found)["package-lock"]
    sh(lab, "try01", "systemctl stop holder")
    assert version(lab, "rlab-tool") == "1.0"


Twist = Callable[[dict[str, Any]], dict[str, Any]]
REFUSALS: dict[str, tuple[str, Twist, str, str, str]] = {
    "another version was approved": (
        "rlab-tool", lambda item: {**item, "to": "1.0.5-1.lab"},
        "superseded", "candidate-changed", "rlab-tool: approved 1.0.5-1.lab, offered 1.1-1.lab",
    ),
    "another file was approved": (
        "rlab-tool", lambda item: {**item, "sha256": "0" * 64},
        "refused", "wrong-sha256", f"approved {'0' * 64}",
    ),
    "more would change": (
        "rlab-more", dict,
        "refused", "beyond-approval",
        "would install rlab-new 1.0-1.lab; would change rlab-tool to 1.1-1.lab",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_other_than_approved_is_refused_before_anything_is_installed(
    lab: Lab, ids: Ids, case: str
) -> None:
    name, twist, status, code, words = REFUSALS[case]
    before = sh(lab, "try01", "rpm -qa | sort")
    found = update(lab, ids, [twist(item) for item in items(lab, name)])
    assert found["status"] == status, found["problems"]
    assert words in told(found)[code]
    assert sh(lab, "try01", "rpm -qa | sort") == before


@pytest.mark.parametrize("method", ["btrfs", "packages"])
def test_a_kernel_lies_beside_the_old_one_asks_for_a_restart_and_goes_again(
    lab: Lab, ids: Ids, method: str
) -> None:
    approved = items(lab, "rlab-kernel")
    done = update(lab, ids, approved, method)
    assert done["status"] == "ok", done["problems"]
    assert done["facts"]["packages_changed"] == {"rlab-kernel": ["6.1-1.lab", "6.2-1.lab"]}
    assert done["facts"]["reboot_required"] is True
    assert version(lab, "rlab-kernel").split() == ["6.1", "6.2"]
    restore(lab, ids, done, approved)
    assert version(lab, "rlab-kernel") == "6.1"
    assert sh(lab, "try01", "ls /boot") == "rlab-kernel-6.1"
    assert ask(lab, "try01", "check", {})["facts"]["reboot_required"] is False


def test_exactly_the_approved_package_is_updated_though_more_is_pending(lab: Lab, ids: Ids) -> None:
    approved = items(lab, "rlab-tool")
    done = update(lab, ids, approved)
    assert done["status"] == "ok", done["problems"]
    assert done["facts"]["packages_changed"] == {"rlab-tool": ["1.0-1.lab", "1.1-1.lab"]}
    assert [item["result"] for item in done["items"]] == ["updated"]
    restore(lab, ids, done, approved)
    assert version(lab, "rlab-tool") == "1.0"


def test_what_the_check_has_staged_is_installed_though_the_mirror_drops_it(
    lab: Lab, ids: Ids
) -> None:
    staged = ask(lab, "try01", "check", {"stage": True})["facts"]["staged"]
    assert (staged["files"], staged["missing"], staged["reason"]) == (6, [], "")
    source = lab.directory / "www/rpm/updates/repodata"
    shutil.copytree(source, lab.directory / "www/emptied/repodata")
    edit = "/etc/zypp/repos.d/updates.repo"
    sh(lab, "try01", f"cp {edit} /root; sed -i s,rpm/updates,emptied, {edit}")
    approved = items(lab, "rlab-tool")
    done = update(lab, ids, approved)
    missing = update(lab, ids, [{**item, "sha256": ""} for item in items(lab, "rlab-web")])
    assert done["status"] == "ok", done["problems"]
    assert version(lab, "rlab-tool") == "1.1"
    assert "rlab-tool" not in sh(lab, "try01", "ls /var/cache/sop-run/staged")
    assert missing["status"] == "refused", "no file of that name and checksum is staged"
    assert "rlab-web" in told(missing)["download-failed"]
    restore(lab, ids, done, approved)
    sh(lab, "try01", f"mv /root/updates.repo {edit}")


def test_epochs_odd_names_and_checksums_of_another_kind(lab: Lab, ids: Ids, tmp_path: Path) -> None:
    """A repository of its own, unsigned, in a folder; its metadata know no SHA-256."""
    defines = [f"_topdir {tmp_path}/top", f"_dbpath {tmp_path}/db", "_build_id_links none"]
    options = [word for define in defines for word in ("--define", define)]
    for number in (1, 2):
        (tmp_path / "spec").write_text(ODD_SPEC.format(number))
        run(["rpmbuild", "-bb", "--quiet", "--nodeps", *options, tmp_path / "spec"])
    run(["createrepo_c", "--quiet", "--checksum", "sha512", tmp_path / "top/RPMS"])
    shutil.copytree(tmp_path / "top/RPMS", lab.root("try01") / "srv/odd")
    source = lab.root("try01") / "etc/zypp/repos.d/odd.repo"
    source.write_text("[odd/a b]\nbaseurl=dir:///srv/odd\ntype=rpm-md\ngpgcheck=0\nenabled=1\n")
    sh(lab, "try01", "rpm --install --nodeps /srv/odd/*/*-1.1~*.rpm")
    assert items(lab, "libodd++6")[0]["sha256"] == ""
    (approved,) = items(lab, "libodd++6", stage=True)
    assert (approved["from"], approved["to"]) == ("3:1.1~rc1-2", "3:1.2~rc1-2")
    assert (approved["source"], len(approved["sha256"])) == ("odd/a b", 64), "the staged file's"
    done = update(lab, ids, [approved], "packages")
    assert done["status"] == "ok", done["problems"]
    assert done["facts"]["packages_changed"] == {"libodd++6": ["3:1.1~rc1-2", "3:1.2~rc1-2"]}
    restore(lab, ids, done, [approved])
    source.unlink()
    sh(lab, "try01", "rpm --erase libodd++6")


def test_a_package_script_that_fails_is_a_failed_update(lab: Lab, ids: Ids) -> None:
    """Fault 10: zypper's exit code 107; the files are there, what the script does is not."""
    approved = items(lab, "rlab-script")
    done = update(lab, ids, approved)
    assert done["status"] == "failed", done
    assert "zypper ended with 107" in told(done)["install-failed"]
    assert "migration failed" in done["facts"]["log_tail"]
    restore(lab, ids, done, approved)
    assert version(lab, "rlab-script") == "1.0"


def test_killed_while_rpm_installs_and_asked_again(lab: Lab, ids: Ids) -> None:
    """Fault 3: worker, zypper and rpm are gone in the middle; the same transaction goes on."""
    approved = items(lab, "rlab-more", "rlab-tool")
    facts = backup(lab, ids, approved, "packages")
    request = {"transaction": next(ids), "items": approved, "backup": facts["backup"]}
    options = {"allow_new": ask(lab, "try01", "check", {})["facts"]["new_packages"]}
    for name, text in UNITS.items():
        (lab.root("try01") / "usr/lib/systemd/system" / name).write_text(text)
    sh(lab, "try01", "systemctl daemon-reload; systemctl start os-update.timer")
    sh(lab, "try01", "touch /run/lab-slow; rm -f /run/lab-done")
    first = Thread(target=lambda: send(lab, "try01", "update", options, **request), daemon=True)
    first.start()
    wait_for(lab, "try01", "pgrep -x sleep")
    automatic = "systemctl is-enabled packagekit.service; systemctl is-active os-update.timer"
    assert sh(lab, "try01", f"{automatic}; true").split() == ["masked-runtime", "inactive"]
    sh(lab, "try01", "systemctl kill --signal=KILL 'sop-run-*'")
    first.join(30)
    found = ask(lab, "try01", "update", options, **request)
    assert found["status"] == "ok", found["problems"]
    assert {item["result"] for item in found["items"]} == {"updated"}
    assert {"recovered", "duplicates-removed"} <= set(told(found))
    assert sh(lab, "try01", f"{automatic}; true").split() == ["static", "active"]
    assert found["facts"]["packages_changed"] == {
        "rlab-more": ["1.0-1.lab", "1.1-1.lab"],
        "rlab-new": ["", "1.0-1.lab"],
        "rlab-tool": ["1.0-1.lab", "1.1-1.lab"],
    }
    assert version(lab, "rlab-more") == "1.1", "no second version beside it"
    assert sh(lab, "try01", "ls /run/lab-done"), "its script came to the end, at the second time"
    restore(lab, ids, {"before": facts}, approved)
    assert lab.run("try01", ["rpm", "-q", "rlab-new"]).returncode != 0, "new packages go again"


def test_versions_compare_as_rpm_compares_them(lab: Lab) -> None:
    pairs = list(itertools.product(VERSIONS, VERSIONS))
    script = "".join(f"print(rpm.vercmp('{one}', '{other}'), '')" for one, other in pairs)
    told_by_rpm = sh(lab, "try01", f'rpm --eval "%{{lua: {script} }}"').split()
    ours = [str(rpmversion.compare_part(one, other)) for one, other in pairs]
    assert dict(zip(pairs, ours, strict=True)) == dict(zip(pairs, told_by_rpm, strict=True))
