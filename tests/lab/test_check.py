"""Phase check on real hosts: advisories from changelogs, and what an officer should know."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from orchestrator.lab.lab import HostSpec, Lab
from tests.lab.asked import ask, seconds_off, send, sh, told
from tests.lab.left import left_overs

pytestmark = pytest.mark.lab

HOSTS = [
    HostSpec("web01", "full", "clean"),
    HostSpec("kernel01", "full", "reboot"),
    HostSpec("idle01", "full", "idle"),
    HostSpec("av01", "full", "antivirus"),
    HostSpec("rpm01", "rpm", "rpm"),
]
CHANGELOG = """\
lab-web (1.1) lab-security; urgency=high

  * CVE-2026-1111: a hole. Also cve-2026-2222 (DSA-6001-1).

 -- Lab <lab@example.com>  Mon, 02 Nov 2026 10:00:00 +0000

lab-web (1.0) lab; urgency=critical

  * CVE-2020-9999: an old hole, closed long ago.

 -- Lab <lab@example.com>  Mon, 06 Jan 2020 10:00:00 +0000
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("check") / "lab", HOSTS, print)
    try:
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def service(lab: Lab, host: str, address: str) -> None:
    """Tell apt on a host where the changelogs of the lab's packages are."""
    line = f'Acquire::Changelogs::URI::Origin::Lab "{address}/@CHANGEPATH@_changelog";\n'
    (lab.root(host) / "etc/apt/apt.conf.d/99changelogs").write_text(line)


def test_a_check_of_an_idle_host_takes_less_than_a_second_and_leaves_nothing(lab: Lab) -> None:
    found = ask(lab, "idle01", "check", {})
    assert found["status"] == "ok"
    assert found["items"] == []
    assert found["seconds"] < 1.5  # 0.4 s on an idle machine
    assert "sop-run" not in sh(lab, "idle01", "ls /var/tmp /tmp")


def test_advisories_come_from_the_mirrors_changelog_service(lab: Lab) -> None:
    page = lab.directory / "www/changelogs/main/l/lab-web/lab-web_1.1_changelog"
    page.parent.mkdir(parents=True)
    page.write_text(CHANGELOG)
    source = sh(lab, "web01", "grep -rho 'http://[^/]*' /etc/apt/sources.list* | head -1")
    service(lab, "web01", f"{source}/changelogs")
    found = ask(lab, "web01", "check", {})
    (item,) = found["items"]
    assert found["facts"]["advisories"]["reason"] == ""
    assert item["advisories"] == ["CVE-2026-1111", "CVE-2026-2222", "DSA-6001-1"]
    assert item["severity"] == "high"
    assert found["facts"]["advisories"] == {"asked": 1, "read": 1, "missing": [], "reason": ""}
    assert "advisories-unavailable" not in told(found)
    found = ask(lab, "web01", "check", {"advisories": False})
    assert found["items"][0]["advisories"] == []
    assert found["facts"]["advisories"] is None


def test_a_changelog_service_that_lacks_a_package_makes_no_false_claim(lab: Lab) -> None:
    source = sh(lab, "kernel01", "grep -rho 'http://[^/]*' /etc/apt/sources.list* | head -1")
    service(lab, "kernel01", f"{source}/changelogs")
    found = ask(lab, "kernel01", "check", {})
    assert found["status"] == "ok"
    assert (found["items"][0]["advisories"], found["items"][0]["severity"]) == ([], "")
    assert "lab-kernel (404" in told(found)["advisories-unavailable"]


def test_a_changelog_service_out_of_reach_costs_a_few_seconds(lab: Lab) -> None:
    service(lab, "kernel01", "http://10.99.250.250")
    began = time.monotonic()
    found = ask(lab, "kernel01", "check", {})
    assert found["status"] == "ok"
    assert time.monotonic() - began < 20
    assert "lab-kernel" in told(found)["advisories-unavailable"]


def test_the_changelog_inside_a_package_that_lies_there_already(lab: Lab) -> None:
    sh(
        lab,
        "kernel01",
        """set -e; mkdir -p /root/p/DEBIAN /root/p/usr/share/doc/lab-kernel; cd /root/p
        printf 'Package: lab-kernel\\nVersion: 6.1.2\\nArchitecture: all\\nMaintainer: x <x@x>\\n'\
 >DEBIAN/control; echo 'Description: x' >>DEBIAN/control
        printf 'lab-kernel (6.1.2) lab; urgency=emergency\\n\\n  * CVE-2026-3333.\\n\\n -- x\\n' |
            gzip >usr/share/doc/lab-kernel/changelog.gz
        dpkg-deb -b /root/p /var/cache/apt/archives/lab-kernel_6.1.2_all.deb""",
    )
    (item,) = ask(lab, "kernel01", "check", {})["items"]
    assert (item["advisories"], item["severity"]) == (["CVE-2026-3333"], "critical")
    sh(lab, "kernel01", "rm /var/cache/apt/archives/*.deb; rm -r /root/p")


