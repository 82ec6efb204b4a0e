"""What the documents say of working time, overruns, notes and returned drafts."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.records import Content, StepRow
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.prose import write_prose
from orchestrator.documents.templates import SHIPPED
from orchestrator.journal.state import ClockJump, CycleState, Note, ReturnRecord
from orchestrator.model.working_time import HolidayRecord, WorkingTime
from tests.unit.documents.sample import all_failed, at, hostile, normal

LABELS = load_labels(SHIPPED)
RECORD = HolidayRecord(
    schema="sop-run/holidays/1", source="holidays 1.0, ID", national=True, collective=True,
    first_year=2026, last_year=2027,
    days={"2026-11-20": "Hari libur contoh", "2026-12-25": "Hari Raya Natal"},
)  # fmt: skip


def counted(state: CycleState | None = None, **times: Any) -> CycleState:
    """The sample cycle (Thursday 19 November 08.00 to Friday 09.12) in working time."""
    state = state or normal()
    state.office = state.office.model_copy(
        update={"working_time": WorkingTime.model_validate(times)}
    )
    state.holidays = RECORD
    return state


def content(state: CycleState, name: DocumentName = DocumentName.REPORT) -> Content:
    return build_content(name, state, LABELS)


def step(state: CycleState, number: int) -> StepRow:
    return next(s for s in content(state).steps if s.number == number)


def prose(state: CycleState, passage: str) -> str:
    return "\n".join(write_prose(SHIPPED / "prose" / "id", content(state))[passage])


def test_gates_count_in_working_time() -> None:
    state = counted()
    assert step(state, 3).actual == "12"
    # From 12.16 on Thursday until 09.00 on Friday, which is a day off.
    assert (step(state, 10).actual, step(state, 10).punctual) == ("180", "Lewat 165")
    state.holidays = RECORD.model_copy(update={"days": {}})
    assert step(state, 10).actual == "270"


def test_the_report_says_how_time_was_counted() -> None:
    counting = content(counted(worked_days={"2026-11-20": "08:00-09:00"})).counting
    assert counting.week == ("Senin–Kamis 07.30–12.00, 13.00–16.00; Jumat 07.30–11.30, 13.00–16.30")
    assert counting.days == "20 November 2026: 08.00–09.00"
    words = prose(counted(), "laporan-kegiatan")
    assert "20 November 2026 (Hari libur contoh)" in words and "Natal" not in words
    assert "menurut paket holidays 1.0, ID" in words and "dihitung dalam jam kerja" in words
    assert "diubah pada" not in words
    season = {"first_day": "2026-11-01", "last_day": "2026-11-30", "monday": "08:00-12:00"}
    season |= {"tuesday": "08:00-12:00", "friday": ""}
    later = {**season, "first_day": "2026-12-01", "last_day": "2026-12-02"}
    assert content(counted(seasons=[season, later])).counting.days == (
        "1 November 2026–30 November 2026: Senin–Selasa 08.00–12.00; Jumat libur"
    )
    state = counted()
    state.recounted_at = at(300)
    assert "diubah pada 19 November 2026, 13.00 WIB" in prose(state, "laporan-kegiatan")
    assert "menurut jam sejak langkah terbuka" in prose(normal(), "laporan-kegiatan")


def test_an_overrun_shows_its_reason_or_that_there_is_none() -> None:
    state = counted()
    assert step(state, 10).note.startswith("Lewat tanpa alasan.")
    state.notes = [
        Note(10, "pranata", "dinas luar", at(1499), "overrun", "pranata", 94, signed=True),
        Note(10, "op@kendali", "kunci ruang hilang", at(1500), "deviation", "kepala", 95),
    ]
    assert step(state, 10).note == (
        "Alasan: dinas luar; kunci ruang hilang (catatan Contoh Kepala Bidang, S.Kom., M.T., "
        "tanpa tanda tangan, ditulis oleh op@kendali)"
    )


def test_a_duration_across_a_clock_set_back_is_not_stated() -> None:
    state = counted()
    state.steps[10] = dataclasses.replace(state.steps[10], opened_seq=92, passed_seq=95)
    state.jumps = [ClockJump(94, at(1400), at(400))]
    row = step(state, 10)
    assert (row.actual, row.punctual, row.actual_minutes) == ("–", "Tidak pasti", None)
    assert "Jam komputer dimundurkan" in row.note


def test_what_the_drafter_notes_stands_in_the_report() -> None:
    state = counted()
    state.notes = [
        Note(9, "op@kendali", "Tambah ruang disk db01.", at(255), "suggestion", "pengelola", 92),
        Note(9, "pengelola", "Bagian C dilengkapi.", at(255), "remark", "pengelola", 93, True),
    ]
    rows = content(state).notes
    assert [(n.kind_key, n.text[:20]) for n in rows] == [
        ("suggestion", "Tambah ruang disk db"), ("remark", "Bagian C dilengkapi."),
    ]  # fmt: skip
    assert "Tambah ruang disk db01. (catatan Contoh Pengelola" in prose(state, "laporan-saran")
    assert step(state, 9).note == "–", "it stands there in full"
    assert content(state, DocumentName.MINUTES).notes == ()


def test_a_note_that_came_after_the_draft_is_marked() -> None:
    state = counted()
    state.steps[9] = dataclasses.replace(state.steps[9], passed_seq=93)
    state.notes = [Note(6, "pengelola", "disk penuh", at(300), "remark", "pengelola", 96, True)]
    note = step(state, 6).note
    assert note == "disk penuh (ditambahkan setelah draf, 19 November 2026, 13.00 WIB)"


def test_returns_are_told_with_reason_and_time() -> None:
    state = counted()
    state.returns = [
        ReturnRecord(10, 9, "bagian C kurang", "pranata", at(300), 94, at(256)),
        ReturnRecord(11, 9, "nomor", "kepala", at(200), 99, at(310)),
    ]
    first, second = content(state).returns
    assert (first.step, first.to, first.reason) == (10, 9, "bagian C kurang")
    assert first.officer == "Contoh Pranata Komputer, S.T., M.Kom."
    assert first.actual == "<1", "the lunch break"
    assert second.actual == "–", "the clock was set back in between"


@pytest.mark.parametrize("make", [hostile, all_failed, normal])
def test_whatever_is_noted_is_printable(make: Any) -> None:
    state = counted(make())
    text = "{{ 7*7 }} #panic() \u202e\x1b[31m" + "x" * 1500
    state.notes = [Note(9, text, text, at(255), "suggestion", "nobody", 93)]
    state.returns = [ReturnRecord(10, 9, text, text, "never", 94, "")]
    (note,), (back,) = content(state).notes, content(state).returns
    assert note.text.isprintable() and back.reason.isprintable() and back.actual == "–"
    assert "{{ 7*7 }}" in prose(state, "laporan-saran")
