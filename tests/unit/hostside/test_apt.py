"""What apt's words mean: class, withheld reasons, restarts, and a metadata refresh that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostside import apt, aptlists, aptpolicy
from hostside.command import Result

UPGRADE = {"name": "web", "from": "1.0", "to": "1.2", "arch": "all", "sources": [("Lab", "lab")]}


@pytest.mark.parametrize(
    ("label", "suite", "security"),
    [
        ("Debian-Security", "stable-security", True),
        ("Debian-Security", "stable", True),
        ("Ubuntu", "jammy-security", True),
        ("UbuntuESMApps", "jammy-apps-security", True),
        ("UbuntuESM", "jammy-infra-updates", True),
        ("Lab-Security", "", True),
        ("Debian", "stable-updates", False),
        ("Insecurity", "stable", False),
    ],
)
def test_security_by_label_or_suite(label: str, suite: str, security: bool) -> None:
    assert apt.is_security(label, suite) is security


@pytest.mark.parametrize(
    ("newer", "kind"), [([], "system"), (["lab-updates", "lab-security"], "security")]
)
def test_a_security_version_that_was_passed_over_counts(newer: list[str], kind: str) -> None:
    policy = {"web": {"installed": "1.0", "candidate": "1.2", "newer": newer}}
    found = apt.build_item(UPGRADE, policy, {("web", "1.2"): {"Size": "7", "SHA256": "AB"}})
    assert (found["class"], found["size"], found["sha256"]) == (kind, 7, "ab")
    assert (found["from"], found["to"], found["source"]) == ("1.0", "1.2", "Lab:lab")


def test_a_version_above_the_candidate_does_not_count() -> None:
    text = (
        "web:\n  Installed: 1.0\n  Candidate: 1.1\n  Version table:\n"
        "     1.2 100\n        100 http://mirror.example lab-security/main amd64 Packages\n"
        "     1.1 500\n        500 http://mirror.example lab-updates/main amd64 Packages\n"
        " *** 1.0 100\n        100 /var/lib/dpkg/status\n"
    )
    assert aptpolicy.parse_policy(text)["web"]["newer"] == ["lab-updates"]


def test_withheld_packages_have_their_reason() -> None:
    policy = {n: {"installed": "1", "candidate": "2"} for n in ("held", "slow", "stuck", "late")}
    records = {("slow", "2"): {"Phased-Update-Percentage": "10"}}
    found = apt.build_withheld(["held", "slow", "stuck"], ["late"], {"held"}, policy, records)
    reasons = {entry["name"]: entry["reason"] for entry in found}
    assert reasons == {"held": "held", "slow": "phased", "stuck": "kept-back", "late": "phased"}


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("linux-image-6.1.0-40-amd64", True),
        ("libc6", True),
        ("libc6:i386", True),
        ("lab-kernel", True),
        ("systemd", True),
        ("kernel-wedge", False),
        ("systemd-timesyncd", False),
        ("no-such-package-at-all", False),
    ],
)
def test_which_packages_ask_for_a_restart(name: str, asks: bool) -> None:
    assert apt.asks_for_reboot(name) is asks


def test_a_maintainer_script_that_asks_for_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web.postinst").write_text("#!/bin/sh\ntouch /run/reboot-required\n")
    monkeypatch.setattr(apt, "INFO", str(tmp_path))
    assert apt.asks_for_reboot("web")


def test_exit_code_zero_does_not_hide_a_failed_source() -> None:
    words = "W: Failed to fetch http://mirror.example/InRelease  Could not resolve\n"
    with pytest.raises(aptlists.MetadataError, match=r"mirror\.example"):
        aptlists.finish_update(Result(["apt-get"], 0, "", words))


def test_a_mere_warning_is_kept_but_does_not_fail() -> None:
    words = "W: Target Packages (main) is configured multiple times in x.list:1 and y.list:1\n"
    kept = aptlists.finish_update(Result(["apt-get"], 0, "", words))
    assert kept == [words[3:].strip()]


def test_a_refresh_beyond_its_time_names_who_did_not_answer() -> None:
    out = "Get:1 http://a.example x InRelease\nIgn:2 http://b.example x InRelease\n"
    with pytest.raises(aptlists.MetadataError, match=r"without an answer: http://b\.example x"):
        aptlists.finish_update(Result(["apt-get"], None, out, ""))


def test_hooks_logs_and_caches_of_the_host_take_no_part() -> None:
    dump = (
        'APT::Update::Post-Invoke-Success:: "touch /etc/changed";\n'
        'DPkg::Post-Invoke:: "rm -rf /";\nDir::Log "var/log/apt";\nDir::Cache "var/cache/apt";\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
        'Acquire::AllowInsecureRepositories "1";\n'
    )
    assert aptlists.keep(dump) == 'Acquire::http::Proxy "http://proxy.example:3128";\n'


def test_seeding_copies_and_leaves_the_host_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "host", tmp_path / "own"
    source.mkdir()
    names = [
        "m_InRelease",
        "m_main_binary-amd64_Packages.lz4",
        "m_main_i18n_Translation-en",
        "lock",
    ]
    for name in names:
        (source / name).write_text(name)
    before: dict[str, Any] = {p.name: p.stat() for p in source.iterdir()}
    aptlists.seed(str(source), str(target))
    assert sorted(p.name for p in target.iterdir()) == [*names[:2], "partial"]
    assert {p.name: p.stat() for p in source.iterdir()}.keys() == before.keys()
    assert all((source / n).stat().st_mtime_ns == s.st_mtime_ns for n, s in before.items())


def test_no_lists_at_all_is_no_clean_bill(tmp_path: Path) -> None:
    with pytest.raises(aptlists.MetadataError, match="no package lists"):
        aptlists.require_lists(str(tmp_path))
