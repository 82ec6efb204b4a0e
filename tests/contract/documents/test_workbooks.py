"""The workbooks as Excel reads them: checks 1, 5 and 7 of a document."""

from __future__ import annotations

import zipfile

import pytest
from openpyxl import load_workbook

from orchestrator.documents import DocumentName, render
from tests.unit.documents.sample import HOSTILE, STATES, all_failed, empty, hostile, normal

LIST, RECORD = DocumentName.CHECK_LIST, DocumentName.UPDATE_RECORD
HEAD = "No."


def book(folder, state, name=LIST):
    return load_workbook(render(name, state, folder).path)


def head_row(sheet):
    return next(r for r in range(1, 20) if sheet.cell(row=r, column=1).value == HEAD)


def table(sheet):
    """The rows of a sheet's table as mappings by heading."""
    first = head_row(sheet)
    heads = [c.value for c in sheet[first] if c.value]
    rows = []
    for row in sheet.iter_rows(min_row=first + 1, max_col=len(heads)):
        if not isinstance(row[0].value, int):
            break
        rows.append(dict(zip(heads, (c.value for c in row), strict=True)))
    return rows


def test_the_check_list_is_a_working_tool(tmp_path):
    made = book(tmp_path, normal(2))
    assert made.sheetnames == ["Daftar Perangkat Lunak", "Jadwal Pengecekan", "Rekap"]
    items, schedule, recap = made.worksheets
    for sheet in made.worksheets:
        row = head_row(sheet)
        assert sheet.freeze_panes == f"A{row + 1}"
        assert sheet.print_title_rows == f"${row}:${row}"
        assert int(sheet.page_setup.paperSize) == 14
        assert sheet.protection.sheet
        assert not sheet.protection.password
    assert items.page_setup.orientation == schedule.page_setup.orientation == "landscape"
    assert len(recap._charts) == 3
    row = head_row(items)
    assert items.auto_filter.ref == f"A{row}:O{row + 13}"
    rule = items.data_validations.dataValidation[0]
    assert (rule.type, rule.formula1, str(rule.sqref)) == (
        "list",
        '"Setuju,Tunda"',
        f"N{row + 1}:N{row + 13}",
    )
    open_cells = {
        c.coordinate for line in items.iter_rows() for c in line if not c.protection.locked
    }
    assert open_cells == {f"{c}{r}" for c in "NO" for r in range(row + 1, row + 14)}
    assert made.defined_names["DaftarButir"].attr_text == (
        f"'Daftar Perangkat Lunak'!$A${row}:$O${row + 13}"
    )
    assert made.defined_names["JadwalPengecekan"].attr_text.startswith("'Jadwal Pengecekan'!$A$")


def test_the_check_list_names_every_item_host_and_signer(tmp_path):
    state = normal(2)
    made = book(tmp_path, state)
    rows = table(made["Daftar Perangkat Lunak"])
    assert [(r["Peladen"], r["Perangkat lunak"], r["Versi terpasang"]) for r in rows] == [
        (i.host, i.name, i.from_version) for i in state.plan.items
    ]
    hosts = table(made["Jadwal Pengecekan"])
    assert [r["Peladen"] for r in hosts] == list(state.hosts)
    status = {r["Peladen"]: r["Status"] for r in hosts}
    assert status["cadangan-04"] == "Tidak dapat dihubungi"
    assert status["arsip-06"] == "Selesai"
    words = {c.value for line in made["Daftar Perangkat Lunak"].iter_rows() for c in line}
    assert "Peladen tanpa butir pemutakhiran: arsip-06." in words
    assert "Peladen yang tidak dapat dihubungi: cadangan-04." in words
    for person in ("Contoh Pengelola, A.Md.Kom.", "Contoh Analis, S.Kom.", "Pengatur (II/c)",
                   "NIP 19900202 201903 2 002"):  # fmt: skip
        assert person in words


