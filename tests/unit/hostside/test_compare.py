"""Phase test: what a difference from the baseline means."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hostside import baseline, systemd, test
from hostside.answer import Answer

LONG_AGO = "1000000"


def unit(**values: str) -> dict[str, str]:
    usual = {
        "LoadState": "loaded",
        "ActiveState": "inactive",
        "SubState": "dead",
        "Result": "success",
        "UnitFileState": "enabled",
        "NRestarts": "0",
        "ActiveEnterTimestampMonotonic": LONG_AGO,
    }
    return {**usual, **values}


def lost(properties: dict[str, str], restarted: bool = False) -> dict[str, Any]:
    return dict(test.test_units(["web.service"], {"web.service": properties}, restarted)[1])


def test_an_enabled_unit_that_stopped_is_a_failure() -> None:
    found = lost(unit())
    assert (found["result"], found["required"]) == ("failed", True)
    assert "was active, is inactive" in found["evidence"]


@pytest.mark.parametrize(
    ("state", "restarted", "required"),
    [
        ("static", False, False),  # started on demand, ended well
        ("disabled", True, False),  # by hand before the restart
        ("disabled", False, True),  # by hand, and nothing but the update stopped it
        ("enabled", True, True),
    ],
)
def test_who_must_come_back(state: str, restarted: bool, required: bool) -> None:
    assert lost(unit(UnitFileState=state), restarted)["required"] is required


def test_a_failed_unit_must_come_back_whoever_started_it() -> None:
    failed = unit(ActiveState="failed", SubState="failed", Result="exit-code")
    assert lost({**failed, "UnitFileState": "static"})["required"]


def test_a_unit_that_does_not_stay_up_is_a_failure() -> None:
    now = str(int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6))
    found = lost(unit(ActiveState="active", NRestarts="7", ActiveEnterTimestampMonotonic=now))
    assert "restarted it 7 times" in found["evidence"]


def test_all_well_is_one_line() -> None:
    shown = {"web.service": unit(ActiveState="active")}
    found = test.test_units(["web.service"], shown, False)
    assert [(t["result"], t["evidence"][:6]) for t in found] == [("passed", "1 of 1")]


def test_units_that_failed_before_are_not_blamed_on_the_update() -> None:
    found = test.test_failed_units(["old.service", "new.service"], ["old.service"])
    assert {t["name"]: t["result"] for t in found} == {
        "old.service": "preexisting",
        "new.service": "failed",
    }


def test_a_closed_port_is_a_failure_and_a_new_one_is_not() -> None:
    found = test.test_ports(["tcp/22", "tcp/9000"], ["tcp/22", "tcp/80"])
    assert [t["name"] for t in found if t["result"] == "failed"] == ["tcp/80"]


@pytest.mark.parametrize(
    ("version", "result"), [("1.0", "passed"), ("1.1", "passed"), ("1.2", "failed"), ("", "failed")]
)
def test_a_package_is_at_one_of_two_versions(
    version: str, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline, "installed", lambda: {"web": version} if version else {})
    monkeypatch.setattr(baseline, "half_configured", list)
    monkeypatch.setattr(baseline, "package_key", lambda item: item["name"])
    items = [{"class": "system", "name": "web", "from": "1.0", "to": "1.1"}]
    found = test.test_packages({"items": items})
    assert found[-1]["result"] == result


def phase(request: dict[str, Any]) -> Answer:
    answer = Answer("test")
    test.run({"options": {}, **request}, answer)
    return answer


def test_without_a_baseline_only_the_offices_checks_run() -> None:
    answer = phase({"options": {"checks": [{"type": "command", "argv": ["true"]}]}})
    assert answer.status == "ok"
    assert [p["code"] for p in answer.problems] == ["no-baseline"]
    assert [t["result"] for t in answer.facts["tests"]] == ["passed"]


def test_a_wanted_check_does_not_fail_the_host_and_a_required_one_does() -> None:
    check = {"name": "mail", "type": "command", "argv": ["false"], "required": False}
    quick = {"settle_seconds": 0}
    assert phase({"options": {"checks": [check], **quick}}).status == "ok"
    answer = phase({"options": {"checks": [{**check, "required": True}], **quick}})
    assert answer.status == "failed"
    assert answer.problems[0]["code"] == "test-failed"


def test_a_baseline_of_this_machine_compares_well_with_itself() -> None:
    before = baseline.take({"items": [], "options": {"checks": []}})
    assert set(before) == {
        "boot_id",
        "active_units",
        "failed_units",
        "ports",
        "mounts",
        "disk",
        "packages",
        "checks",
    }
    before["ports"] = [p for p in before["ports"] if p == "tcp/22"]  # others come and go here
    assert phase({"baseline": before, "options": {"settle_seconds": 0}}).status == "ok"


def test_sessions_and_chance_do_not_count_as_ports() -> None:
    sockets = {
        ("0100007F", 6010),
        ("00000000", 6010 + 200),
        ("00000000", 45000),
        ("0100007F", 5432),
    }
    assert systemd.lasting(sockets, "tcp", 32768) == {"tcp/6210", "tcp/5432"}
