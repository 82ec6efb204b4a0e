"""zypper on real hosts (an imitation of SLES): exactly what was approved, or nothing."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostside import rpmversion
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.process import run
from orchestrator.lab.rpm import RpmPackage
from orchestrator.model.verdict import Verdict
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs
from tests.lab.month import MONTHLY, Month, set_variables
from tests.lab.repository import copy_of, install_rpm, offer_rpm, swap
from tests.lab.rpmtries import HOST, LATE, REFUSALS, WORKER_ALONE, Tries

pytestmark = pytest.mark.lab

HOSTS = [
    HostSpec("suse01", "rpm", "suse"),
    HostSpec("suseapi01", "rpm", "suse-breaks"),
    HostSpec("susekept01", "rpm", "suse-breaks"),
    HostSpec("try01", "rpm", "suse"),
]
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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("zypper") / "lab", HOSTS, print)
    try:
        set_variables(made, "susekept01", backup_method="packages")
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


@pytest.fixture(scope="module")
def tries(lab: Lab) -> Tries:
    return Tries.on(lab)


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
        assert sh(lab, host, "rpm -q --qf %{VERSION} rlab-api") == "1.0"
        assert sh(lab, host, "rpm -V rlab-api") == ""
        assert sh(lab, host, "curl -s --max-time 5 127.0.0.1:8091") == "rlab-api 1.0"
    assert methods == {"suseapi01": "btrfs", "susekept01": "packages"}
    assert sh(lab, "suse01", "curl -s --max-time 5 127.0.0.1:8090") == "rlab-web 1.1"
    assert sh(lab, "suse01", "rpm -q --qf %{VERSION} rlab-tool") == "1.1"
    assert "install|rlab-web|1.1" in sh(lab, "suse01", "cat /var/log/zypp/history")
    assert sh(lab, "suse01", "find /var/lib/sop-run -name '*.rpm'") == "", "nothing is left"


def test_check_names_versions_checksums_advisories_and_new_packages(lab: Lab, tries: Tries) -> None:
    tries.sh("touch /root/before; sleep 0.1")
    found = tries.check()
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
    digest = tries.sh(f"curl -s 10.99.0.1:8000/rpm/updates/{package.name} | sha256sum")
    assert (web["sha256"], web["size"]) == (digest.split()[0], package.stat().st_size)
    written = tries.sh(
        "find / -xdev -newer /root/before -type f -not -path '/root/*' -not -path '/var/log/*'",
    ).split()  # fmt: skip
    # SQLite's shared memory, and what libzypp writes at every first use and has no switch for.
    allowed = {"/usr/lib/sysimage/rpm/rpmdb.sqlite-shm", "/var/lib/YaST2/cookies"}
    assert set(written) <= allowed | {"/var/lib/zypp/AnonymousUniqueId"}


def test_a_locked_package_is_held_and_what_needs_it_kept_back(tries: Tries) -> None:
    approved = tries.items("rlab-tool")
    tries.sh("zypper --non-interactive addlock rlab-tool")
    found = tries.check()
    reasons = {row["name"]: row["reason"] for row in found["facts"]["withheld"]}
    assert reasons == {"rlab-tool": "held", "rlab-more": "kept-back"}
    assert "rlab-tool" not in {item["name"] for item in found["items"]}
    refused = tries.update(approved)
    assert refused["status"] == "refused", refused
    assert "remove lock" in told(refused)["cannot-resolve"]
    tries.sh("zypper --non-interactive removelock rlab-tool")
    assert tries.version("rlab-tool") == "1.0"


def test_blind_repositories_and_packages_without_a_source_are_named(tries: Tries) -> None:
    tries.sh("cp -a /etc/zypp/repos.d /root/repos.d")
    tries.sh("sed -i s/gpgcheck=1/gpgcheck=0/ /etc/zypp/repos.d/updates.repo")
    found = tries.check()
    assert told(found)["repository-unsigned"] == "no signature is checked for: updates"
    tries.sh("rm /etc/zypp/repos.d/baseos.repo")
    found = tries.check()
    assert found["facts"]["without_source"] == ["lab-release-suse"]
    assert "packages-without-source" in told(found)
    tries.sh("rm -r /etc/zypp/repos.d; mv /root/repos.d /etc/zypp")


BREAKS: dict[str, tuple[str, str]] = {
    "a wrong key": ("rpm -e gpg-pubkey", "is signed with an unknown key"),
    "no such address": (
        "sed -i s,rpm/updates,rpm/nowhere, /etc/zypp/repos.d/updates.repo",
        "updates: Valid metadata not found at specified URL",
    ),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_repository_that_cannot_be_trusted_is_named(lab: Lab, tries: Tries, fault: str) -> None:
    """Faults 7 and 8: no list from the check, and nothing installed by the update."""
    breaks, words = BREAKS[fault]
    approved = tries.items("rlab-tool")
    taken = tries.backup(approved, "btrfs")["backup"]
    tries.sh(f"cp -a /etc/zypp/repos.d /root/repos.d; {breaks}")
    found = tries.check()
    assert (found["status"], found["items"]) == ("failed", [])
    assert words in told(found)["metadata-refresh-failed"]
    refused = ask(
        lab, "try01", "update", {}, transaction=next(tries.ids), items=approved, backup=taken
    )
    tries.sh("rm -r /etc/zypp/repos.d; mv /root/repos.d /etc/zypp")
    tries.sh("rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-lab")
    assert refused["status"] == "refused"
    assert words in told(refused)["metadata-refresh-failed"]
    assert tries.version("rlab-tool") == "1.0"


def test_a_lock_is_waited_for_then_its_holder_is_named(lab: Lab, tries: Tries) -> None:
    """Fault 4; the check neither takes the lock nor waits for it."""
    approved = tries.items("rlab-tool")
    taken = tries.backup(approved, "btrfs")["backup"]
    holder = "sleep 60 | zypper --non-interactive shell"
    tries.sh(f"systemd-run --quiet --unit=holder sh -c '{holder}'; sleep 1.5")
    pid = tries.sh("cat /run/zypp.pid")
    assert tries.check()["status"] == "ok"
    began = time.monotonic()
    found = ask(
        lab, "try01", "update", {"lock_seconds": 2},
        transaction=next(tries.ids), items=approved, backup=taken,
    )  # fmt: skip
    assert 2 <= time.monotonic() - began < 15
    assert found["status"] == "blocked"
    assert f"zypper (process {pid}) holds /run/zypp.pid" in told(found)["package-lock"]
    tries.sh("systemctl stop holder")
    assert tries.version("rlab-tool") == "1.0"


@pytest.mark.parametrize("case", REFUSALS)
def test_other_than_approved_is_refused_before_anything_is_installed(
    tries: Tries, case: str
) -> None:
    tries.is_refused(case)


@pytest.mark.parametrize("method", ["btrfs", "packages"])
def test_a_kernel_lies_beside_the_old_one_asks_for_a_restart_and_goes_again(
    tries: Tries, method: str
) -> None:
    done = tries.kernel_lies_beside_the_old_one_and_goes_again(method)
    assert done["facts"]["reboot_required"] is True
    assert tries.check()["facts"]["reboot_required"] is False


def test_exactly_the_approved_package_is_updated_though_more_is_pending(tries: Tries) -> None:
    approved = tries.items("rlab-tool")
    done = tries.update(approved)
    assert done["status"] == "ok", done["problems"]
    assert done["facts"]["packages_changed"] == {"rlab-tool": ["1.0-1.lab", "1.1-1.lab"]}
    assert [item["result"] for item in done["items"]] == ["updated"]
    tries.restore(done, approved)
    assert tries.version("rlab-tool") == "1.0"


def test_what_the_check_has_staged_is_installed_though_the_mirror_drops_it(
    lab: Lab, tries: Tries
) -> None:
    staged = tries.check(stage=True)["facts"]["staged"]
    assert (staged["files"], staged["missing"], staged["reason"]) == (6, [], "")
    source = lab.directory / "www/rpm/updates/repodata"
    shutil.copytree(source, lab.directory / "www/emptied/repodata")
    edit = "/etc/zypp/repos.d/updates.repo"
    tries.sh(f"cp {edit} /root; sed -i s,rpm/updates,emptied, {edit}")
    approved = tries.items("rlab-tool")
    done = tries.update(approved)
    missing = tries.update([{**item, "sha256": ""} for item in tries.items("rlab-web")])
    assert done["status"] == "ok", done["problems"]
    assert tries.version("rlab-tool") == "1.1"
    assert "rlab-tool" not in tries.sh("ls /var/cache/sop-run/staged")
    assert missing["status"] == "refused", "no file of that name and checksum is staged"
    assert "rlab-web" in told(missing)["download-failed"]
    tries.restore(done, approved)
    tries.sh(f"mv /root/updates.repo {edit}")


def test_epochs_odd_names_and_checksums_of_another_kind(
    lab: Lab, tries: Tries, tmp_path: Path
) -> None:
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
    tries.sh("rpm --install --nodeps /srv/odd/*/*-1.1~*.rpm")
    assert tries.items("libodd++6")[0]["sha256"] == ""
    (approved,) = tries.items("libodd++6", stage=True)
    assert (approved["from"], approved["to"]) == ("3:1.1~rc1-2", "3:1.2~rc1-2")
    assert (approved["source"], len(approved["sha256"])) == ("odd/a b", 64), "the staged file's"
    done = tries.update([approved], "packages")
    assert done["status"] == "ok", done["problems"]
    assert done["facts"]["packages_changed"] == {"libodd++6": ["3:1.1~rc1-2", "3:1.2~rc1-2"]}
    tries.restore(done, [approved])
    source.unlink()
    tries.sh("rpm --erase libodd++6")


def test_a_package_script_that_fails_is_a_failed_update(tries: Tries) -> None:
    """Fault 10: zypper's exit code 107; the files are there, what the script does is not."""
    approved = tries.items("rlab-script")
    done = tries.update(approved)
    assert done["status"] == "failed", done
    assert "zypper ended with 107" in told(done)["install-failed"]
    assert "migration failed" in done["facts"]["log_tail"]
    tries.restore(done, approved)
    assert tries.version("rlab-script") == "1.0"


