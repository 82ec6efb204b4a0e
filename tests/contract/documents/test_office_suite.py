"""The workbooks in LibreOffice: opened, recalculated, saved and printed (checks 1, 2 and 5)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from orchestrator.documents import DocumentName, render
from orchestrator.documents.render import marks_of
from orchestrator.documents.xlsx import stream
from tests.unit.documents.extreme import large, nasty
from tests.unit.documents.sample import HOSTILE, empty, hostile, normal

LIST, RECORD = DocumentName.CHECK_LIST, DocumentName.UPDATE_RECORD
ITEMS = "Daftar Perangkat Lunak"
CYCLES = {
    "normal": normal, "hostile": hostile, "empty": empty, "nasty": nasty,
    "large": lambda until: large(until, hosts=20, items=8), "streamed": hostile,
}  # fmt: skip


def counted(path, target):
    """A copy in which an officer counts the decisions, with a formula over the named table."""
    book = load_workbook(path)
    book["Rekap"]["L3"] = '=COUNTIF(DaftarButir,"Setuju")+1000*COUNTIF(DaftarButir,"Tunda")'
    book.save(target)


def marked(path, target):
    """A copy in which an officer puts the third item off."""
    book = load_workbook(path)
    sheet = book[ITEMS]
    row = next(r for r in range(1, 30) if sheet.cell(row=r, column=1).value == 3)
    sheet.cell(row=row, column=14).value = "Tunda"
    sheet.cell(row=row, column=15).value = "Menunggu vendor"
    book.save(target)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Both workbooks of several cycles, and two copies that officers worked on."""
    folder = tmp_path_factory.mktemp("workbooks")
    for kind, cycle in CYCLES.items():
        for name, until in ((LIST, 2), (RECORD, 7)):
            with pytest.MonkeyPatch.context() as patch:
                if kind == "streamed":  # as the tables of very many rows are
                    patch.setattr(stream, "STREAM_FROM", 0)
                made = render(name, cycle(until), folder / "made").path
            made.replace(folder / f"{kind}-{name.value}")
    whole = folder / f"normal-{LIST.value}"
    counted(whole, folder / "counted.xlsx")
    marked(whole, folder / "marked.xlsx")
    return folder


@pytest.fixture(scope="module")
def saved(files, office_suite, tmp_path_factory) -> dict[str, Path]:
    """All of them, opened and saved again by LibreOffice."""
    out = tmp_path_factory.mktemp("saved")
    return office_suite.convert("xlsx", out, *sorted(files.glob("*.xlsx")))


@pytest.fixture(scope="module")
def printed(files, office_suite, tmp_path_factory) -> dict[str, Path]:
    """All of them as LibreOffice prints them."""
    out = tmp_path_factory.mktemp("printed")
    return office_suite.convert("pdf", out, *sorted(files.glob("*-*.xlsx")))


def cells(path):
    book = load_workbook(path, data_only=True)
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value not in (None, "")
    }


@pytest.mark.parametrize("name", [LIST, RECORD])
@pytest.mark.parametrize("kind", CYCLES)
def test_every_cell_is_read_as_it_was_written(files, saved, kind, name):
    stem = f"{kind}-{name.value.removesuffix('.xlsx')}"
    written, read = cells(files / f"{stem}.xlsx"), cells(saved[stem])
    assert len(written) > 30
    assert read == written
    again = load_workbook(saved[stem])
    kinds = {c.data_type for s in again.worksheets for row in s.iter_rows() for c in row}
    assert kinds <= {"s", "n"}  # no formula, no error, no date was made of any text


def test_a_name_like_a_formula_stays_text(saved):
    values = cells(saved["hostile-laporan-hasil-pengecekan"]).values()
    assert HOSTILE["formula"] in values


def test_a_formula_over_the_named_table_is_calculated(saved):
    assert load_workbook(saved["counted"], data_only=True)["Rekap"]["L3"].value == 13


def test_the_list_is_still_a_working_tool(saved):
    book = load_workbook(saved["normal-laporan-hasil-pengecekan"])
    sheet = book[ITEMS]
    head = next(r for r in range(1, 30) if sheet.cell(row=r, column=1).value == "No.")
    lists = [r for r in sheet.data_validations.dataValidation if r.type == "list"]
    assert [r.formula1 for r in lists] == ['"Setuju,Tunda"']
    assert sheet.print_title_rows == f"${head}:${head}"
    assert sheet.auto_filter.ref == f"A{head}:O{head + 13}"
    assert sheet.protection.sheet
    free = {c.coordinate for row in sheet.iter_rows() for c in row if not c.protection.locked}
    assert free == {f"{c}{r}" for c in "NO" for r in range(head + 1, head + 14)}
    assert {"DaftarButir", "JadwalPengecekan"} <= set(book.defined_names)
    assert len(sheet.conditional_formatting) == 2
    assert len(book["Rekap"]._charts) == 3


def test_marks_come_back_from_a_list_that_libreoffice_saved(saved):
    marks = marks_of(saved["marked"], normal(2))
    assert [n for n, m in marks.items() if not m.approved] == [3]
    assert marks[3].remark == "Menunggu vendor"


@pytest.mark.parametrize("name", [LIST, RECORD])
@pytest.mark.parametrize("kind", CYCLES)
def test_it_prints_whole_pages(printed, kind, name):
    """Right paper, numbered pages, the heading on each, nothing beside the table on pages of its
    own: a page without the footer's number or without text would be one."""
    path = printed[f"{kind}-{name.value.removesuffix('.xlsx')}"]
    text = subprocess.run(
        ["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.split("\f")[:-1]
    sides = {(215.9, 330.2)} if kind != "nasty" else {(210, 297)}
    for number, (page, words) in enumerate(zip(PdfReader(path).pages, pages, strict=True), 1):
        size = sorted(float(x) / 72 * 25.4 for x in page.mediabox[2:])
        assert any(size == pytest.approx(side, abs=1) for side in sides)
        assert f"Halaman {number} dari {len(pages)}" in words
        assert "No." in words
        assert len(words.split()) > 30
    state = CYCLES[kind](2)
    for host in state.hosts:
        if len(host) < 12:
            assert host in text
    for officer in ("pengelola", "analis") if name is LIST else ("pengelola", "pranata"):
        person = state.office.officer(officer)
        assert person.name.split(",")[-1].strip() in text
        assert not person.nip or f"NIP {person.nip}" in text
        assert person.rank in text


@pytest.mark.usefixtures("office_suite")
@pytest.mark.parametrize("name", [n for n in DocumentName if n.value.endswith(".pdf")])
def test_no_word_runs_off_the_page(tmp_path, name):
    """Names without a place to break, 250 to 400 characters long, in tables and in prose."""
    path = render(name, nasty(11), tmp_path).path
    boxes = subprocess.run(
        ["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True
    ).stdout
    words = re.findall(r'<word xMin="([\d.-]+)" .*? xMax="([\d.-]+)" .*?>(.*?)</word>', boxes)
    assert len(words) > 100
    width = float(PdfReader(path).pages[0].mediabox.width)
    assert not [w for left, right, w in words if float(left) < 40 or float(right) > width - 40]
