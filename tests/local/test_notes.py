"""Overruns, their reasons, notes and a draft that is sent back: from the command line."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypdf import PdfReader

from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.store import read_entries
from tests.cli import SOP_RUN
from tests.local.aged import age
from tests.local.conftest import LocalOffice

PERIOD = ("monthly", "--period", "2026-11")
ALWAYS = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "00:00-24:00"
)
OPEN = {**ALWAYS, "national_holidays": False, "collective_leave": False}


def edit(office: LocalOffice, **sections: Any) -> None:
    path = office.inventory / "office.yml"
    whole = yaml.safe_load(path.read_text(encoding="utf-8")) | sections
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")


@pytest.fixture
def late_office(local_office: LocalOffice) -> LocalOffice:
    """An office that never closes, whose step 3 has been open for an hour and a half."""
    edit(local_office, working_time=OPEN)
    age(cycle(local_office), timedelta(minutes=90), check_seconds=9000.0)
    return local_office


def cycle(office: LocalOffice) -> Path:
    return office.home / "cycles/2026-11"


def words_of(path: Path) -> str:
    text = "".join(page.extract_text() for page in PdfReader(path).pages)
    return re.sub(r"[\s\u200b]", "", text)


def note(office: LocalOffice, step: int, text: str, *more: str | Path, who: str = "analis") -> Any:
    return office.run("note", "2026-11", "--step", str(step), "--as", who, text, *more)


def test_the_calendar_is_on_record_before_anything_is_measured(local_office: LocalOffice) -> None:
    kinds = [e.kind for e in read_entries(cycle(local_office) / "journal.db")]
    assert kinds[:2] == ["cycle.opened", "calendar.recorded"]
    record = read_state(cycle(local_office)).holidays
    assert record is not None and record.days and record.source.startswith("holidays ")
    assert local_office.run(*PERIOD).code == 3
    assert [e.kind for e in read_entries(cycle(local_office) / "journal.db")] == kinds


def test_status_shows_times_against_the_standard(late_office: LocalOffice) -> None:
    called = late_office.run("status", "2026-11")
    assert re.search(r"^ *2  check .* 120 min +150  LATE", called.out, re.MULTILINE), called.out
    # Until office.yml is read for a command that writes, the shipped hours count for step 3.
    late_office.run(*PERIOD)
    called = late_office.run("status", "2026-11")
    assert re.search(r"^ *3  confirm .* 15 min +9\d…  LATE", called.out, re.MULTILINE), called.out
    assert "reason missing (tanpa alasan); add it with:" in called.out
    assert "sop-run note 2026-11 --step 3 --kind overrun --as OFFICER TEXT" in called.out
    facts = late_office.facts()["steps"]
    assert facts["2"]["late"] and facts["2"]["counted"] == "machine"
    assert facts["3"]["running"] and facts["3"]["standard_minutes"] == 15


def test_an_overrun_without_reason_is_reported_and_not_refused(late_office: LocalOffice) -> None:
    called = late_office.sign("analis", *late_office.defer_all())
    assert called.code == 3
    for step in (2, 3):
        assert f"Step {step} took" in called.out, called.out
    assert called.out.count("reason missing") == 2
    assert note(late_office, 3, "cuti bersama").code == 0
    called = note(late_office, 2, "mirror lambat", "--kind", "overrun", who="pengelola")
    assert "noted at step 2 as overrun, unsigned, by" in called.out
    status = late_office.run("status", "2026-11").out
    assert "reason: cuti bersama (as analis, unsigned, by " in status
    assert "reason missing" not in status
    assert late_office.run("audit", "2026-11").code == 0


def test_reasons_are_signed_with_the_gate(late_office: LocalOffice) -> None:
    head = late_office.facts()["journal_head"]
    for words, message in (
        (("--overrun-reason", "4=x"), "step 4 did not take longer"),
        (("--overrun-reason", "a", "--overrun-reason", "b"), "stands twice"),
        (("--overrun-reason", " "), "is empty"),
    ):
        called = late_office.sign("analis", *words)
        assert called.code == 2 and message in called.err, called.text
    assert late_office.run("status", "2026-11").code == 0
    state = read_state(cycle(late_office))
    assert not state.signatures and not state.notes, head
    reasons = ("--overrun-reason", "2=mirror lambat", "--overrun-reason", "rapat = lama")
    called = late_office.sign("analis", *late_office.defer_all(), *reasons)
    assert called.code == 3 and "reason missing" not in called.out, called.text
    assert "reason: rapat = lama (analis, signed)" in called.out
    facts = late_office.facts()["steps"]
    assert [r["text"] for r in facts["2"]["reasons"]] == ["mirror lambat"]
    assert facts["2"]["reasons"][0]["signed"] and facts["2"]["reasons"][0]["by"] == "analis"
    refused = late_office.sign("kepala", "--overrun-reason", "x")
    assert refused.code == 2 and "no step took longer" in refused.err
    assert late_office.run("audit", "2026-11").code == 0


def test_a_terminal_is_asked(late_office: LocalOffice) -> None:
    ours, theirs = pty.openpty()
    words = [str(SOP_RUN), "sign", "2026-11", "--as", "analis", "--key", late_office.key("analis"),
             "--inventory", late_office.inventory, *late_office.defer_all()]  # fmt: skip
    late_office.run(*PERIOD)  # so that the open hours are on record
    with subprocess.Popen(
        [str(w) for w in words], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as running:  # fmt: skip
        os.write(ours, b"\nrapat\n")
        out, errors = running.communicate(timeout=300)
    os.close(ours)
    os.close(theirs)
    assert running.returncode == 3, errors
    assert "Step 2 took 150 min, standard 120 min (machine time)." in errors
    assert "Why? (empty: no reason)" in errors
    assert "reason: rapat (analis, signed)" in out and out.count("reason missing") == 1


def test_notes_that_are_refused(late_office: LocalOffice) -> None:
    before = [e.kind for e in read_entries(cycle(late_office) / "journal.db")]
    for step, text, more, message in (
        (3, " ", (), "says something"),
        (3, "x" * 1001, (), "at most 1000 characters"),
        (14, "x", (), "there is no step 14"),
        (4, "x", ("--kind", "overrun"), "step 4 has not begun"),
        (3, "x", ("--key", late_office.key("kepala")), "is not a valid key of officer"),
    ):
        called = note(late_office, step, text, *more)
        assert called.code == 2 and message in called.err, called.text
    called = note(late_office, 3, "x", who="nobody")
    assert called.code == 2 and "no officer 'nobody'" in called.err
    after = [e.kind for e in read_entries(cycle(late_office) / "journal.db")]
    assert "note.added" not in after
    assert set(after[len(before) :]) <= {"office.changed", "calendar.recorded"}


def test_a_signed_note_is_verified_by_the_audit(local_office: LocalOffice) -> None:
    called = note(local_office, 2, "satu peladen baru", "--key", local_office.key("analis"))
    assert called.code == 0 and "as remark, signed by analis" in called.out, called.text
    audit = local_office.run("audit", "2026-11")
    assert audit.code == 0 and "signature: step 2 by analis (journal entry" in audit.out
    entry = next(e for e in read_entries(cycle(local_office) / "journal.db")
                 if e.kind == "note.added")  # fmt: skip
    with CycleBook(cycle(local_office)) as book, pytest.raises(IllegalEntry, match="replay"):
        book.record("note.added", entry.body, step=2, actor="analis")
    with CycleBook(cycle(local_office)) as book:  # a forger who writes the journal itself
        statement = json.loads(entry.body["statement"]) | {"journal_head": book.state.head}
        text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        book.record("note.added", entry.body | {"statement": text}, step=2, actor="analis")
    audit = local_office.run("audit", "2026-11")
    assert audit.code == 1 and "First failure: signature: step 2 by analis" in audit.out


def test_a_returned_draft_waits_for_the_drafter_and_takes_his_notes(
    local_office: LocalOffice,
) -> None:
    draft = cycle(local_office) / "documents/laporan-hasil-update-draf.pdf"
    assert local_office.sign("analis", *local_office.defer_all()).code == 3
    assert local_office.sign("kepala").code == 0
    assert local_office.run(*PERIOD).code == 3
    assert local_office.sign("analis").code == 3
    assert local_office.sign("pengelola").code == 3
    first = draft.read_bytes()
    early = note(local_office, 9, "x", who="pengelola")
    assert early.code == 2 and "nobody verified" in early.err and "send it back" in early.err

    words = ("return", "2026-11", "--as", "jf", "--key", local_office.key("jf"))
    called = local_office.run(*words, "--reason", "alasan penundaan kurang jelas")
    assert called.code == 0, called.text
    assert "Step 10 (jf) sent it back to step 9:" in called.out
    assert "note 2026-11 --step 9 --as pengelola --kind suggestion TEXT" in called.out
    assert local_office.facts()["steps"]["9"]["state"] == "open", "no new draft by itself"
    assert draft.read_bytes() == first
    assert "alasan penundaan kurang jelas" in local_office.run("status", "2026-11").out

    key = local_office.key("pengelola")
    said = ("Penundaan karena uji coba.", "--key", key)
    assert note(local_office, 9, *said, who="pengelola").code == 0
    advice = ("Jadwalkan ulang pada Desember.", "--kind", "suggestion")
    assert note(local_office, 9, *advice, who="pengelola").code == 0
    assert local_office.run(*PERIOD).code == 3
    text = words_of(draft)
    assert "alasanpenundaankurangjelas" in text and "10→9" in text
    assert text.index("Jadwalkanulang") < text.index("3.Catatan") < text.index("Penundaankarena")

    status = local_office.run("status", "2026-11").out
    assert re.search(r"^Step 10 \(jf\) sent it back to step 9 at .*: alasan", status, re.MULTILINE)
    assert "Step 9, suggestion: Jadwalkan ulang" in status
    assert local_office.sign("jf").code == 3
    assert local_office.sign("kepala").code == 0
    closed = local_office.run(*PERIOD)
    assert closed.code in (0, 1), closed.text
    report = words_of(cycle(local_office) / "documents/laporan-hasil-update.pdf")
    assert "Jadwalkanulang" in report and "Penundaankarenaujicoba." in report
    late = note(local_office, 12, "x", who="pengelola")
    assert late.code == 2 and "is closed" in late.err
    assert local_office.run("audit", "2026-11").code == 0
    report_path = cycle(local_office) / "documents/laporan-hasil-update.pdf"
    kept = report_path.read_bytes()
    report_path.unlink()
    draft.unlink()
    made = local_office.run("documents", "2026-11").out
    assert made.count("made again, the same bytes as recorded") == 2, made
    assert report_path.read_bytes() == kept


def test_a_clock_that_was_set_back_is_remarked(local_office: LocalOffice) -> None:
    age(cycle(local_office), timedelta(hours=-3))  # as if the check ran three hours from now
    called = local_office.sign("analis", *local_office.defer_all())
    assert called.code == 3, called.text
    status = local_office.run("status", "2026-11").out
    assert re.search(r"^ *3  confirm .* 15 min +\?", status, re.MULTILINE), status
    assert local_office.facts()["steps"]["3"]["seconds"] is None
    audit = local_office.run("audit", "2026-11")
    assert audit.code == 0 and "remark: the clock went back 1 times, by 10" in audit.out, audit.out


def test_mistakes_in_working_time_are_told_with_their_line(new_office: LocalOffice) -> None:
    times = {"friday": "07:30-11:30, 11:00-16:30", "extra_holidays": {"2026-02-30": "x"}}
    edit(new_office, working_time=times)
    called = new_office.run(*PERIOD)
    assert called.code == 2 and "2 problems" in called.err, called.text
    assert "working_time.friday: '11:00-16:30' begins before 11:30" in called.err
    assert "working_time.extra_holidays.2026-02-30" in called.err
    assert not new_office.home.exists()
