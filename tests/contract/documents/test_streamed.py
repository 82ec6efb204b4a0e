"""Tables of very many rows are streamed: the same sheets, in bounded memory (check 8)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from orchestrator.documents import DocumentName, render
from orchestrator.documents.content import gather
from orchestrator.documents.render import marks_of
from orchestrator.documents.xlsx import stream
from tests.unit.documents.sample import STATES, hostile, normal

LIST, RECORD = DocumentName.CHECK_LIST, DocumentName.UPDATE_RECORD
ROOT = Path(__file__).resolve().parents[3]
HOSTS, ITEMS, ALLOWED = 500, 40, 100
MEASURE = f"""
import resource, sys
from pathlib import Path
from orchestrator.documents import DocumentName, render
from tests.unit.documents.extreme import large
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
render(DocumentName.CHECK_LIST, large(2, hosts=2, items=2), Path(sys.argv[1]) / "warm")
state = large(2, hosts={HOSTS + 100}, items={ITEMS})
before = peak()
size = render(DocumentName.CHECK_LIST, state, Path(sys.argv[1])).size
print(size, peak() - before)
"""


@pytest.fixture
def streamed(monkeypatch):
    """Every table counts as one of very many rows, every plan as one of very many items."""
    monkeypatch.setattr(stream, "STREAM_FROM", 0)
    monkeypatch.setattr(gather, "MANY_ITEMS", 0)


def cells(path):
    return {
        (sheet.title, cell.coordinate): (
            cell.value, cell.value is not None and cell.data_type, cell.font.b, cell.font.i,
            cell.fill.fgColor.rgb, cell.protection.locked, bool(cell.quotePrefix),
            getattr(cell.border.left, "style", None),
        )
        for sheet in load_workbook(path).worksheets
        for row in sheet.iter_rows()
        for cell in row
    }  # fmt: skip


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("name", [LIST, RECORD])
def test_streamed_sheets_say_and_look_the_same(tmp_path, monkeypatch, kind, name):
    drawn = cells(render(name, STATES[kind](7), tmp_path / "a").path)
    monkeypatch.setattr(stream, "STREAM_FROM", 0)
    monkeypatch.setattr(gather, "MANY_ITEMS", 0)
    made = render(name, STATES[kind](7), tmp_path / "b")
    assert cells(made.path) == drawn
    assert render(name, STATES[kind](7), tmp_path / "c").sha256 == made.sha256


@pytest.mark.usefixtures("streamed")
def test_heights_validation_and_names_are_kept(tmp_path):
    book = load_workbook(render(LIST, normal(2), tmp_path).path)
    sheet = book.worksheets[0]
    first = next(r for r in range(1, 30) if sheet.cell(row=r, column=1).value == 1)
    assert all(sheet.row_dimensions[r].height >= 17 for r in range(first, first + 13))
    assert str(sheet.data_validations.dataValidation[0].sqref) == f"N{first}:N{first + 12}"
    assert f"$A${first - 1}:$O${first + 12}" in book.defined_names["DaftarButir"].attr_text


@pytest.mark.usefixtures("streamed")
def test_marks_come_back_from_a_streamed_list(tmp_path):
    marks = marks_of(render(LIST, hostile(2), tmp_path).path, hostile(2))
    assert sorted(marks) == list(range(1, 11))


def test_the_list_of_many_hosts_takes_little_memory(tmp_path):
    """Beyond what the cycle itself takes: some megabytes, however many items there are."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    size, grown = map(int, done.stdout.split())
    assert size > 500_000
    assert grown < ALLOWED, f"{grown} MB for {HOSTS} × {ITEMS}"
