"""`sop-run schedule` and `monthly --if-due`, on this machine, which is only read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from orchestrator.journal.book import CycleBook, read_state
from orchestrator.model.schedule import Schedule
from orchestrator.office.load import load_office
from orchestrator.office.workdays import working_days
from orchestrator.sop.calendar import due_date
from orchestrator.workflow.schedule import look
from orchestrator.workflow.settings import resolve
from tests.local.conftest import LocalOffice

JAKARTA = ZoneInfo("Asia/Jakarta")


def set_schedule(office: LocalOffice, **keys: str) -> None:
    path = office.inventory / "office.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["schedule"] = keys
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_without_a_schedule_the_rule_s_place_is_named(new_office: LocalOffice) -> None:
    for words in (("schedule",), ("monthly", "--if-due")):
        called = new_office.run(*words)
        assert called.code == 2 and "has no schedule" in called.err, called.text
        assert "first working tuesday" in called.err


def test_a_wrong_rule_is_told_with_its_line(new_office: LocalOffice) -> None:
    set_schedule(new_office, rule="every tuesday", shift="up", time="25:00")
    called = new_office.run("schedule")
    assert called.code == 2 and "has 3 problems" in called.err
    for key in ("rule", "shift", "time"):
        assert f"schedule.{key}:" in called.err


def test_the_dates_are_those_of_the_rule_in_the_office_s_time(new_office: LocalOffice) -> None:
    set_schedule(new_office, rule="last working day", time="9:05")
    facts = json.loads(new_office.run("schedule", "--json", "--count", "14").out)
    assert facts["time"] == "09:05" and facts["timezone"] == "Asia/Jakarta"
    assert facts["words"] == "the last working day of the month"
    is_working = working_days(load_office(new_office.inventory / "office.yml"))
    assert len(facts["next"]) == 14
    for entry in facts["next"]:
        year, month = map(int, entry["period"].split("-"))
        day = due_date(Schedule(rule="last working day"), year, month, is_working)
        assert (entry["date"], entry["weekday"]) == (day.isoformat(), f"{day:%A}")
    text = new_office.run("schedule").out
    assert "due on the last working day of the month, at 09:05 Asia/Jakarta" in text
    assert facts["next"][0]["date"] in text


def test_a_call_that_is_not_due_does_nothing_and_one_that_is_opens_the_month(
    new_office: LocalOffice,
) -> None:
    called = new_office.run("monthly", "--if-due", "--period", "2026-11")
    assert called.code == 2 and "--if-due" in called.err
    set_schedule(new_office, rule="last working day")
    today = datetime.now(JAKARTA).date()
    is_working = working_days(load_office(new_office.inventory / "office.yml"))
    last = due_date(Schedule(rule="last working day"), today.year, today.month, is_working)
    called = new_office.run("monthly", "--if-due")
    if today < last:  # on the month's last days nothing can be not due
        assert called.code == 0 and f"is due on {last:%A} {last}, not today" in called.out
        assert not new_office.home.exists()
    # `day N` is moved towards the month's beginning, so of these one is due on every day.
    set_schedule(new_office, rule=f"day {today.day}", shift="previous")
    due = due_date(
        Schedule(rule=f"day {today.day}", shift="previous"), today.year, today.month, is_working
    )
    called = new_office.run("monthly", "--if-due")
    if due <= today:
        assert called.code == 3, called.text
        again = new_office.run("monthly", "--if-due")
        assert again.code == 0 and "is open already; people go on with it" in again.out
        cycle = f"{today:%Y-%m}"
        assert read_state(new_office.home / "cycles" / cycle).gate is not None


def test_a_timer_goes_on_with_a_first_check_that_was_cut_off_and_with_nothing_else(
    local_office: LocalOffice, tmp_path: Path
) -> None:
    set_schedule(local_office, rule="first working day")
    settings = resolve(local_office.inventory)
    office = load_office(settings.office)
    day = date(2026, 11, 25)
    assert look(settings, office, date(2026, 11, 1)).now is False
    assert look(settings, office, day).now is False, "it waits at step 3"
    assert look(settings, office, date(2026, 12, 1)).now is True
    words = ("return", "2026-11", "--as", "analis", "--key", local_office.key("analis"))
    assert local_office.run(*words, "--reason", "once more").code == 0
    assert look(settings, office, day).now is False, "what was sent back waits for a person"
    # The same cycle, cut off when it had just been opened.
    state = read_state(settings.cycle_folder("2026-11"))
    other = resolve(local_office.inventory, home=tmp_path / "other")
    body = {"cycle": "2026-11", "kind": "monthly", "office": office.model_dump(mode="json")}
    body |= {"hosts": list(state.hosts), "addresses": state.addresses, "tool_version": "x"}
    body |= {"previous_cycle": "", "previous_manifest": ""}
    with CycleBook(other.cycle_folder("2026-11"), create=True) as book:
        book.record("cycle.opened", body, step=1)
    due = look(other, office, day)
    assert due.now is True and "not finished" in due.words


def test_the_units_hold_for_systemd_whatever_the_paths_are(
    new_office: LocalOffice, tmp_path: Path
) -> None:
    odd = tmp_path / "kantor 100% $HOME 'a' \\b;c"
    shutil.copytree(new_office.folder, odd)
    office = LocalOffice(odd)
    set_schedule(office, rule="first working tuesday", time="08:30")
    folder = tmp_path / "units"
    called = office.run("schedule", "--write", folder, "--name", "kantor")
    assert called.code == 0, called.text
    assert sorted(p.name for p in folder.iterdir()) == ["kantor.service", "kantor.timer"]
    service = (folder / "kantor.service").read_text(encoding="utf-8")
    timer = (folder / "kantor.timer").read_text(encoding="utf-8")
    assert "\nSuccessExitStatus=1 3\n" in service and "\nPersistent=true\n" in timer
    assert '"monthly" "--if-due"' in service and str(odd / "inventory") not in service
    if shutil.which("systemd-analyze"):
        done = analyze("verify", "--man=no", folder / "kantor.timer", folder / "kantor.service")
        assert done.returncode == 0 and "kantor" not in done.stderr, done.stderr
        (when,) = [x for x in timer.splitlines() if x.startswith("OnCalendar=")]
        shown = analyze("calendar", when.removeprefix("OnCalendar="))
        assert shown.returncode == 0, shown.stderr
        (line,) = [x for x in shown.stdout.splitlines() if "Next elapse" in x]
        found = datetime.strptime(line.split(": ", 1)[1], "%a %Y-%m-%d %H:%M:%S UTC")
        local = found.replace(tzinfo=UTC).astimezone(JAKARTA)
        assert (local.hour, local.minute) == (8, 30)


def test_what_no_unit_can_hold_is_refused_and_nothing_is_written(
    new_office: LocalOffice, tmp_path: Path
) -> None:
    set_schedule(new_office, rule="day 1")
    folder = tmp_path / "units"
    cases = [
        (("--name", "../x"), "is no name for a unit"),
        (("--home", "/tmp/a\nb"), "control character"),
    ]
    if os.geteuid() == 0:
        cases.append((("--run-as", "nobody-here"), "there is no user"))
    for words, message in cases:
        called = new_office.run("schedule", "--write", folder, *words)
        assert (called.code, message in called.err) == (2, True), called.text
    assert not folder.exists()
