"""Laporan Hasil Pengecekan (SOP steps 2 and 3): the working list that officers mark."""

from __future__ import annotations

from typing import Any

from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content, HostRow, ItemRow
from orchestrator.documents.content.said import joined
from orchestrator.documents.xlsx.check_recap import recap_sheet
from orchestrator.documents.xlsx.dress import Dress
from orchestrator.documents.xlsx.package import new_workbook, workbook_bytes
from orchestrator.documents.xlsx.page import keep_signatures, printed, protected
from orchestrator.documents.xlsx.sheet import (
    CENTER,
    INPUT_FILL,
    OPEN,
    Column,
    full_width,
    letterhead,
    period_line,
    put,
    signatures,
    table_head,
    table_row,
)
from orchestrator.documents.xlsx.stream import Drawing, table

IDENTITY = "sop-run/checklist/1"
"""First cell of the hidden first row; cycle, revision and plan id follow."""
ITEMS = "DaftarButir"
SCHEDULE = "JadwalPengecekan"

COLUMNS = (
    Column("number", 4.5, CENTER),
    Column("host", 14),
    Column("address", 12.5),
    Column("os", 16),
    Column("name", 18),
    Column("arch", 8.5, CENTER),
    Column("before", 16),
    Column("offered", 16),
    Column("kind", 11, CENTER),
    Column("source", 14.5),
    Column("advisories", 15),
    Column("priority", 9.5, CENTER),
    Column("reboot", 9, CENTER),
    Column("decision", 11, CENTER),
    Column("remark", 18),
)
DECISION = 14
_SCHEDULE = (
    Column("number", 4.5, CENTER),
    Column("host", 15),
    Column("address", 12.5),
    Column("os", 18),
    Column("scope", 20),
    Column("cycle", 10, CENTER),
    Column("planned", 12, CENTER),
    Column("checked", 15, CENTER),
    Column("officer", 21),
    Column("items", 7.5, CENTER),
    Column("check", 17, CENTER),
    Column("remark", 30),
)
MAX_REMARK = 400
"""Characters of a remark: what reading the marks back keeps."""
MISSING_FILL = PatternFill("solid", bgColor="FFFFC7CE")
GREY = "FF6B6B6B"
_PRIORITY_FILL = {
    "critical": PatternFill("solid", fgColor="FFE8765A"),
    "high": PatternFill("solid", fgColor="FFF4B183"),
    "medium": PatternFill("solid", fgColor="FFFDE9C9"),
}


def check_list(content: Content, labels: Labels, dress: Dress) -> bytes:
    """The workbook with the sheets for items, schedule and recap, as bytes."""
    book = new_workbook(content, labels, labels.word("title", "items"))
    _items(book, content, labels)
    _schedule(book, content, labels)
    recap_sheet(book, content, labels)
    return workbook_bytes(book, content.as_of, dress)


def occasion_lines(content: Content, labels: Labels) -> list[str]:
    """Why an incidental cycle was opened, and what it leaves out."""
    word, occasion, lines = labels.sections["text"], content.occasion, []
    if occasion.reason != NONE:
        lines.append(f"{word['reason']}: {occasion.reason}")
    if occasion.source != NONE:
        lines.append(f"{word['source']}: {occasion.source}")
    if occasion.selection != NONE:
        lines.append(f"{word['selection']}: {occasion.selection}")
        lines.append(f"{word['out_of_scope']}: {occasion.out_of_scope}")
    return lines


def _items(book: Workbook, content: Content, labels: Labels) -> None:
    sheet: Worksheet = book.create_sheet(labels.word("sheet", "items"))
    width = len(COLUMNS)
    _identity(sheet, content)
    head = letterhead(
        sheet,
        content,
        [
            labels.word("title", "items"),
            labels.word("title", "items_2"),
            period_line(content, labels),
        ],
        width,
    )
    table_head(sheet, head, COLUMNS, labels)
    drawing = Drawing(
        COLUMNS,
        item_values,
        lambda item: (item.decision_key, item.priority_key),
        lambda place, at, item: _item(place, at, item, is_open=not labels.is_translation),
    )
    row = table(sheet, head + 1, content.items, drawing)
    if not content.items:
        row += 1
        full_width(sheet, row, width, labels.word("text", "no_items"), "muted")
    last = get_column_letter(width)
    sheet.auto_filter.ref = f"A{head}:{last}{row}"
    _name(book, ITEMS, sheet, f"$A${head}:${last}${row}")
    if content.items and not labels.is_translation:  # decisions are made in the record only
        _decisions(sheet, head + 1, row, labels)
    end = _remarks(sheet, row + 2, content, labels, width)
    _signers(sheet, end + 1, content, labels, (2, 11))
    printed(sheet, content, labels, head)
    keep_signatures(sheet, end + 1, head, row)
    protected(sheet)


def _identity(sheet: Worksheet, content: Content) -> None:
    """A hidden first row: which plan the list belongs to, for reading the marks back."""
    for column, value in enumerate(
        (IDENTITY, content.cycle, str(content.revision), content.plan_id), start=1
    ):
        put(sheet, 1, column, value, "small")
    sheet.row_dimensions[1].hidden = True


def item_values(item: ItemRow) -> list[str | int]:
    """The cells of an item's row; the last two are for the officer."""
    return [
        item.number, item.host, item.address, item.os, item.name, item.arch, item.before,
        item.offered, item.kind, item.source, item.advisories, item.priority, item.reboot,
        item.decision, "" if item.remark == NONE else item.remark,
    ]  # fmt: skip


