"""Tables of very many rows: written as XML while the file is saved, so that no row is kept.

A row is drawn once for each of the few ways in which rows look; the rest take over its styles.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.xlsx.sheet import FORMULA_STARTS, Column, row_height

STREAM_FROM = 2_000
"""A table of more rows is streamed."""


class Book(Workbook):
    """A workbook, with the streamed table of each sheet that has one."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[str, Body] = {}  # by the sheet's title


@dataclass(frozen=True)
class Drawing:
    """How a table draws a record: its cells' values, its look, and the row itself."""

    columns: Sequence[Column]
    values: Callable[[Any], Sequence[str | int]]
    look: Callable[[Any], Hashable]  # records of one look have the same styles
    draw: Callable[[Worksheet, int, Any], None]


@dataclass(frozen=True)
class Body:
    """The rows of a streamed table."""

    first: int
    records: Sequence[Any]
    drawing: Drawing
    styles: dict[Hashable, list[tuple[int, int]]]  # by look: style of plain text, and of '=…'

    def xml(self) -> Iterator[bytes]:
        """The rows as XML, some hundred at a time."""
        letters = [get_column_letter(n) for n in range(1, len(self.drawing.columns) + 1)]
        rows: list[str] = []
        for number, record in enumerate(self.records, start=self.first):
            rows.append(self._row(number, record, letters))
            if len(rows) == 500:
                yield "".join(rows).encode("utf-8")
                rows.clear()
        yield "".join(rows).encode("utf-8")

    def _row(self, number: int, record: Any, letters: Sequence[str]) -> str:
        values = self.drawing.values(record)
        styles = self.styles[self.drawing.look(record)]
        height = row_height(self.drawing.columns, values)
        cells = [f'<row r="{number}" ht="{height}" customHeight="1">']
        for letter, value, (plain, quoted) in zip(letters, values, styles, strict=True):
            if isinstance(value, int):
                cells.append(f'<c r="{letter}{number}" s="{plain}"><v>{value}</v></c>')
            elif value:
                style = quoted if value[0] in FORMULA_STARTS else plain
                cells.append(
                    f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is>'
                    f'<t xml:space="preserve">{escape(value)}</t></is></c>'
                )
            else:
                cells.append(f'<c r="{letter}{number}" s="{plain}"/>')
        return "".join(cells) + "</row>"


def table(sheet: Worksheet, first: int, records: Sequence[Any], drawing: Drawing) -> int:
    """Draw the rows of a table, or have them streamed when there are many; the last row."""
    book = sheet.parent
    if len(records) <= STREAM_FROM or not isinstance(book, Book):
        for row, record in enumerate(records, start=first):
            drawing.draw(sheet, row, record)
    else:
        book.bodies[sheet.title] = Body(first, records, drawing, _styles(book, records, drawing))
    return first + len(records) - 1


def _styles(
    book: Book, records: Sequence[Any], drawing: Drawing
) -> dict[Hashable, list[tuple[int, int]]]:
    """Draw one record of each look on a sheet that is not kept, and note the styles."""
    found: dict[Hashable, list[tuple[int, int]]] = {}
    scratch = Worksheet(book, "scratch")
    for record in records:
        look = drawing.look(record)
        if look in found:
            continue
        row = len(found) + 1  # of its own: nothing of another look may shine through
        drawing.draw(scratch, row, record)
        styles = []
        for column in range(1, len(drawing.columns) + 1):
            cell = scratch.cell(row=row, column=column)
            pair = []
            for quoted in (False, True):
                cell._style = copy(cell._style)  # type: ignore[union-attr] # the book keeps the old one
                cell.quotePrefix = quoted
                pair.append(cell.style_id)
            styles.append((pair[0], pair[1]))
        found[look] = styles
    return found
