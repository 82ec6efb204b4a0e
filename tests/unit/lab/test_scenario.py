"""The scenarios hang together: hosts, packages, pending updates, checks."""

from __future__ import annotations

import pytest

from orchestrator.lab.packages import PACKAGES, package
from orchestrator.lab.rpm import ADVISORIES, RPM_PACKAGES, rpm_package, spec, updateinfo
from orchestrator.lab.scenario import SCENARIOS, Scenario, demo_hosts, plan_hosts, scenario
from orchestrator.model.errors import UsageError

CHECK_KEYS = {"http": "url", "service": "unit", "port": "port", "command": "argv"}


def test_hosts_go_round_the_scenarios_in_their_order() -> None:
    names = [spec.name for spec in plan_hosts(full=13, rpm=3, thin=2)]
    assert names[:3] == ["web01", "sec01", "api01"]
    assert names[11:] == ["snap01", "web02", "rpm01", "rpmapi01", "suse01", "thin001", "thin002"]


def test_the_demo_shows_everything_that_it_promises() -> None:
    shown = {spec.scenario for spec in demo_hosts()}
    assert shown >= {"clean", "security", "breaks", "unreachable", "antivirus", "idle", "rpm"}
    assert "reboot" in shown


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        scenario("nope")
    assert "clean" in caught.value.hint


@pytest.mark.parametrize("shown", SCENARIOS, ids=lambda shown: shown.name)
def test_what_a_scenario_installs_exists_and_has_a_newer_version(shown: Scenario) -> None:
    for name, version in shown.install:
        if shown.kind == "rpm":
            newer = [p for p in RPM_PACKAGES if p.name == name and p.version > version]
            assert rpm_package(name, version)
            assert newer or name.startswith("lab-release")
        else:
            newer_debs = [p for p in PACKAGES if p.name == name and p.version > version]
            assert package(name, version)
            assert bool(newer_debs) == (shown.name != "idle")


@pytest.mark.parametrize("shown", SCENARIOS, ids=lambda shown: shown.name)
def test_checks_are_complete(shown: Scenario) -> None:
    assert shown.checks
    for check in shown.checks:
        assert CHECK_KEYS[str(check["type"])] in check
        assert check["name"]
        assert check["required"] is True


def test_every_advisory_is_about_a_package_in_updates() -> None:
    for advisory in ADVISORIES:
        assert rpm_package(advisory.package, advisory.version).repository == "updates"
        assert advisory.id in updateinfo()


def test_a_spec_names_files_and_script() -> None:
    text = spec(rpm_package("rlab-web", "1.1"))
    assert "install -D -p -m 0755 %{_sourcedir}/usr/bin/rlab-web" in text
    assert text.count("/usr/lib/systemd/system/rlab-web.service") == 3
    assert "%post\nif [ -d /run/systemd/system ]" in text
