"""Reads an officer's marks out of a check list (SOP step 3), and refuses every other change.

The file comes from outside: it is read as a stream, formulas are never evaluated, and its size is
bounded before anything is parsed. Rows are known by their number, so a sorted or filtered list, or
one that Excel or LibreOffice saved again, is read all the same.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content, ItemRow
from orchestrator.documents.xlsx.check_list import COLUMNS, DECISION, IDENTITY, item_values
from orchestrator.model.errors import UsageError
from orchestrator.model.text import printable

MAX_UNPACKED = 1024**3
"""Bytes: 400,000 items are about 600 MB of XML."""
_SHOWN_PROBLEMS = 20
_FIXED = DECISION - 1  # columns that nobody may change
_SIGNED = (1, 2, 11)  # remarks and signature blocks below the table stand in these columns


@dataclass(frozen=True)
class Mark:
    """An officer's decision on one item."""

    approved: bool
    remark: str


@dataclass(frozen=True)
class _Row:
    number: int  # of the row in the sheet
    values: tuple[Any, ...]
    formulas: frozenset[int]  # columns that hold a formula

    def text(self, column: int) -> str:
        """The cell as it reads, '' when empty; a formula by its own text."""
        value = self.values[column - 1] if column <= len(self.values) else None
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return " ".join(str(value).split())

    @property
    def item(self) -> int | None:
        """The number of the item, None when the row is none of the table."""
        text = self.text(1)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass
class _Reading:
    """What was read so far."""

    marks: dict[int, Mark] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def refuse(self, row: int, words: str) -> None:
        """Note a problem with a row of the sheet."""
        self.problems.append(f"row {row}: {words}")


def read_marks(path: Path, content: Content, labels: Labels) -> dict[int, Mark]:
    """The decision on every item, by its number.

    `content` is that of the check list that was shown. Raises UsageError naming each row that was
    removed, added or altered, or whose decision cannot be taken; then nothing of it is used.
    """
    rows = _rows(path, labels.word("sheet", "items"))
    _same_plan(path, next(rows, None), content)
    _heading(path, rows, labels)
    expected = {item.number: item for item in content.items}
    reading = _Reading()
    for row in rows:
        _read_row(row, expected, labels, reading)
    gone = [item for number, item in expected.items() if number not in reading.marks]
    if gone and not reading.problems:
        reading.problems += [f"the row of {_named(item)} was removed" for item in gone]
    if reading.problems:
        shown = reading.problems[:_SHOWN_PROBLEMS]
        rest = len(reading.problems) - len(shown)
        more = [f"… and {rest} more"] if rest else []
        raise UsageError(
            f"{path} cannot be taken as decisions:\n  " + "\n  ".join([*shown, *more]),
            "change the columns of decision and remark only, in a copy of the check list; "
            "nothing was signed",
        )
    return reading.marks


def _read_row(row: _Row, expected: dict[int, ItemRow], labels: Labels, reading: _Reading) -> None:
    number = row.item
    if number is None:
        if any(row.text(c) for c in range(1, len(COLUMNS) + 1) if c not in _SIGNED):
            reading.refuse(row.number, f"was added; it has no item number: {_shown(row.text(1))}")
        return
    item = expected.get(number)
    if item is None:
        reading.refuse(row.number, f"was added; the check list has no item {number}")
        return
    if number in reading.marks:
        reading.refuse(row.number, f"was added; {_named(item)} stands there twice")
        return
    reading.marks[number] = Mark(approved=False, remark="")  # seen, whatever is wrong with it
    for column, value in enumerate(item_values(item)[:_FIXED], start=1):
        if column in row.formulas or row.text(column) != " ".join(str(value).split()):
            head = labels.word("column", COLUMNS[column - 1].key)
            reading.refuse(
                row.number,
                f"{_named(item)}: {head} was altered: {_shown(str(value))} became "
                f"{_shown(row.text(column))}",
            )
            return
    mark = _mark(row, item, labels, reading)
    if mark is not None:
        reading.marks[number] = mark