def test_killed_while_rpm_installs_and_asked_again(lab: Lab, tries: Tries) -> None:
    """Fault 3; automatic updates are kept out meanwhile and let in again."""
    for name, text in UNITS.items():
        (lab.root("try01") / "usr/lib/systemd/system" / name).write_text(text)
    tries.sh("systemctl daemon-reload; systemctl start os-update.timer")
    automatic = "systemctl is-enabled packagekit.service; systemctl is-active os-update.timer; true"
    during: list[str] = []
    tries.goes_on_after_a_cut(meanwhile=lambda: during.extend(tries.sh(automatic).split()))
    assert during == ["masked-runtime", "inactive"]
    assert tries.sh(automatic).split() == ["static", "active"]


def test_a_script_that_failed_while_no_worker_looked_is_not_lost(lab: Lab, tries: Tries) -> None:
    """zypper outlives its worker and nobody hears its exit code: what it brought is proven anew."""
    old = RpmPackage("rlab-alone", "1.0", "baseos")
    newer = RpmPackage("rlab-alone", "1.1", "updates", post=LATE)
    offer_rpm(lab, copy_of(lab, "rpm", "more"), old, newer)
    swap(lab, "rpm", "more")
    install_rpm(lab, HOST, lab.directory / "www/rpm", old)
    approved = tries.items("rlab-alone")
    tries.sh("zypper --non-interactive refresh --force; touch /run/lab-fails")
    found = tries.cut_off(approved, WORKER_ALONE, seconds=3)
    assert found["status"] == "failed", found
    assert "install-failed" in told(found)
    assert tries.sh("cat /run/lab-late").split() == ["ran", "ran"]
    tries.restore(found, approved)
    assert tries.version("rlab-alone") == "1.0"


def test_versions_compare_as_rpm_compares_them(tries: Tries) -> None:
    pairs = list(itertools.product(VERSIONS, VERSIONS))
    script = "".join(f"print(rpm.vercmp('{one}', '{other}'), '')" for one, other in pairs)
    told_by_rpm = tries.sh(f'rpm --eval "%{{lua: {script} }}"').split()
    ours = [str(rpmversion.compare_part(one, other)) for one, other in pairs]
    assert dict(zip(pairs, ours, strict=True)) == dict(zip(pairs, told_by_rpm, strict=True))