def _item(sheet: Worksheet, row: int, item: ItemRow, *, is_open: bool) -> None:
    is_deferred = item.decision_key == "deferred"
    table_row(sheet, row, COLUMNS, item_values(item), "muted" if is_deferred else "plain")
    fill = _PRIORITY_FILL.get(item.priority_key)
    if fill is not None:
        sheet.cell(row=row, column=12).fill = fill
    for column in (DECISION, DECISION + 1) if is_open else ():
        cell = sheet.cell(row=row, column=column)
        cell.fill, cell.protection = INPUT_FILL, OPEN


def _decisions(sheet: Worksheet, first: int, last: int, labels: Labels) -> None:
    choices = f"{labels.word('decision', 'approved')},{labels.word('decision', 'deferred')}"
    rule = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=False)
    rule.showErrorMessage = rule.showInputMessage = True
    rule.errorTitle = rule.promptTitle = labels.word("text", "decision_title")
    rule.error = labels.word("text", "decision_error")
    rule.prompt = labels.word("text", "decision_prompt")
    letter, remark = get_column_letter(DECISION), get_column_letter(DECISION + 1)
    rule.add(f"{letter}{first}:{letter}{last}")
    sheet.add_data_validation(rule)
    short = DataValidation(type="textLength", operator="lessThanOrEqual", formula1=str(MAX_REMARK))
    short.showErrorMessage = True
    short.errorTitle = labels.word("column", "remark")
    short.error = labels.word("text", "remark_error").format(most=MAX_REMARK)
    short.add(f"{remark}{first}:{remark}{last}")
    sheet.add_data_validation(short)
    # As the officer marks: what is put off turns grey, and a missing reason turns red.
    put_off = f'${letter}{first}="{labels.word("decision", "deferred")}"'
    sheet.conditional_formatting.add(
        f"{remark}{first}:{remark}{last}",
        _rule(f"AND({put_off},LEN(TRIM(${remark}{first}))=0)", fill=MISSING_FILL),
    )
    sheet.conditional_formatting.add(
        f"A{first}:{remark}{last}", _rule(put_off, font=Font(italic=True, color=GREY))
    )


def _rule(formula: str, **look: Any) -> Rule:
    return Rule(type="expression", formula=[formula], dxf=DifferentialStyle(**look))


def _remarks(sheet: Worksheet, row: int, content: Content, labels: Labels, width: int) -> int:
    """Below the table: hosts without a row, and what the updates bring or remove besides it."""
    texts = [labels.word("text", "fill_in")] if content.items else []
    texts += occasion_lines(content, labels)
    for key, names in (
        (
            "without_items",
            [h.name for h in content.hosts if h.items == 0 and h.check_key in ("done", "remarks")],
        ),
        ("not_reached", [h.name for h in content.hosts if h.check_key == "unreachable"]),
        ("not_checked", [h.name for h in content.hosts if h.check_key == "failed"]),
    ):
        if names:
            text = labels.word("text", key)
            texts.append(text.format(hosts=joined(names, most=100)))
    texts += [
        f"{f.host}: {f.text}" for f in content.findings if f.code in ("new-packages", "removals")
    ]
    for text in texts:
        full_width(sheet, row, width, text, "small")
        row += 1
    return row


def _schedule(book: Workbook, content: Content, labels: Labels) -> None:
    sheet: Worksheet = book.create_sheet(labels.word("sheet", "schedule"))
    width = len(_SCHEDULE)
    head = letterhead(
        sheet, content, [labels.word("title", "schedule"), period_line(content, labels)], width
    )
    table_head(sheet, head, _SCHEDULE, labels)
    checker = content.people.checker
    officer = f"{checker.name} ({checker.position})" if checker.known else checker.position

    def values(host: HostRow) -> list[str | int]:
        return [
            host.number, host.name, host.address, host.os, labels.word("text", "scope"),
            content.kind, content.letter.period, host.checked, officer, host.items, host.check,
            host.check_remark,
        ]  # fmt: skip

    def draw(place: Worksheet, at: int, host: HostRow) -> None:
        table_row(place, at, _SCHEDULE, values(host))
        if host.check_key in ("failed", "unreachable"):
            put(place, at, 11, host.check, "bold")

    look = Drawing(_SCHEDULE, values, lambda h: h.check_key in ("failed", "unreachable"), draw)
    row = table(sheet, head + 1, content.hosts, look)
    last = get_column_letter(width)
    sheet.auto_filter.ref = f"A{head}:{last}{row}"
    _name(book, SCHEDULE, sheet, f"$A${head}:${last}${row}")
    _signers(sheet, row + 2, content, labels, (2, 9))
    printed(sheet, content, labels, head)
    keep_signatures(sheet, row + 2, head, row)
    protected(sheet)


def _signers(
    sheet: Worksheet, row: int, content: Content, labels: Labels, columns: tuple[int, int]
) -> None:
    place = f"{content.head.city}, {content.letter.date}"
    signatures(
        sheet,
        row,
        [
            (columns[0], labels.word("text", "confirmed_by"), content.people.confirmer),
            (columns[1], place, content.people.checker),
        ],
        labels,
    )


def _name(book: Workbook, name: str, sheet: Worksheet, area: str) -> None:
    title = str(sheet.title).replace("'", "''")
    book.defined_names[name] = DefinedName(name, attr_text=f"'{title}'!{area}")
