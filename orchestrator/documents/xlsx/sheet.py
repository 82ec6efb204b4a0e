"""Cells, tables, letterhead and print set-up that all sheets share.

Text is always written as text: a name that begins with '=' never becomes a formula.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content, Head, Letter, Signer

FORMULA_STARTS = "=+-@'"
"""Text that begins so is marked as text, lest a program take it for a formula."""
FONT = "Arial"
"""On Windows; elsewhere Liberation Sans of the same widths takes its place."""
SIGNATURE_ROWS = 9
"""Rows that a signature block takes."""
_SIGN_LINE = 13.5  # points
_LOGO_ROOM = 20.0  # characters: the logo, and as much on the other side

THIN = Side(style="thin", color="FF7F7F7F")
GRID = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
HEAD_FILL = PatternFill("solid", fgColor="FFD9E1EA")
INPUT_FILL = PatternFill("solid", fgColor="FFFFF8DC")
OPEN = Protection(locked=False)
LOCKED = Protection(locked=True)

STYLES: Mapping[str, Font] = {
    "plain": Font(name=FONT, size=9),
    "bold": Font(name=FONT, size=9, bold=True),
    "muted": Font(name=FONT, size=9, italic=True, color="FF6B6B6B"),
    "small": Font(name=FONT, size=9),
    "faint": Font(name=FONT, size=8, color="FFFFFFFF"),
    "sign": Font(name=FONT, size=10),
    "sign-bold": Font(name=FONT, size=10, bold=True),
}
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1)
CENTER = Alignment(horizontal="center", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center", wrap_text=True, indent=1)


class Written(Protocol):
    """What a workbook is about: a cycle (Content) or a year (YearContent)."""

    @property
    def cycle(self) -> str: ...
    @property
    def plan_id(self) -> str: ...
    @property
    def head(self) -> Head: ...
    @property
    def letter(self) -> Letter: ...


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading (a key of labels `column`), width and alignment."""

    key: str
    width: float  # characters
    align: Alignment = LEFT
    head: str = ""  # another label key when the heading differs


def put(sheet: Worksheet, row: int, column: int, value: str | int, style: str = "plain") -> Cell:
    """Write a value; text stays text whatever it begins with."""
    cell = sheet.cell(row=row, column=column)
    if not isinstance(cell, Cell):
        raise TypeError(f"{sheet.title}: row {row}, column {column} lies inside a merged area")
    cell.value = value
    cell.font = STYLES[style]
    if isinstance(value, str):
        cell.data_type = "s"
        if value[:1] and value[0] in FORMULA_STARTS:
            cell.quotePrefix = True
    return cell


def letterhead(sheet: Worksheet, content: Written, lines: Sequence[str], width: int) -> int:
    """Write the letterhead and the title lines over `width` columns; return the next free row."""
    head = content.head
    rows: list[tuple[str, Font, float]] = [
        (head.government.upper(), Font(name=FONT, size=11), 15),
        (head.agency.upper(), Font(name=FONT, size=13, bold=True), 18),
        ("  ".join(p for p in (head.address, head.contact) if p), Font(name=FONT, size=8), 13),
    ]
    rows += [(line, Font(name=FONT, size=11, bold=True), 16) for line in lines[:-1]]
    rows += [(line, Font(name=FONT, size=9), 14) for line in lines[-1:]]
    row = 2  # the first row is kept for what is hidden
    for text, font, height in rows:
        cell = put(sheet, row, 1, text)
        cell.font = font
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
        sheet.row_dimensions[row].height = height
        row += 1
        if row == 5:  # below the address: a double rule over the whole width
            for column in range(1, width + 1):
                sheet.cell(row=5, column=column).border = Border(top=Side(style="double"))
            sheet.row_dimensions[5].height = 7
            row = 6
    sheet.row_dimensions[row].height = 6
    return row + 1


def fit_letterhead(sheet: Worksheet, width: int) -> None:
    """Make lines of the letterhead smaller that would run into the logo, then two lines of them.

    The column widths must be set.
    """
    room = _span(sheet, 1, width) - _LOGO_ROOM
    for row in (2, 3, 4, 6, 7, 8):
        cell = sheet.cell(row=row, column=1)
        height = sheet.row_dimensions[row].height
        if not isinstance(cell.value, str) or not height or not cell.font.sz:
            continue
        size = float(cell.font.sz)
        wide = 1.3 if cell.value.isupper() else 1.05  # capitals, against digits
        taken = len(cell.value) * wide * size / 10
        if taken > room:
            size = max(8.0, round(size * room / taken, 1))
            cell.font = Font(name=FONT, size=size, bold=cell.font.b)
        lines = lines_needed(cell.value, room * 10 / (size * wide))
        sheet.row_dimensions[row].height = min(400.0, height * lines)


