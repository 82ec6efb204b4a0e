"""Cells, tables, letterhead and print set-up that all sheets share.

Text is always written as text: a name that begins with '=' never becomes a formula.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content, Signer

FONT = "Arial"
"""On Windows; elsewhere Liberation Sans of the same widths takes its place."""
SIGNATURE_ROWS = 9
"""Rows that a signature block takes."""

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
    "sign": Font(name=FONT, size=10),
    "sign-bold": Font(name=FONT, size=10, bold=True),
}
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1)
CENTER = Alignment(horizontal="center", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center", wrap_text=True, indent=1)


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
        if value[:1] in "=+-@'":
            cell.quotePrefix = True
    return cell


def letterhead(sheet: Worksheet, content: Content, lines: Sequence[str], width: int) -> int:
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
        cell.font, cell.alignment = font, Alignment(horizontal="center", vertical="center")
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


def period_line(content: Content, labels: Labels) -> str:
    """`Periode November 2026 · Nomor …`; a dry run is named first."""
    word = labels.sections["text"]
    letter = content.letter
    trial = f"{word['trial_note']} · " if content.occasion.trial else ""
    return f"{trial}{word['period']} {letter.period} · {word['number']} {letter.number}"


def table_head(sheet: Worksheet, row: int, columns: Sequence[Column], labels: Labels) -> None:
    """Write a heading row and set the column widths."""
    for number, column in enumerate(columns, start=1):
        cell = put(sheet, row, number, labels.word("column", column.head or column.key), "bold")
        cell.alignment, cell.border, cell.fill = CENTER, GRID, HEAD_FILL
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    sheet.row_dimensions[row].height = 27


def table_row(
    sheet: Worksheet,
    row: int,
    columns: Sequence[Column],
    values: Sequence[str | int],
    style: str = "plain",
) -> None:
    """Write one row of a table, high enough for its longest text."""
    lines = 1
    for number, (column, value) in enumerate(zip(columns, values, strict=True), start=1):
        cell = put(sheet, row, number, value, style)
        cell.alignment, cell.border = column.align, GRID
        if isinstance(value, str):
            lines = max(lines, lines_needed(value, column.width))
    sheet.row_dimensions[row].height = min(400.0, 5 + 12.0 * lines)


def lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column of `width` characters at the tables' size."""
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
    total = sum(sheet.column_dimensions[get_column_letter(n)].width for n in range(1, width + 1))
    sheet.row_dimensions[row].height = min(400.0, 4 + 11.5 * lines_needed(text, total))


def signatures(
    sheet: Worksheet,
    row: int,
    blocks: Sequence[tuple[int, str, Signer]],
    labels: Labels,
) -> int:
    """Write signature blocks (column, lead line, person) side by side; return the next free row."""
    for column, lead, person in blocks:
        lines = [
            (0, lead, "sign"),
            (1, f"{person.position},", "sign"),
            (6, person.name, "sign-bold"),
            (7, person.rank if person.known else "", "sign"),
            (8, f"{labels.word('text', 'nip')} {person.nip}", "sign"),
        ]
        for offset, text, style in lines:
            if text:
                put(sheet, row + offset, column, text, style)
    for offset in range(SIGNATURE_ROWS):
        sheet.row_dimensions[row + offset].height = 13.5
    return row + SIGNATURE_ROWS
