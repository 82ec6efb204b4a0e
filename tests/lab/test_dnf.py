"""dnf on a real host (an imitation of EL): exactly what was approved, with every script, or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.rpm import RpmPackage
from tests.lab.asked import told
from tests.lab.left import left_overs
from tests.lab.repository import copy_of, install_rpm, offer_rpm, swap
from tests.lab.rpmtries import HOST, LATE, REFUSALS, WORKER_ALONE, Item, Tries

pytestmark = pytest.mark.lab

OLD = (RpmPackage("rlab-late", "1.0", "baseos"), RpmPackage("rlab-epoch", "3.0", "baseos"))
NEW = (
    RpmPackage("rlab-late", "1.1", "updates", posttrans=LATE),  # after the old one was erased
    RpmPackage("rlab-epoch", "1.0", "updates", requires=("rlab-needed",), epoch=1),
    RpmPackage("rlab-needed", "2.0", "updates", epoch=7),
)
# dnf and the script that it runs, which would go on alone; the worker lives.
DNF_ALONE = "kill -9 $(pgrep -f '[C]hanges packages through dnf.s own') $(pgrep -f '[r]pm-tmp')"
LATE_VERSIONS = {"rlab-late": ["1.0-1.lab", "1.1-1.lab"]}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("dnf") / "lab", [HostSpec(HOST, "rpm", "rpm")], print)
    try:
        offer_rpm(made, copy_of(made, "rpm", "more"), *OLD, *NEW)
        swap(made, "rpm", "more")
        for package in OLD:
            install_rpm(made, HOST, made.directory / "www/rpm", package)
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


@pytest.fixture(scope="module")
def tries(lab: Lab) -> Tries:
    return Tries.on(lab)


@pytest.fixture
def late(tries: Tries) -> Iterator[list[Item]]:
    """The update with the late script; nothing of an earlier test sways it."""
    tries.sh("rm -f /run/lab-late /run/lab-fails")
    yield tries.items("rlab-late")
    assert tries.version("rlab-late") == "1.0", "every test puts it back"


@pytest.mark.parametrize("case", REFUSALS)
def test_other_than_approved_is_refused_before_anything_is_installed(
    tries: Tries, case: str
) -> None:
    tries.is_refused(case)


def test_an_excluded_package_is_held_and_what_needs_it_kept_back(tries: Tries) -> None:
    approved = tries.items("rlab-tool")
    tries.sh("cp /etc/dnf/dnf.conf /root; echo excludepkgs=rlab-tool >>/etc/dnf/dnf.conf")
    found = tries.check()
    refused = tries.update(approved)
    tries.sh("mv /root/dnf.conf /etc/dnf/dnf.conf")
    reasons = {row["name"]: row["reason"] for row in found["facts"]["withheld"]}
    assert reasons == {"rlab-tool": "held", "rlab-more": "kept-back"}
    assert refused["status"] == "superseded"
    assert told(refused)["candidate-changed"] == "rlab-tool: approved 1.1-1.lab, offered nothing"
    assert tries.version("rlab-tool") == "1.0"


def test_a_package_with_an_unknown_key_is_refused(tries: Tries) -> None:
    """Fault 8."""
    approved = tries.items("rlab-tool")
    tries.sh("rpm -e gpg-pubkey")
    refused = tries.update(approved)
    tries.sh("rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-lab")
    assert refused["status"] == "refused"
    assert "rlab-tool-1.1-1.lab.noarch" in told(refused)["package-signature"]
    assert tries.version("rlab-tool") == "1.0"


def test_a_kernel_lies_beside_the_old_one_and_goes_again(tries: Tries) -> None:
    tries.kernel_lies_beside_the_old_one_and_goes_again("packages")


def test_an_epoch_and_an_approved_new_package(tries: Tries) -> None:
    """Version 1.0 is newer than 3.0 by its epoch; both go back."""
    approved = tries.items("rlab-epoch")
    done = tries.update(approved, allow_new=tries.check()["facts"]["new_packages"])
    assert done["status"] == "ok", done["problems"]
    assert done["facts"]["packages_changed"] == {
        "rlab-epoch": ["3.0-1.lab", "1:1.0-1.lab"],
        "rlab-needed": ["", "7:2.0-1.lab"],
    }
    tries.restore(done, approved)
    assert tries.version("rlab-epoch") == "3.0"
    assert tries.lab.run(HOST, ["rpm", "-q", "rlab-needed"]).returncode != 0


def test_a_package_script_that_fails_is_a_failed_update(tries: Tries) -> None:
    """Fault 10: the files are there, what the script does is not."""
    approved = tries.items("rlab-script")
    done = tries.update(approved)
    assert done["status"] == "failed", done
    assert (
        "%post(rlab-script-1.1-1.lab.noarch) scriptlet failed, exit status 1"
        in (told(done)["install-failed"])
    )
    assert "repaired" not in told(done)
    assert "migration failed" in done["facts"]["log_tail"]
    tries.restore(done, approved)
    assert tries.version("rlab-script") == "1.0"


def test_killed_while_rpm_installs_and_asked_again(tries: Tries) -> None:
    tries.goes_on_after_a_cut()


def test_killed_in_the_last_script_which_then_runs_again(tries: Tries, late: list[Item]) -> None:
    """rpm has erased the old version: nothing but the missing outcome tells of the cut."""
    found = tries.cut_off(late)
    assert found["status"] == "ok", found["problems"]
    assert "duplicates-removed" not in told(found)
    assert tries.sh("cat /run/lab-late") == "ran"
    assert found["facts"]["packages_changed"] == LATE_VERSIONS
    tries.restore(found, late)


def test_what_is_installed_again_is_the_approved_file(tries: Tries, late: list[Item]) -> None:
    """Whoever signs can sign another file of that version; the cut does not let it in."""
    package = tries.lab.directory / "www/rpm/updates/rlab-late-1.1-1.lab.noarch.rpm"
    original = package.read_bytes()
    other = RpmPackage("rlab-late", "1.1", "updates", post="true", posttrans=LATE)

    def swap_files() -> None:
        tries.sh("rm -rf /var/cache/dnf /var/cache/sop-run")
        offer_rpm(tries.lab, tries.lab.directory / "www/rpm", other)

    found = tries.cut_off(late, meanwhile=swap_files)
    assert package.read_bytes() != original
    offer_rpm(tries.lab, tries.lab.directory / "www/rpm", NEW[0])
    assert found["status"] == "failed", found["problems"]
    assert "is not the approved file" in told(found)["wrong-sha256"]
    tries.restore(found, late)


def test_no_success_for_a_killed_dnf_though_every_version_is_there(
    tries: Tries, late: list[Item]
) -> None:
    found = tries.cut_off(late, DNF_ALONE)
    assert found["status"] == "failed", found
    assert "repaired" not in told(found)
    assert [item["after"] for item in found["items"]] == ["1.1-1.lab"]
    tries.restore(found, late)


@pytest.mark.parametrize("fails", [False, True])
def test_a_dnf_that_outlives_its_worker_is_believed(
    tries: Tries, late: list[Item], fails: bool
) -> None:
    """Its own outcome counts: nothing is installed twice, and a script that fails is not lost."""
    if fails:
        tries.sh("touch /run/lab-fails")
    found = tries.cut_off(late, WORKER_ALONE, seconds=3)
    assert tries.sh("cat /run/lab-late") == "ran"
    assert "recovered" in told(found)
    assert found["status"] == ("failed" if fails else "ok"), found["problems"]
    if fails:
        assert "%posttrans(rlab-late-1.1-1.lab.noarch)" in told(found)["install-failed"]
    tries.restore(found, late)
