"""Changelogs: versions, entries, ids, urgency, and what is never claimed."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hostside import aptadvisories, changelog
from hostside.command import Result

LOG = """web (2.0-1) unstable; urgency=medium

  * Fix CVE-2026-1000 and CVE-2026-1000 again.

 -- X <x@example.com>  Mon, 02 Nov 2026 10:00:00 +0000

web (1.5-2) unstable; urgency=HIGH

  * USN-7000-1, cve-2025-12345; not CVE-20-1.

web (1.5-1) unstable; urgency=critical

  * CVE-2001-0001
"""


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1.0", "1.0", 0),
        ("1.0", "1.0-0", 0),
        ("1.0~rc1", "1.0", -1),
        ("1.0~~", "1.0~", -1),
        ("1.0a", "1.0+", -1),
        ("1.0", "1.0a", -1),
        ("1.10", "1.9", 1),
        ("1:0.1", "9.9", 1),
        ("1.0-1+b1", "1.0-1", 1),
        ("1.0-1ubuntu1", "1.0-1", 1),
        ("2.36-9+deb12u10", "2.36-9+deb12u9", 1),
        ("1.0-1~deb12u1", "1.0-1", -1),
        ("007", "7", 0),
    ],
)
def test_versions_are_ordered_as_debian_orders_them(left: str, right: str, expected: int) -> None:
    assert changelog.compare(left, right) == expected
    assert changelog.compare(right, left) == -expected
    if shutil.which("dpkg"):
        word = {-1: "lt", 0: "eq", 1: "gt"}[expected]
        argv = ["dpkg", "--compare-versions", left, word, right]
        assert subprocess.run(argv, check=False).returncode == 0


def test_only_entries_between_the_versions_count() -> None:
    entries = changelog.between(LOG, "1.5-1", "2.0-1")
    assert changelog.advisories(entries) == ["CVE-2025-12345", "CVE-2026-1000", "USN-7000-1"]
    assert changelog.urgency_of(entries) == "high"
    entries = changelog.between(LOG, "1.5-1", "1.5-2")
    assert changelog.advisories(entries) == ["CVE-2025-12345", "USN-7000-1"]


@pytest.mark.parametrize("text", ["", "<html>404</html>", LOG.replace("2.0-1", "1.9-1")])
def test_what_is_not_the_candidates_changelog_says_nothing(text: str) -> None:
    assert changelog.between(text, "1.5-1", "2.0-1") is None


@pytest.mark.parametrize(
    ("urgency", "severity"), [("low", ""), ("medium", ""), ("high", "high"), ("??", "")]
)
def test_urgency_becomes_a_severity_only_where_it_says_something(
    urgency: str, severity: str
) -> None:
    item = {"name": "web", "arch": "all", "class": "security", "from": "1", "to": "2"}
    (wanted,) = aptadvisories.group([item], {}, {"web": "1"})
    aptadvisories.take(wanted, f"web (2) x; urgency={urgency}\n  * CVE-2026-1\n")
    aptadvisories.fill(wanted)
    assert item["severity"] == severity


def test_packages_of_one_source_are_read_once_and_a_mere_rebuild_not_at_all() -> None:
    items: list[dict[str, Any]] = [
        {"name": n, "arch": "amd64", "class": k, "from": "1.0-1", "to": t}
        for n, k, t in [("a", "system", "2"), ("b", "security", "2"), ("c", "system", "1.0-1+b1")]
    ]
    records = {
        ("a", "2"): {"Source": "src (2.0-1)"},
        ("b", "2"): {"Source": "src (2.0-1)"},
        ("c", "1.0-1+b1"): {"Source": "c (1.0-1)"},
    }
    found = aptadvisories.group(items, records, {"a": "1.0-1", "b": "1.0-1", "c": "1.0-1"})
    assert [(w.package, w.after, [i["name"] for i in w.items]) for w in found] == [
        ("b", "2.0-1", ["b", "a"]),
        ("c", "1.0-1", ["c"]),
    ]
    assert found[1].entries == []


class Service:
    """Stands where apt would ask the network; counts calls."""

    def __init__(self, folder: Path, error: str) -> None:
        self.folder, self.error, self.calls = str(folder), error, 0

    def run(self, argv: list[str], **_: Any) -> Result:
        self.calls += 1
        return Result(argv, 100, "", self.error)


@pytest.mark.parametrize(
    ("error", "calls", "reason"),
    [
        ("E: …  Changelog unavailable for p0=2 (Could not resolve 'x')", 1, "Could not resolve"),
        ("E: …  Changelog unavailable for p0=2 (404  Not Found)", 3, "404"),
        ("E: …  Changelog unavailable for p0=2", 3, "names no changelog service"),
    ],
)
def test_a_dead_service_is_asked_once_and_a_living_one_for_all(
    tmp_path: Path, error: str, calls: int, reason: str
) -> None:
    items = [
        {"name": f"p{n}", "arch": "all", "class": "system", "from": "1", "to": "2"}
        for n in range(30)
    ]
    service = Service(tmp_path, error)
    found = aptadvisories.add(service, items, {}, {}, [str(tmp_path)])
    assert service.calls == calls
    assert (found["asked"], found["read"], len(found["missing"])) == (30, 0, 30)
    assert reason in found["reason"]


def test_a_package_that_is_none_has_no_changelog(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"!<arch>\nrubbish")
    assert aptadvisories.text_of_package(str(tmp_path / "x.deb"), "x") == ""
    assert aptadvisories.unpack(b"\x1f\x8brubbish") == ""
    assert tarfile.is_tarfile(tmp_path / "x.deb") is False


def test_the_day_of_the_oldest_fix_with_an_advisory():
    entries = [
        ("2", "", "  * CVE-2026-2\n -- A <a@b>  Fri, 03 Apr 2026 00:29:32 +0200"),
        ("1", "", "  * CVE-2026-1111\n -- A <a@b>  Sat, 24 Jan 2026 00:01:59 +0100"),
        ("0", "", "  * Import\n -- A <a@b>  Sat, 01 Nov 2025 12:54:37 +0100"),
    ]
    assert changelog.published(entries) == "2026-01-23", "by UTC; imports name no advisory"
    assert changelog.published(entries[2:]) == ""
    broken = [("1", "", "  * CVE-2026-1111\n -- A <a@b>  some day")]
    assert changelog.published(broken) == changelog.published([]) == ""