def _span(sheet: Worksheet, first: int, last: int) -> float:
    """The width of some columns together, in characters."""
    return sum(sheet.column_dimensions[get_column_letter(n)].width for n in range(first, last + 1))


def period_line(content: Content, labels: Labels) -> str:
    """`Periode November 2026 · Nomor …`; a courtesy copy and a dry run are named so first."""
    word = labels.sections["text"]
    letter = content.letter
    trial = word["trial_note"] if content.occasion.trial else ""
    line = f"{word['period']} {letter.period} · {word['number']} {letter.number}"
    return " · ".join(part for part in (word["translated"], trial, line) if part)


def table_head(sheet: Worksheet, row: int, columns: Sequence[Column], labels: Labels) -> None:
    """Write a heading row and set the column widths."""
    for number, column in enumerate(columns, start=1):
        cell = put(sheet, row, number, labels.word("column", column.head or column.key), "bold")
        cell.alignment, cell.border, cell.fill = CENTER, GRID, HEAD_FILL
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    sheet.row_dimensions[row].height = 27
    fit_letterhead(sheet, len(columns))


def table_row(
    sheet: Worksheet,
    row: int,
    columns: Sequence[Column],
    values: Sequence[str | int],
    style: str = "plain",
) -> None:
    """Write one row of a table, high enough for its longest text."""
    for number, (column, value) in enumerate(zip(columns, values, strict=True), start=1):
        cell = put(sheet, row, number, value, style)
        cell.alignment, cell.border = column.align, GRID
    sheet.row_dimensions[row].height = row_height(columns, values)


def row_height(columns: Sequence[Column], values: Sequence[str | int]) -> float:
    """Points that a row needs for its longest text."""
    lines = 1
    for column, value in zip(columns, values, strict=True):
        if isinstance(value, str):
            lines = max(lines, lines_needed(value, column.width))
    return min(400.0, 5 + 12.0 * lines)


@lru_cache(maxsize=1 << 16)
def lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column of `width` characters at the tables' size."""
    if "\n" in text:
        return sum(lines_needed(line, width) for line in text.split("\n"))
    room, lines, used = max(4.0, width * 1.15 - 1.8), 1, 0.0
    for word in text.split(" "):
        length = float(len(word))
        if used and used + 1 + length > room:
            lines, used = lines + 1, 0.0
        if length > room:
            lines += math.ceil(length / room) - 1
            length %= room
        used += length + (1 if used else 0)
    return lines


def full_width(sheet: Worksheet, row: int, width: int, text: str, style: str = "plain") -> None:
    """Write a remark across the whole table."""
    cell = put(sheet, row, 1, text, style)
    framed = style == "muted"  # stands for the rows of an empty table
    cell.alignment = CENTER if framed else Alignment(vertical="top", wrap_text=True)
    for column in range(1, width + 1) if framed else ():
        sheet.cell(row=row, column=column).border = GRID
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
    total = _span(sheet, 1, width)
    sheet.row_dimensions[row].height = min(400.0, 4 + 11.5 * lines_needed(text, total))


def signatures(
    sheet: Worksheet,
    row: int,
    blocks: Sequence[tuple[int, str, Signer]],
    labels: Labels,
) -> int:
    """Write signature blocks (column, lead line, person) side by side; return the next free row.

    A block reaches to the next one or to the table's end: long names take a second line there.
    """
    for offset in range(SIGNATURE_ROWS):
        sheet.row_dimensions[row + offset].height = _SIGN_LINE
    starts = [column for column, _, _ in blocks]
    for (column, lead, person), after in zip(
        blocks, [*(s - 1 for s in starts[1:]), sheet.max_column], strict=True
    ):
        end = max(column, after)
        lines = [
            (0, lead, "sign"),
            (1, f"{person.position},", "sign"),
            (6, person.name, "sign-bold"),
            (7, person.rank if person.known and person.rank != NONE else "", "sign"),
            (8, f"{labels.word('text', 'nip')} {person.nip}", "sign"),
        ]
        for offset, text, style in lines:
            if text:
                cell = put(sheet, row + offset, column, text, style)
                cell.alignment = Alignment(vertical="top", wrap_text=True)
                needed = _SIGN_LINE * lines_needed(text, _span(sheet, column, end) * 0.85)
                dimension = sheet.row_dimensions[row + offset]
                dimension.height = max(dimension.height or 0, needed)
            sheet.merge_cells(
                start_row=row + offset, end_row=row + offset, start_column=column, end_column=end
            )
    return row + SIGNATURE_ROWS