def test_a_source_without_proof_and_a_package_without_source(lab: Lab) -> None:
    sh(
        lab,
        "idle01",
        """set -e; mkdir -p /root/p/DEBIAN; cd /root/p
        printf 'Package: orphan\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x>\\n'\
 >DEBIAN/control; echo 'Description: x' >>DEBIAN/control
        dpkg-deb -b /root/p /root/p.deb && dpkg -i /root/p.deb""",
    )
    path = lab.root("idle01") / "etc/apt/sources.list.d/blind.list"
    path.write_text("deb [trusted=yes] file:/srv/blind ./\n")
    (lab.root("idle01") / "srv/blind").mkdir()
    (lab.root("idle01") / "srv/blind/Packages").write_text("")
    found = ask(lab, "idle01", "check", {})
    assert found["status"] == "ok"
    assert "orphan" in found["facts"]["without_source"]
    assert "lab-web" not in found["facts"]["without_source"]
    assert "packages-without-source" in told(found)
    assert "blind.list: file:/srv/blind ./ (trusted=yes)" in told(found)["repository-unsigned"]
    path.unlink()


def test_what_an_earlier_update_left_running(lab: Lab) -> None:
    python = "$(readlink -f /usr/bin/python3)"
    sh(lab, "idle01", f"cp -a {python} /root/new && mv /root/new {python}")
    found = ask(lab, "idle01", "check", {})
    assert "lab-web.service" in found["facts"]["restart_pending"]
    assert "lab-web.service" in told(found)["restart-pending"]
    sh(lab, "idle01", "systemctl restart lab-web")
    assert "lab-web.service" not in ask(lab, "idle01", "check", {})["facts"]["restart_pending"]


def test_a_release_whose_support_has_ended(lab: Lab) -> None:
    sh(lab, "idle01", "sed -i.old s/VERSION_ID=.*/VERSION_ID=10/ $(readlink -f /etc/os-release)")
    found = ask(lab, "idle01", "check", {})
    assert found["facts"]["release"]["stage"] == "ended"
    assert "since 2024-06-30" in told(found)["release-end-of-life"]
    sh(lab, "idle01", "f=$(readlink -f /etc/os-release); mv $f.old $f")
    assert ask(lab, "idle01", "check", {})["facts"]["release"]["stage"] in ("full", "lts")


def test_a_clock_that_is_off_is_told_before_the_backup_refuses(lab: Lab) -> None:
    began = time.time()
    found = told(ask(lab, "idle01", "check", {}, clock=began - 7200))
    assert 7200 <= seconds_off(found) <= 7201 + time.time() - began


def test_more_room_is_wanted_than_there_is(lab: Lab) -> None:
    found = told(ask(lab, "idle01", "check", {"reserve_mb": 10**7}))
    assert "needs 20000000 MB" in found["disk-low"]


def test_an_old_antivirus_database(lab: Lab) -> None:
    found = told(ask(lab, "av01", "check", {}))
    assert "the daily database 1 was built" in found["antivirus-database-old"]
    found = told(ask(lab, "av01", "check", {"antivirus_max_age_days": 36500}))
    assert "antivirus-database-old" not in found


def test_dnf_names_blind_repositories_and_packages_without_source(lab: Lab) -> None:
    found = ask(lab, "rpm01", "check", {})
    assert found["facts"]["without_source"] == []
    by_name = {item["name"]: item for item in found["items"]}
    assert "LABSA-2026:0001" in by_name["rlab-web"]["advisories"]
    sh(lab, "rpm01", "sed -i s/gpgcheck=1/gpgcheck=0/ /etc/yum.repos.d/lab.repo")
    assert "repository-unsigned" in told(ask(lab, "rpm01", "check", {}))
    sh(lab, "rpm01", "rm /etc/yum.repos.d/lab.repo")
    found = ask(lab, "rpm01", "check", {})
    assert "rlab-web" in found["facts"]["without_source"]
    assert "packages-without-source" in told(found)


def test_a_python_without_its_library_says_so(lab: Lab) -> None:
    stdlib = sh(lab, "web01", "dpkg-query -W -f '${Package} ' 'libpython3.*-stdlib'")
    sh(lab, "web01", f"dpkg --remove --force-depends {stdlib}")
    done = send(lab, "web01", "check", {})
    assert done.returncode == 126
    assert done.stderr.strip() == "sop-run: this Python is incomplete: No module named 'json'"