def _mark(row: _Row, item: ItemRow, labels: Labels, reading: _Reading) -> Mark | None:
    approved, deferred = labels.word("decision", "approved"), labels.word("decision", "deferred")
    letters = f"{get_column_letter(DECISION)}{row.number}", f"{get_column_letter(DECISION + 1)}"
    if {DECISION, DECISION + 1} & row.formulas:
        reading.refuse(row.number, f"{_named(item)}: a formula is no decision; write the word")
        return None
    decision, remark = row.text(DECISION), row.text(DECISION + 1)
    remark = "" if remark == NONE else printable(remark)
    word = decision.casefold()
    if word == approved.casefold():
        return Mark(True, remark)
    if word != deferred.casefold():
        what = f"{_shown(decision)} is no decision" if decision else "the decision is empty"
        reading.refuse(
            row.number,
            f"{_named(item)}: {what}; write {approved} or {deferred} in {letters[0]}",
        )
        return None
    if not remark:
        reading.refuse(
            row.number,
            f"{_named(item)}: {deferred} needs a reason in {letters[1]}{row.number}",
        )
        return None
    return Mark(False, remark)


def _named(item: ItemRow) -> str:
    return f"item {item.number} ({printable(item.host, 60)}, {printable(item.name, 60)})"


def _shown(text: str) -> str:
    return repr(printable(text, 60)) if text else "nothing"


def _same_plan(path: Path, first: _Row | None, content: Content) -> None:
    found = [first.text(c) for c in range(1, 5)] if first and first.number == 1 else []
    if not found or found[0] != IDENTITY:
        raise UsageError(
            f"{path} is no check list of sop-run: its hidden first row is missing",
            "mark a copy of the file that `sop-run status` names",
        )
    wanted = [content.cycle, str(content.revision), content.plan_id]
    if found[1:] != wanted:
        raise UsageError(
            f"{path} is a check list of another plan: cycle {printable(found[1], 20)}, "
            f"revision {printable(found[2], 10)}, plan {printable(found[3], 12)}; "
            f"this is cycle {wanted[0]}, revision {wanted[1]}, plan {wanted[2][:12]}",
            "mark a copy of the check list that waits now",
        )


def _heading(path: Path, rows: Iterator[_Row], labels: Labels) -> None:
    """Go on to the row of headings; raises UsageError when it is not as it was written."""
    heads = [labels.word("column", column.key) for column in COLUMNS]
    for row in rows:
        if row.number > 40:
            break
        found = [row.text(c) for c in range(1, len(COLUMNS) + 1)]
        if found == heads:
            return
        if sum(a == b for a, b in zip(found, heads, strict=True)) > len(heads) // 2:
            column = next(n for n, (a, b) in enumerate(zip(found, heads, strict=True)) if a != b)
            raise UsageError(
                f"{path}: row {row.number}: the heading {_shown(heads[column])} was altered to "
                f"{_shown(found[column])}",
                "mark a fresh copy of the check list",
            )
    raise UsageError(f"{path}: the row of headings is missing", "mark a fresh copy")


def _rows(path: Path, sheet_name: str) -> Iterator[_Row]:
    """The rows of the sheet of items, as a stream."""
    try:
        _bounded(path)
        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    try:
        if sheet_name not in book.sheetnames:
            raise UsageError(f"{path} has no sheet {sheet_name!r}", "mark a copy of the check list")
        sheet = book[sheet_name]
        sheet.reset_dimensions()  # what the file says of its own size is not to be trusted
        try:
            for number, cells in enumerate(sheet.iter_rows(max_col=len(COLUMNS)), start=1):
                yield _row(number, cells)
        except _UNREADABLE as error:
            raise _unreadable(path, error) from error
    finally:
        book.close()


_UNREADABLE = (
    OSError, zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError,
    IndexError, AttributeError, NotImplementedError, RuntimeError, EOFError,
)  # fmt: skip
"""What openpyxl and zipfile raise on a file that is damaged or is something else."""


def _unreadable(path: Path, error: BaseException) -> UsageError:
    return UsageError(
        f"{path} cannot be read as an xlsx workbook: {printable(error, 200)}",
        "save it as Excel workbook (.xlsx), without a password",
    )


def _row(number: int, cells: Sequence[Any]) -> _Row:
    formulas = frozenset(n for n, c in enumerate(cells, start=1) if c.data_type == "f")
    return _Row(number, tuple(c.value for c in cells), formulas)


def _bounded(path: Path) -> None:
    """Refuse what would unpack to more than memory, and documents with entities of their own."""
    with zipfile.ZipFile(path) as package:
        if sum(part.file_size for part in package.infolist()) > MAX_UNPACKED:
            raise ValueError("it unpacks to more than 1 GB")
        for part in package.infolist():
            if part.filename.endswith((".xml", ".rels")):
                with package.open(part) as file:
                    if b"<!DOCTYPE" in file.read(4096):
                        raise ValueError(f"{part.filename} declares a document type")
