"""What was approved is what is installed: staged files, new packages and removals of the plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab.lab import HostSpec, Lab
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs
from tests.lab.month import Month, set_rules, set_variables
from tests.lab.repository import Deb, copy_of, install, offer, swap, use

pytestmark = pytest.mark.lab

HOSTS = [
    HostSpec("needs01", "full", "tool"),
    HostSpec("back01", "full", "tool"),
    HostSpec("beyond01", "full", "tool"),
    HostSpec("pinned01", "full", "tool"),
    HostSpec("rpm01", "rpm", "rpm"),
]
OLD = (
    Deb("lab-needs", "1.0"),
    Deb("lab-old", "1.0", files={"/usr/share/lab-old/data": "kept\n"}),
    Deb("lab-replacer", "1.0"),
)
BROUGHT = Deb("lab-brought", "2.5", files={"/usr/share/lab-brought/data": "new\n"})
NEEDS = Deb("lab-needs", "1.1", depends="lab-brought (>= 2.5)")
REPLACER = Deb("lab-replacer", "1.1", fields="Conflicts: lab-old\nReplaces: lab-old\n")
STAGED = "var/cache/sop-run/staged"
VERSIONS = "dpkg-query -W -f '${Package}=${Version} ' 'lab-*'"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(tmp_path_factory.mktemp("staging") / "lab", HOSTS, print)
    try:
        offer(made, copy_of(made, "debian", "effects"), NEEDS, BROUGHT, REPLACER)
        more = Deb("lab-needs", "1.1", depends="lab-brought (>= 2.5), lab-extra")
        offer(
            made, copy_of(made, "debian", "later"), more, BROUGHT, REPLACER, Deb("lab-extra", "1")
        )
        for host in ("needs01", "back01", "beyond01"):
            use(made, host, "effects")
            for package in OLD:
                install(made, host, package)
        pin = "Package: lab-tool\nPin: version 1.0\nPin-Priority: 1001\n"
        (made.root("pinned01") / "etc/apt/preferences.d/office").write_text(pin)
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


@pytest.fixture(scope="module")
def month(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Month:
    """A cycle in which, between check and update, the mirrors lose every package file."""
    made = Month(lab, tmp_path_factory.mktemp("month") / "home")
    set_rules(lab, canary=1, wave=10, abort_limit=5)
    lost = {"name": "data", "type": "file", "path": "/usr/share/lab-old/data"}
    set_variables(lab, "back01", backup_method="packages", test_checks=[lost])
    assert made.monthly().code == 3
    made.sign("analis")
    made.sign("kepala")
    for package in (lab.directory / "www/effects/pool").rglob("*.deb"):
        package.unlink()
    copy_of(lab, "rpm", "rpm-copy")
    for package in (lab.directory / "www/rpm-copy/updates").glob("*.rpm"):
        package.unlink()
    swap(lab, "rpm", "rpm-copy")
    # The same versions, which now need one package more:
    use(lab, "beyond01", "later", instead_of="effects")
    assert made.monthly().code == 3
    return made


def index(lab: Lab, package: str) -> str:
    """What the signed index of the repository says of a package."""
    (path,) = (lab.directory / "www/effects/dists/lab-security").rglob("Packages")
    (found,) = [p for p in path.read_text().split("\n\n") if p.startswith(f"Package: {package}\n")]
    return found


def test_the_plan_names_what_comes_and_goes_besides_the_items(month: Month) -> None:
    plan = month.state.plan
    assert plan is not None
    effects = {p.host: p.side_effects for p in plan.parts if p.new or p.removals}
    assert set(effects) == {"needs01", "back01", "beyond01"}
    (new,) = effects["needs01"].new
    assert (new.name, new.version, new.arch) == ("lab-brought", "2.5", "all")
    assert f"SHA256: {new.sha256}\n" in index(month.lab, "lab-brought")
    assert effects["needs01"].removals == ("lab-old",)


def test_the_check_staged_every_file_and_said_so(month: Month) -> None:
    staged = month.evidence("needs01", "check")["facts"]["staged"]
    assert (staged["files"], staged["missing"], staged["reason"]) == (4, [], "")
    assert month.evidence("rpm01", "check")["facts"]["staged"]["files"] == 2


def test_a_mirror_that_lost_the_files_does_no_harm(month: Month) -> None:
    assert month.verdict("needs01") == "updated", month.reason("needs01")
    assert month.verdict("rpm01") == "updated", month.reason("rpm01")
    versions = month.ask("needs01", "sh", "-c", VERSIONS)
    assert "lab-brought=2.5" in versions and "lab-needs=1.1" in versions
    assert "lab-old=1.0" not in versions
    changed = month.evidence("needs01", "update")["facts"]["packages_changed"]
    assert changed["lab-brought"] == ["", "2.5"] and changed["lab-old"] == ["1.0", ""]


def test_what_was_installed_is_not_kept_any_longer(month: Month) -> None:
    for host in ("needs01", "rpm01"):
        left = [p.name for p in (month.lab.root(host) / STAGED).glob("*") if p.is_file()]
        assert left == [], host


def test_a_restore_brings_removed_packages_back_and_takes_new_ones_away(month: Month) -> None:
    assert month.verdict("back01") == "rolled-back", month.reason("back01")
    assert month.evidence("back01", "backup")["facts"]["backup"]["method"] == "packages"
    versions = set(month.ask("back01", "sh", "-c", VERSIONS).split())
    assert {"lab-needs=1.0", "lab-old=1.0", "lab-replacer=1.0"} <= versions
    assert not any(v.startswith("lab-brought") and v != "lab-brought=" for v in versions)
    assert month.ask("back01", "cat", "/usr/share/lab-old/data") == "kept"
    assert month.ask("back01", "dpkg", "--audit") == ""


def test_a_package_that_nobody_approved_is_not_installed(month: Month) -> None:
    assert month.verdict("beyond01") == "refused", month.reason("beyond01")
    assert "would install lab-extra 1" in month.reason("beyond01")
    versions = month.ask("beyond01", "sh", "-c", VERSIONS).split()
    assert "lab-needs=1.0" in versions and "lab-old=1.0" in versions


def test_a_pinned_package_is_told_apart(month: Month) -> None:
    withheld = month.evidence("pinned01", "check")["facts"]["withheld"]
    assert withheld == [{"name": "lab-tool", "from": "1.0", "to": "1.1", "reason": "pinned"}]


def test_documents_name_what_comes_and_goes(month: Month, tmp_path: Path) -> None:
    from pypdf import PdfReader

    reader = PdfReader(month.home / "cycles/2026-11/documents/disposisi.pdf")
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "lab-brought 2.5" in text and "lab-old" in text


def test_staging_is_refused_where_there_is_no_room(lab: Lab) -> None:
    found = ask(lab, "beyond01", "check", {"stage": True, "reserve_mb": 10**7})
    assert "may be used" in told(found)["staging-failed"]
    assert found["status"] == "ok" and found["items"]
    assert "lab-extra" in found["facts"]["staged"]["missing"]


def test_a_file_that_is_not_the_signed_one_is_not_staged(lab: Lab) -> None:
    path = lab.directory / "www/later/pool/lab-security" / NEEDS.file_name
    intact = path.read_bytes()
    path.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    found = ask(lab, "beyond01", "check", {"stage": True})
    path.write_bytes(intact)
    assert "lab-needs" in told(found)["staging-failed"]
    assert "lab-needs" in found["facts"]["staged"]["missing"]
    again = ask(lab, "beyond01", "check", {"stage": True})
    assert again["facts"]["staged"]["missing"] == []


def test_without_staging_nothing_stays(lab: Lab) -> None:
    sh(lab, "pinned01", "rm -rf /var/cache/sop-run")
    found = ask(lab, "pinned01", "check", {})
    assert found["facts"]["staged"] is None
    assert not (lab.root("pinned01") / "var/cache/sop-run").exists()