def test_the_check_list_knows_its_plan(tmp_path):
    state = normal(2)
    sheet = book(tmp_path, state)["Daftar Perangkat Lunak"]
    assert sheet.row_dimensions[1].hidden
    assert [c.value for c in sheet[1][:4]] == [
        "sop-run/checklist/1",
        "2026-11",
        "1",
        state.plan.id,
    ]
    assert state.plan.id in sheet.oddFooter.left.text


def test_the_recap_adds_up(tmp_path):
    rows = table(book(tmp_path, normal(2))["Rekap"])
    assert sum(r["Jumlah"] for r in rows) == 13
    assert all(r["Sistem"] + r["Keamanan"] + r["Antivirus"] == r["Jumlah"] for r in rows)


def test_the_update_record_holds_backups_items_and_results(tmp_path):
    state = normal(7)
    made = book(tmp_path, state, RECORD)
    backups, items, hosts = (table(sheet) for sheet in made.worksheets)
    assert [r["Peladen"] for r in backups] == [r["Peladen"] for r in hosts] == list(state.hosts)
    assert len(backups[0]["SHA-256"]) == 64
    assert backups[0]["Ukuran"] == "812 MB"
    assert "Snapshot dapat dibaca" in backups[0]["Bukti dapat dipulihkan"]
    assert len(items) == 13
    kernel = items[4]
    assert (kernel["Versi sebelum"], kernel["Versi disetujui"], kernel["Versi sesudah"]) == (
        "6.1.106-3",
        "6.1.158-1",
        "6.1.158-1",
    )
    results = {r["Peladen"]: r for r in hosts}
    assert results["layanan-03"]["Hasil"] == "Dikembalikan ke versi semula"
    assert "Uji wajib gagal" in results["layanan-03"]["Temuan"]
    assert "EICAR" in results["berkas-05"]["Uji antivirus"]


@pytest.mark.parametrize("name", [LIST, RECORD])
def test_hostile_text_stays_text(tmp_path, name):
    made = book(tmp_path, hostile(7), name)
    cells = [c for sheet in made.worksheets for line in sheet.iter_rows() for c in line]
    assert not [c for c in cells if c.data_type in ("f", "e", "d")]
    formula = [c for c in cells if c.value == HOSTILE["formula"]]
    assert formula
    assert all(c.quotePrefix for c in formula)
    words = {c.value for c in cells}
    assert HOSTILE["jinja"] in words
    assert HOSTILE["typst"] in words
    assert "#N/A" in words
    with zipfile.ZipFile(tmp_path / name.value) as package:
        sheets = b"".join(package.read(n) for n in package.namelist() if "/sheet" in n)
    assert b"<f>" not in sheets
    assert b"\x1b" not in sheets


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("name", [LIST, RECORD])
def test_no_cell_says_none(tmp_path, kind, name):
    made = book(tmp_path, STATES[kind](7), name)
    for sheet in made.worksheets:
        for row in table(sheet):
            blank = {k for k, v in row.items() if v in (None, "", "None", "nan")}
            assert blank <= {"Keterangan"}


def test_nothing_to_do_still_gives_a_list(tmp_path):
    made = book(tmp_path, empty(2))
    words = {c.value for line in made["Daftar Perangkat Lunak"].iter_rows() for c in line}
    assert "Tidak ada butir pemutakhiran yang tercatat." in words
    assert "Peladen tanpa butir pemutakhiran: arsip-06, web-01." in words
    failed = book(tmp_path, all_failed(2))
    assert int(failed.worksheets[0].page_setup.paperSize) == 9
    assert len(table(failed["Jadwal Pengecekan"])) == 7


def test_signatures_are_not_torn_from_the_table(tmp_path):
    """13 rows fill a page so far that the signature block would begin on it and end on the next."""
    sheet = book(tmp_path, normal(2)).worksheets[0]
    row = head_row(sheet)
    assert [b.id for b in sheet.row_breaks.brk] == [row + 11]  # the last two items go with it
    assert not book(tmp_path, empty(2)).worksheets[0].row_breaks.brk
    assert 50 < sheet.page_setup.scale <= 100
