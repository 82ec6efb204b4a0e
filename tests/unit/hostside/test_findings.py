"""What an officer should know of a host: release, sources, clock, restarts, room."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from hostside import aptsources, check, checkantivirus, clocksync, release, restarts, room
from hostside.answer import Answer
from hostside.findings import decided, told
from hostside.pending import Pending, item


@pytest.mark.parametrize(
    ("system", "today", "stage", "code"),
    [
        (("debian", "12"), "2024-01-01", "full", None),
        (("debian", "12"), "2026-11-23", "lts", None),
        (("debian", "12"), "2028-03-01", "lts", "release-near-end-of-life"),
        (("debian", "10"), "2026-11-23", "ended", "release-end-of-life"),
        (("ubuntu", "20.04"), "2026-11-23", "ended", "release-end-of-life"),
        (("ubuntu", "24.04"), "2029-05-31", "full", "release-near-end-of-life"),
        (("rocky", "9.4"), "2026-11-23", "full", None),
        (("rhel", "7.9"), "2026-11-23", "ended", "release-end-of-life"),
        (("debian", ""), "2026-11-23", "unknown", None),
        (("arch", "1"), "2026-11-23", "unknown", None),
    ],
)
def test_how_long_a_release_is_supported(
    system: tuple[str, str], today: str, stage: str, code: str | None, tmp_path: Path
) -> None:
    fact = release.support(*system, today, str(tmp_path))
    found = release.finding("X", fact, today)
    assert (fact["stage"], found[0] if found else None) == (stage, code)


def test_the_hosts_own_table_wins(tmp_path: Path) -> None:
    head = "version,codename,series,created,release,eol,eol-lts\n"
    (tmp_path / "debian.csv").write_text(f"{head}12,Bookworm,bookworm,a,b,2030-01-01,2031-01-01\n")
    fact = release.support("debian", "12", "2026-11-23", str(tmp_path))
    assert fact["until"] == "2031-01-01"
    assert fact["source"].endswith("debian.csv")
    assert "table of" in release.support("debian", "11", "2026-11-23", str(tmp_path))["source"]


def test_sources_without_proof(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "deb http://good.example stable main\n# deb [trusted=yes] http://off.example x y\n"
        "deb [arch=amd64 trusted=yes] http://me:secret@bad.example stable main\n"
        "deb-src [trusted=yes] http://src.example stable main\n"
    )
    (tmp_path / "sources.list.d/a.sources").write_text(
        "Types: deb\nURIs: http://blind.example\nSuites: x\nAllow-Insecure: yes\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: x\nTrusted: yes\n\n"
        "Types: deb\nURIs: http://good.example\nSuites: x\nSigned-By: /k.gpg\n"
    )
    dump = 'APT::Get::AllowUnauthenticated "1";\nAcquire::AllowInsecureRepositories "0";\n'
    found = aptsources.unsigned(dump, str(tmp_path))
    assert [line.split(": ", 1)[1] for line in found] == [
        "APT::Get::AllowUnauthenticated",
        "http://bad.example stable (trusted=yes)",
        "http://blind.example x (allow-insecure=yes)",
    ]
    assert "secret" not in "".join(found)


@pytest.mark.parametrize(
    ("synchronized", "offset", "where", "codes"),
    [
        (True, 0, "kvm", []),
        (None, None, "", []),
        (False, 0, "kvm", ["clock-unsynchronized"]),
        (False, 0, "systemd-nspawn", []),
        (True, 400, "none", ["clock-off"]),
        (False, -400, "none", ["clock-off", "clock-unsynchronized"]),
    ],
)
def test_clock(
    synchronized: bool | None, offset: float | None, where: str, codes: list[str]
) -> None:
    found = clocksync.findings({"synchronized": synchronized}, offset, where)
    assert [code for code, _ in found] == codes


def test_a_wait_on_the_host_is_no_fault_of_its_clock() -> None:
    """The time is compared as of when it came, however long a lock was waited for since."""
    assert clocksync.offset_of({}) is None
    arrived = time.monotonic() - 500
    came = {"clock": time.time() - 500, "arrived": arrived}
    offset = clocksync.offset_of(came)
    assert offset is not None and abs(offset) < 1
    ahead = clocksync.offset_of({**came, "clock": came["clock"] - 3600})
    assert ahead is not None and abs(ahead - 3600) < 1


def test_the_kernel_is_asked_for_its_clock() -> None:
    assert clocksync.kernel_synchronized() in (True, False, None)
    assert clocksync.parse_tracking("506 Cannot talk to daemon") is None


def test_needrestart_with_a_newer_kernel() -> None:
    text = "NEEDRESTART-VER: 3.6\nNEEDRESTART-KCUR: 6.1.0-1\nNEEDRESTART-KSTA: 3\n"
    assert restarts.parse_needrestart(text) == ([], True)


@pytest.mark.parametrize(
    ("disk", "words"),
    [
        ({"total": 100 << 30, "free": 6 << 30, "free_inodes": None}, ""),
        ({"total": 100 << 30, "free": 4 << 30, "free_inodes": None}, "4096 MB free of 102400"),
        ({"total": 1 << 30, "free": 1 << 29, "free_inodes": 10}, "10 free inodes"),
    ],
)
def test_little_room(disk: dict[str, Any], words: str) -> None:
    found = room.low({"mount": "/var", **disk})
    assert bool(found) == bool(words)
    assert words in "".join(found)


def test_the_age_of_antivirus_databases() -> None:
    daily = {"name": "daily", "version": "9", "built": "2026-11-01T00:00:00Z"}
    now = checkantivirus.seconds("2026-11-10T12:00:00Z")
    assert checkantivirus.too_old([daily], 9, now) == ""
    assert "9 days ago (limit 8)" in checkantivirus.too_old([daily], 8, now)
    assert "no daily" in checkantivirus.too_old([], 8, now)
    assert "does not say" in checkantivirus.too_old([{**daily, "built": ""}], 8, now)


def findings_of(found: Pending) -> dict[str, str]:
    answer = Answer("check")
    check.take(answer, found)
    return {p["code"]: p["message"] for p in answer.problems}


def test_packages_without_source_are_named_or_counted() -> None:
    found = Pending()
    found.installed, found.without_source = 100, [f"p{n:02}" for n in range(25)]
    assert findings_of(found)["packages-without-source"].endswith("p19 and 5 more")
    found.installed = 30
    assert "25 of 30 installed packages" in findings_of(found)["packages-without-source"]
    found.without_source = None
    assert findings_of(found) == {}


def test_missing_changelogs_matter_for_security_items_only() -> None:
    found = Pending()
    found.items = [item("system", "a", "all", "1", "2")]
    found.advisories = {"asked": 2, "read": 0, "missing": ["a", "b"], "reason": "gone"}
    assert findings_of(found) == {}
    found.items.append(item("security", "b", "all", "1", "2"))
    assert findings_of(found)["advisories-unavailable"] == "no changelog was read for: b (gone)"


def test_what_decides_is_told_first() -> None:
    found = Answer("check")
    told(found, "clock-unsynchronized", "a remark")
    decided(found, "failed", "bad-option", "the reason")
    decided(found, "refused", "bad-check", "said later")
    assert [p["code"] for p in found.problems] == [
        "bad-option",
        "clock-unsynchronized",
        "bad-check",
    ]
    assert found.status == "failed"
    pending = Pending()
    pending.note("metadata-warning", "a remark")
    pending.fail("pending-list-failed", "the reason")
    pending.fail("metadata-refresh-failed", "said later")
    assert [code for code, _, _ in pending.problems] == [
        "pending-list-failed",
        "metadata-warning",
        "metadata-refresh-failed",
    ]
