"""Working time, reasons, the drafter's notes and returns in the report as it is read."""

from __future__ import annotations

from orchestrator.documents import DocumentName
from orchestrator.journal.state import Note, ReturnRecord
from tests.contract.documents.test_pdfs import read, words_of
from tests.unit.documents.sample import at, normal
from tests.unit.documents.test_times import counted


def test_draft_and_report_tell_times_notes_and_returns(tmp_path):
    for name, until in ((DocumentName.DRAFT_REPORT, 8), (DocumentName.REPORT, 11)):
        state = counted(normal(until))
        state.notes = [
            Note(5, "pranata", "jaringan lambat", at(370), "overrun", "pranata", 80, True),
            Note(9, "op@kendali", "Tambah ruang disk.", at(255), "suggestion", "pengelola", 92),
            Note(9, "pengelola", "Bagian C dilengkapi.", at(255), "remark", "pengelola", 93, True),
        ]
        state.steps[5].seconds = 12_000.0
        back = ReturnRecord(10, 9, "peladen db01 hilang", "pranata", at(256), 94, at(250))
        state.returns = [back]
        words = words_of(read(tmp_path, name, state))
        for wanted in (
            "Alasan:jaringanlambat", "3.Catatan", "a.BagianCdilengkapi.",
            "Pengembalianselamasiklus", "10→9", "peladendb01hilang", "tanpatandatangan",
            "Jamkerja:Senin–Kamis07.30–12.00,13.00–16.00",
        ):  # fmt: skip
            assert wanted in words, (name, wanted)
        assert words.index("Tambahruangdisk.") < words.index("3.Catatan")


def test_without_notes_and_returns_there_is_no_section(tmp_path):
    assert "3.Catatan" not in words_of(read(tmp_path, DocumentName.REPORT, normal()))
