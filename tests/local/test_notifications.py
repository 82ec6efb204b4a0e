"""Notifications arrive at real services on loopback, once each, and never stop a cycle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.journal.book import read_state
from tests.local.conftest import LocalOffice
from tests.local.listeners import Received, mail_server, web_hook

PERIOD = ("monthly", "--period", "2026-11")
TOKEN = "Rahasia-Token-4711"  # in the address, as chat services have it


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached directly, whatever proxy this machine uses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def hook() -> Iterator[Received]:
    with web_hook() as received:
        received.address += f"/hook/{TOKEN}"
        yield received


def notify(office: LocalOffice, *targets: dict[str, Any], mode: int = 0o600, **more: Any) -> Path:
    path = office.inventory / "notifications.yml"
    path.write_text(yaml.safe_dump({"targets": list(targets), **more}), encoding="utf-8")
    path.chmod(mode)
    return path


def titles(received: Received) -> list[str]:
    return [str(m["title"]) for m in received.take()]


def test_a_gate_is_told_to_whom_it_concerns_once_with_the_command(
    local_office: LocalOffice, hook: Received
) -> None:
    with mail_server() as mail:
        notify(
            local_office,
            {"name": "everybody", "url": hook.address},
            {"name": "kepala", "url": mail.address, "events": ["gate"], "roles": ["kepala"]},
        )
        head = local_office.facts()["journal_head"]
        assert local_office.run(*PERIOD).code == 3
        (told,) = hook.take()
        assert "menunggu tanda tangan (langkah 3)" in told["title"]
        assert "Analis Sistem Informasi dan Jaringan" in told["message"]
        assert "sop-run sign 2026-11 --as analis --key PRIVATE_KEY_FILE" in told["message"]
        assert mail.take() == [], "step 3 is not the Kepala's"
        assert local_office.run(*PERIOD).code == 3
        assert hook.take() == [], "the same gate, told already"
        assert local_office.facts()["journal_head"] == head, "the record knows nothing of it"

        signed = local_office.sign("analis", *local_office.defer_all())
        assert signed.code == 3 and "notified" not in signed.err, signed.text
        (title,) = titles(hook)
        assert "langkah 4" in title
        (letter,) = mail.take()
        assert "langkah 4" in letter["title"] and letter["to"] == "kepala@example.test"
        assert "--as kepala" in letter["message"]
    # No package of any host is named, and no secret is kept anywhere but in the file itself.
    plan = read_state(local_office.home / "cycles/2026-11").plan
    assert plan is not None
    for item in plan.items:
        assert item.to_version not in told["message"] + letter["message"]
    for path in local_office.folder.rglob("*"):
        if path.is_file() and path.name != "notifications.yml":
            assert TOKEN.encode() not in path.read_bytes(), path


def test_a_whole_cycle_tells_each_thing_once(local_office: LocalOffice, hook: Received) -> None:
    notify(local_office, {"name": "all", "url": hook.address})
    local_office.sign("analis", *local_office.defer_all())
    local_office.sign("kepala")
    local_office.run(*PERIOD)
    for officer in ("analis", "pengelola", "jf", "kepala"):
        local_office.sign(officer)
    for _ in range(2):
        local_office.run(*PERIOD)
    found = titles(hook)
    steps = [t.split("langkah ")[1].rstrip(")") for t in found if "langkah" in t]
    assert steps == ["4", "8", "10", "11"], found
    assert found[-1].endswith("siklus 2026-11 selesai") and len(found) == 5
    assert local_office.run("audit", "2026-11").code == 0


def test_a_service_that_fails_stops_nothing_and_is_tried_again(
    local_office: LocalOffice, hook: Received
) -> None:
    notify(local_office, {"name": "obrolan", "url": hook.address},
           {"name": "nowhere", "url": f"json://127.0.0.1:9/{TOKEN}"})  # fmt: skip
    hook.status = 500
    called = local_office.run(*PERIOD)
    assert called.code == 3 and "waits for a signature" in called.out
    assert "obrolan was not notified (gate)" in called.err
    assert "nowhere was not notified (gate)" in called.err
    assert TOKEN not in called.text
    hook.status = 200
    called = local_office.run(*PERIOD)
    assert called.code == 3 and "obrolan" not in called.err and "nowhere" in called.err
    assert len(hook.take()) == 1
    local_office.run(*PERIOD)
    assert hook.take() == []


def test_what_was_begun_and_never_ended_is_not_sent_twice(
    local_office: LocalOffice, hook: Received
) -> None:
    notify(local_office, {"name": "a", "url": hook.address}, {"name": "b", "url": hook.address})
    local_office.run(*PERIOD)
    assert len(hook.take()) == 2
    book = local_office.home / "notified.jsonl"
    entries = [json.loads(line) for line in book.read_text().splitlines()]
    assert [e["result"] for e in entries] == ["begun", "sent", "begun", "sent"]
    assert book.stat().st_mode & 0o777 == 0o600
    # As a kill -9 while sending to b leaves it, with a line cut short.
    kept = "".join(json.dumps(e) + "\n" for e in entries[:3]) + '{"at": "20'
    book.write_text(kept)
    assert local_office.run(*PERIOD).code == 3
    assert hook.take() == []


def test_a_run_that_cannot_go_on_is_told_without_details_unless_wanted(
    new_office: LocalOffice, hook: Received
) -> None:
    notify(new_office, {"name": "all", "url": hook.address, "events": ["aborted"]})
    office = new_office.inventory / "office.yml"
    good = office.read_text(encoding="utf-8")
    schedule = "\nschedule: {rule: first working day, shift: up}\n"
    office.write_text(good + schedule, encoding="utf-8")
    assert new_office.run(*PERIOD).code == 2
    assert hook.take() == [], "somebody sits at the terminal"
    for _ in range(2):
        assert new_office.run("monthly", "--if-due").code == 2
    (told,) = hook.take()
    assert "terhenti" in told["title"] and "shift" not in told["message"]
    notify(new_office, {"name": "more", "url": hook.address}, details=True)
    assert new_office.run("monthly", "--if-due").code == 2
    (told,) = hook.take()
    assert "schedule.shift" in told["message"]


def test_a_file_that_others_can_read_is_not_used(local_office: LocalOffice, hook: Received) -> None:
    path = notify(local_office, {"name": "all", "url": hook.address}, mode=0o644)
    called = local_office.run(*PERIOD)
    assert called.code == 3 and "nobody was notified" in called.err and "0644" in called.err
    assert hook.take() == []
    called = local_office.run("notify", "--test")
    assert called.code == 2 and f"chmod 600 {path}" in called.err
    doctor = json.loads(local_office.run("doctor", "--json").out)
    assert [x["fix"] for x in doctor["office"] if x["name"] == "notifications"] == [
        f"chmod 600 {path}"
    ]


def test_wrong_targets_are_told_with_their_line_and_without_the_address(
    local_office: LocalOffice,
) -> None:
    notify(
        local_office,
        {"name": "a", "url": TOKEN},
        {"name": "b", "url": f"json://{TOKEN}", "events": ["everything"]},
        {"name": "c", "url": f"json://{TOKEN}", "role": ["kepala"]},
    )
    called = local_office.run("notify")
    assert called.code == 2 and "has 3 problems" in called.err, called.text
    for words in ("targets.0.url: it is no address", "targets.1.events.0", "targets.2.role"):
        assert words in called.err
    assert TOKEN not in called.text
    assert called.err.count("notifications.yml:") == 3


def test_trying_the_targets(local_office: LocalOffice, hook: Received) -> None:
    called = local_office.run("notify")
    assert called.code == 0 and "Nobody is notified" in called.out
    assert local_office.run("notify", "--test").code == 2
    notify(local_office, {"name": "obrolan", "url": hook.address},
           {"name": "aneh", "url": f"nosuch://{TOKEN}@example.test"})  # fmt: skip
    called = local_office.run("notify", "--test")
    assert called.code == 1, called.text
    assert "→ sent" in called.out and "NOT sent: apprise does not know such" in called.out
    assert TOKEN not in called.text
    (told,) = hook.take()
    assert '"obrolan"' in told["message"]
    facts = json.loads(local_office.run("notify", "--json").out)
    assert [f["kind"] for f in facts] == ["json", "nosuch"] and TOKEN not in json.dumps(facts)


def test_addresses_from_the_environment(
    local_office: LocalOffice, hook: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOP_RUN_NOTIFY_URLS", f"{hook.address} {hook.address}/2")
    assert local_office.run(*PERIOD).code == 3
    assert len(hook.take()) == 2
    monkeypatch.setenv("SOP_RUN_NOTIFY_URLS", TOKEN)
    called = local_office.run("notify")
    assert called.code == 2 and "SOP_RUN_NOTIFY_URLS" in called.err and TOKEN not in called.text


def test_without_apprise_it_is_said_how_to_install_it(
    local_office: LocalOffice, hook: Received, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(local_office, {"name": "all", "url": hook.address})
    # As if the extra were not installed: a module that hides it, before it is looked for.
    hide = "import sys\nclass H:\n    def find_spec(self, n, *a):\n        pass\n"
    hide += "sys.modules['apprise'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(hide)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    called = local_office.run(*PERIOD)
    assert called.code == 3 and "apprise is not installed" in called.err, called.text
    assert "-m pip install apprise" in called.err
    called = local_office.run("notify", "--test")
    assert called.code == 4 and "pip install apprise" in called.err


def test_a_run_for_a_machine_to_read_tells_as_well_and_a_dry_run_never(
    local_office: LocalOffice, hook: Received
) -> None:
    notify(local_office, {"name": "everybody", "url": hook.address})
    for words in (("--dry-run",), ("--dry-run", "--json")):
        assert local_office.run(*PERIOD, *words).code in (0, 1)
        assert titles(hook) == []
    assert json.loads(local_office.run(*PERIOD, "--json").out)["exit_code"] == 3
    assert len(titles(hook)) == 1
