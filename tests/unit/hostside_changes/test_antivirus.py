"""The antivirus phase: freshclam's recorded words, versions, clamd's address."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostside import antivirus, clamd, command

RECORDED = sorted((Path(__file__).parent / "freshclam").glob("*.txt"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_cause_of_recorded_runs(path: Path) -> None:
    """Each file is a real run against a mirror; its name is the problem code, `good` for none."""
    text = path.read_text(encoding="utf-8")
    result = command.Result(["freshclam"], int(text.split()[-1]), text, "")
    code = antivirus.cause(result)[0]
    if path.stem.startswith("good"):
        assert code == ""
    else:
        assert path.stem.startswith(code)
        assert code


def test_a_cause_is_told_without_freshclams_marks() -> None:
    text = "ERROR: Wed Nov 25 13:46:57 2026 -> Verification: Can't verify database integrity\n"
    code, message, _ = antivirus.cause(command.Result(["freshclam"], 7, text, ""))
    assert (code, message) == (
        "av-database-rejected",
        "Verification: Can't verify database integrity",
    )


def judged(to: str, before: str, after: str, code: str = "") -> str:
    item = {"class": "antivirus", "name": "clamav-db (daily)", "from": before, "to": to}
    old, new = ({"daily": version} if version else {} for version in (before, after))
    return str(antivirus.judge(item, old, new, code, "reason")["result"])


def test_approved_version_or_later() -> None:
    assert judged("6", "1", "6") == "updated"
    assert judged("6", "1", "7") == "updated"
    assert judged("6", "6", "6") == "unchanged"
    assert judged("6", "1", "1", "av-database-rejected") == "failed"
    assert judged("6", "1", "") == "failed"


def test_latest_needs_a_run_without_trouble() -> None:
    assert judged("latest", "1", "2") == "updated"
    assert judged("latest", "2", "2") == "unchanged"
    assert judged("latest", "2", "2", "av-cool-down") == "failed"


def test_eicar_is_whole_only_at_run_time() -> None:
    assert len(antivirus.eicar()) == 68
    for module in (Path(antivirus.__file__), Path(__file__)):
        assert antivirus.eicar() not in module.read_text(encoding="utf-8")


def test_clamd_address_and_version() -> None:
    assert clamd.parse_address("LogTime yes\nLocalSocket /run/clamav/clamd.ctl\n") == (
        "/run/clamav/clamd.ctl"
    )
    assert clamd.parse_address("TCPSocket 3310\nTCPAddr 127.0.0.1\n") == ("127.0.0.1", 3310)
    assert clamd.parse_address("#LocalSocket /x\n") is None
    assert clamd.daily_version("ClamAV 1.0.7/27393/Mon Sep  9 08:26:00 2024") == "27393"
    assert clamd.daily_version("ClamAV 1.0.7") == ""
