"""Marks come back from the check list; every other change is refused with the row named."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from orchestrator.documents import DocumentName, render
from orchestrator.documents.render import marks_of
from orchestrator.model.errors import UsageError
from tests.unit.documents.extreme import replan
from tests.unit.documents.sample import hostile, normal

SHEET = "Daftar Perangkat Lunak"


@pytest.fixture
def marked(tmp_path):
    """A check list, and how to change and save it."""
    return render(DocumentName.CHECK_LIST, normal(2), tmp_path).path


def edited(path, change):
    book = load_workbook(path)
    sheet = book[SHEET]
    first = next(r for r in range(1, 30) if sheet.cell(row=r, column=1).value == 1)
    change(sheet, first)
    book.save(path)
    return first


def refused(path, change, *words):
    first = edited(path, change)
    with pytest.raises(UsageError) as caught:
        marks_of(path, normal(2))
    for word in words:
        assert word.format(row=first, second=first + 1) in caught.value.message, caught.value
    return caught.value.message


def test_an_untouched_list_approves_everything(marked):
    marks = marks_of(marked, normal(2))
    assert sorted(marks) == list(range(1, 14))
    assert all(m.approved and m.remark == "" for m in marks.values())


def test_decisions_and_remarks_come_back(marked):
    def change(sheet, first):
        sheet.cell(row=first + 1, column=14).value = " tunda "
        sheet.cell(row=first + 1, column=15).value = "Menunggu\nvendor"
        sheet.cell(row=first + 2, column=15).value = "Setelah jam kerja"

    edited(marked, change)
    marks = marks_of(marked, normal(2))
    assert (marks[2].approved, marks[2].remark) == (False, "Menunggu vendor")
    assert (marks[3].approved, marks[3].remark) == (True, "Setelah jam kerja")
    assert sum(m.approved for m in marks.values()) == 12


def test_a_sorted_list_is_read_by_number(marked):
    def change(sheet, first):
        for column in range(1, 16):
            one, two = (
                sheet.cell(row=first, column=column),
                sheet.cell(row=first + 1, column=column),
            )
            one.value, two.value = two.value, one.value
        sheet.cell(row=first, column=14).value = "Tunda"
        sheet.cell(row=first, column=15).value = "tunggu"

    edited(marked, change)
    assert [n for n, m in marks_of(marked, normal(2)).items() if not m.approved] == [2]


def put(offset, column, value):
    def change(sheet, first):
        sheet.cell(row=first + offset, column=column).value = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s, first: s.delete_rows(first + 1), ["item 2 (web-01, tzdata) was removed"]),
        (put(1, 8, "9.9"), ["row {second}: item 2", "Versi tersedia was altered", "'9.9'"]),
        (put(1, 8, "=1+1"), ["row {second}: item 2", "Versi tersedia was altered"]),
        (put(1, 1, 99), ["row {second}: was added; the check list has no item 99"]),
        (put(1, 1, 1), ["row {second}: was added; item 1", "twice"]),
        (put(1, 1, "dua"), ["row {second}: was added; it has no item number: 'dua'"]),
        (put(13, 5, "extra"), ["was added; it has no item number"]),
        (put(1, 14, None), ["row {second}: item 2 (web-01, tzdata): the decision is empty"]),
        (put(1, 14, "Mungkin"), ["'Mungkin' is no decision; write Setuju or Tunda in N{second}"]),
        (put(1, 14, '=IF(1=1,"Tunda","")'), ["row {second}", "a formula is no decision"]),
        (put(1, 15, "=1"), ["row {second}", "a formula is no decision"]),
        (put(1, 14, "Tunda"), ["row {second}", "Tunda needs a reason in O{second}"]),
        (lambda s, first: s.merge_cells(f"N{first}:N{first + 2}"), ["the decision is empty"]),
        (lambda s, first: s.merge_cells(f"A{first}:A{first + 1}"), ["row {second}: was added"]),
        (lambda s, first: s.insert_cols(5), ["heading"]),
        (put(-1, 14, "Pilihan"), ["the heading 'Keputusan' was altered to 'Pilihan'"]),
        (lambda s, first: s.delete_rows(1), ["no check list of sop-run"]),
        (lambda s, first: setattr(s["B1"], "value", "2026-10"), ["another plan: cycle 2026-10"]),
        (lambda s, first: setattr(s["C1"], "value", "2"), ["another plan", "revision 2"]),
        (lambda s, first: setattr(s["D1"], "value", "f" * 64), ["another plan", "plan fffff"]),
        (lambda s, first: setattr(s, "title", "Lain"), ["has no sheet"]),
    ],
)  # fmt: skip
def test_every_other_change_is_refused_with_the_row_named(marked, change, words):
    refused(marked, change, *words)


def test_all_problems_are_told_at_once_and_many_are_counted(marked):
    def change(sheet, first):
        for n in range(3):
            sheet.cell(row=first + n, column=14).value = "Tunda"

    assert refused(marked, change).count("needs a reason") == 3


def test_hostile_texts_survive_the_way_back(tmp_path):
    state = hostile(2)
    path = render(DocumentName.CHECK_LIST, state, tmp_path).path
    marks = marks_of(path, state)
    assert sorted(marks) == [item.number for item in state.plan.items]
    assert [n for n, m in marks.items() if not m.approved] == [
        n for n, d in sorted(state.decisions.items()) if not d.approved
    ]


def test_what_is_no_workbook_is_refused(tmp_path, marked):
    for name, data in (("a.xlsx", b""), ("b.xlsx", b"PK\x03\x04 no"), ("c.xlsx", b"text")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UsageError, match="cannot be read as an xlsx workbook"):
            marks_of(tmp_path / name, normal(2))
    with pytest.raises(UsageError, match="cannot be read"):
        marks_of(tmp_path / "missing.xlsx", normal(2))


def test_a_bomb_and_entities_are_refused_before_they_are_parsed(tmp_path, marked):
    bomb = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package,
        package.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(1100):
            part.write(b"\0" * 1024**2)
    with pytest.raises(UsageError, match="more than 1 GB"):
        marks_of(bomb, normal(2))
    entities = tmp_path / "entities.xlsx"
    with zipfile.ZipFile(marked) as source, zipfile.ZipFile(entities, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("sheet1.xml"):
                data = b'<!DOCTYPE x [<!ENTITY a "b">]>' + data
            target.writestr(name, data)
    with pytest.raises(UsageError, match="declares a document type"):
        marks_of(entities, normal(2))


def test_another_cycle_of_the_same_items_is_another_plan(marked):
    other = normal(2)
    other.plan = replan(other.plan, other.plan.items[:-1])
    with pytest.raises(UsageError, match="another plan"):
        marks_of(marked, replace(other))
