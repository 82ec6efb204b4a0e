"""Catatan Update/Perbaikan (SOP steps 6 and 7): backups, items and result per host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import BackupRow, Content, HostRow, ItemRow
from orchestrator.documents.xlsx.dress import Dress
from orchestrator.documents.xlsx.package import new_workbook, workbook_bytes
from orchestrator.documents.xlsx.page import keep_signatures, printed, protected
from orchestrator.documents.xlsx.sheet import (
    CENTER,
    RIGHT,
    STYLES,
    Column,
    full_width,
    letterhead,
    period_line,
    signatures,
    table_head,
    table_row,
)
from orchestrator.documents.xlsx.stream import Drawing, table

_BACKUP = (
    Column("number", 4.5, CENTER),
    Column("host", 16),
    Column("status", 14, CENTER),
    Column("method", 17),
    Column("location", 27),
    Column("created", 15, CENTER),
    Column("size", 10, RIGHT),
    Column("sha256", 25),
    Column("proof", 38),
)
_UPDATE = (
    Column("number", 4.5, CENTER),
    Column("host", 15),
    Column("name", 18),
    Column("arch", 9, CENTER),
    Column("kind", 11, CENTER),
    Column("version_before", 16.5),
    Column("version_approved", 16.5),
    Column("version_after", 16.5),
    Column("decision", 11, CENTER),
    Column("started", 7.5, CENTER),
    Column("ended", 8, CENTER),
    Column("result", 15),
    Column("remark", 28),
)
_RESULT = (
    Column("number", 4.5, CENTER),
    Column("host", 14),
    Column("address", 12.5),
    Column("os", 16),
    Column("approved_count", 8, CENTER),
    Column("succeeded", 9, CENTER),
    Column("started", 7.5, CENTER),
    Column("ended", 8, CENTER),
    Column("rebooted", 8.5, CENTER),
    Column("tests", 11.5, CENTER),
    Column("eicar", 17),
    Column("result", 17),
    Column("remark", 22),
    Column("findings", 46),
)
_Row = tuple[list[str | int], str, int]  # values, style, column in bold (0: none)


@dataclass(frozen=True)
class _Part:
    """One sheet of the record."""

    key: str  # of labels `title` and `sheet`
    columns: Sequence[Column]
    records: Sequence[Any]
    row: Callable[[Any], _Row]
    signer_column: int


def update_record(content: Content, labels: Labels, dress: Dress) -> bytes:
    """The workbook with the sheets for backup, update and result, as bytes."""
    book = new_workbook(content, labels, labels.word("title", "update"))
    for part in (
        _Part("backup", _BACKUP, tuple(enumerate(content.backups, 1)), _backup, signer_column=8),
        _Part("update", _UPDATE, content.items, _update, signer_column=9),
        _Part("result", _RESULT, content.hosts, _result(content), signer_column=12),
    ):
        _sheet(book, part, content, labels)
    return workbook_bytes(book, content.as_of, dress)


def _backup(numbered: tuple[int, BackupRow]) -> _Row:
    number, b = numbered
    values: list[str | int] = [number, b.host, b.status, b.method, b.location, b.created, b.size]
    is_bad = b.status_key in ("refused", "failed", "missing", "unproven")
    return [*values, b.sha256, b.proof], "plain", 3 if is_bad else 0


def _update(i: ItemRow) -> _Row:
    is_deferred = i.decision_key == "deferred"
    values: list[str | int] = [
        i.number, i.host, i.name, i.arch, i.kind, i.before, i.approved, i.after, i.decision,
        i.started, i.ended, i.result, i.remark if is_deferred else i.message,
    ]  # fmt: skip
    is_good = i.result_key in ("updated", "current", "deferred", "pending")
    return values, "muted" if is_deferred else "plain", 0 if is_good else 12


def _result(content: Content) -> Callable[[HostRow], _Row]:
    findings: dict[str, list[str]] = {}
    for finding in content.findings:
        text = f"{finding.phase}: {finding.text}"
        if finding.hint != NONE:
            text += f" ({finding.hint})"
        findings.setdefault(finding.host, []).append(text)

    def row(h: HostRow) -> _Row:
        values: list[str | int] = [
            h.number, h.name, h.address, h.os, h.approved, h.succeeded, h.started, h.ended,
            h.rebooted, h.tests, h.eicar, h.verdict, h.meaning,
            "\n".join(findings.get(h.name, [])) or NONE,
        ]  # fmt: skip
        return values, "plain", 0 if h.good else 12

    return row


def _drawing(part: _Part) -> Drawing:
    def draw(sheet: Worksheet, at: int, record: Any) -> None:
        values, style, bold = part.row(record)
        table_row(sheet, at, part.columns, values, style)
        if bold:
            sheet.cell(row=at, column=bold).font = STYLES["bold"]

    return Drawing(part.columns, lambda r: part.row(r)[0], lambda r: tuple(part.row(r)[1:]), draw)


def _sheet(book: Workbook, part: _Part, content: Content, labels: Labels) -> None:
    columns = part.columns
    sheet: Worksheet = book.create_sheet(labels.word("sheet", part.key))
    titles = [labels.word("title", part.key), labels.word("title", f"{part.key}_2")]
    head = letterhead(sheet, content, [*titles, period_line(content, labels)], len(columns))
    table_head(sheet, head, columns, labels)
    row = table(sheet, head + 1, part.records, _drawing(part))
    if not part.records:
        row += 1
        full_width(sheet, row, len(columns), labels.word("text", "no_rows"), "muted")
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(len(columns))}{row}"
    place = f"{content.head.city}, {content.letter.date}"
    signatures(
        sheet,
        row + 2,
        [
            (2, labels.word("text", "monitored_by"), content.people.monitor),
            (part.signer_column, place, content.people.executor),
        ],
        labels,
    )
    printed(sheet, content, labels, head)
    keep_signatures(sheet, row + 2, head, row)
    protected(sheet)
