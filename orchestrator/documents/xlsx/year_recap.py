"""Rekapitulasi Tahunan: a year's cycles, step times, hosts and security patches as a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel.dates import get_month_names
from openpyxl import Workbook
from openpyxl.chart import BarChart
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.year import VERDICTS, YearContent
from orchestrator.documents.xlsx.charts import bars
from orchestrator.documents.xlsx.dress import Dress
from orchestrator.documents.xlsx.package import new_workbook, workbook_bytes
from orchestrator.documents.xlsx.page import keep_signatures, printed, protected
from orchestrator.documents.xlsx.sheet import (
    CENTER,
    Column,
    full_width,
    letterhead,
    put,
    signatures,
    table_head,
    table_row,
)

CHART_ROWS = 30
"""A chart shows at most so many groups; the table shows all."""
ONE_PAGE = 20
"""Rows of a table that surely stand on one page, with its charts on the next."""
_POINTS = 28.35  # of a centimetre
_CYCLES = (
    Column("number", 4.5, CENTER),
    Column("year_cycle", 13, CENTER),
    Column("year_kind", 12, CENTER),
    Column("year_opened", 12, CENTER),
    Column("year_closed", 12, CENTER),
    Column("year_hosts", 9, CENTER),
    Column("system", 9, CENTER),
    Column("security", 11, CENTER),
    Column("antivirus", 10.5, CENTER),
    Column("count", 9, CENTER),
    Column("approved_count", 9, CENTER),
    Column("deferred_count", 9, CENTER),
    Column("succeeded", 9.5, CENTER),
    Column("year_good", 10, CENTER),
    Column("year_bad", 10, CENTER),
    Column("year_late", 14, CENTER),
    Column("year_archive", 14, CENTER),
)
_HOSTS = (
    Column("number", 4.5, CENTER),
    Column("host", 24),
    Column("year_cycles", 9, CENTER),
    *(Column(f"year_{v}", 13, CENTER) for v in VERDICTS),
    Column("year_lost", 13, CENTER),
    Column("year_other", 11, CENTER),
    Column("year_installed", 12, CENTER),
)
_PATCHES = (
    Column("number", 4.5, CENTER),
    Column("year_cycle", 12, CENTER),
    Column("host", 18),
    Column("name", 24),
    Column("version_after", 24),
    Column("advisories", 34),
    Column("year_published", 13, CENTER),
    Column("year_patched", 13, CENTER),
    Column("year_days", 10, CENTER),
)
_Rows = Sequence[Sequence[str | int]]


@dataclass(frozen=True)
class _Table:
    """One sheet: its words, columns and rows."""

    key: str  # of labels `title` and `sheet`
    columns: Sequence[Column]
    rows: _Rows
    total: Sequence[str | int] = ()
    bold: int = 0  # column in bold where it is not 0 or '–'
    months: int = 0  # first of twelve columns whose headings are months


@dataclass(frozen=True)
class _Placed:
    """Where a table lies on its sheet."""

    sheet: Worksheet
    head: int
    last: int  # last row of the table without the total
    end: int  # last row with the total and the remarks


def year_recap(content: YearContent, labels: Labels, dress: Dress) -> bytes:
    """The workbook as bytes; the same year, the same bytes."""
    title = f"{labels.word('title', 'year')} {content.cycle}"
    book = new_workbook(content, labels, title)
    _cycles(book, content, labels)
    _steps(book, content, labels)
    _hosts(book, content, labels)
    _patches(book, content, labels)
    return workbook_bytes(book, content.as_of, dress)


def _cycles(book: Workbook, content: YearContent, labels: Labels) -> None:
    rows: list[list[str | int]] = [
        [
            number, c.cycle, c.kind, c.opened, c.closed, c.hosts, c.system, c.security,
            c.antivirus, c.items, c.approved, c.deferred, c.succeeded, c.good, c.bad, c.late,
            c.archive,
        ]
        for number, c in enumerate(content.cycles, 1)
    ]  # fmt: skip
    total: list[str | int] = ["", labels.word("text", "total"), "", "", "", ""]
    total += [sum(int(row[n]) for row in rows) for n in range(6, 15)]
    table = _Table("year", _CYCLES, rows, [*total, "", ""], bold=15)
    placed = _write(book, table, content, labels)
    rows_shown = (placed.head, min(placed.last, placed.head + CHART_ROWS))

    def chart(key: str, first: int, last: int, width: float) -> BarChart:
        return bars(
            placed.sheet,
            labels.word("recap_year", key),
            series=(first, last),
            names=2,
            rows=rows_shown,
            size=(width, 8.0),
        )

    # Two halves of the table's width, side by side.
    placed.sheet.add_chart(chart("chart_items", 7, 9, 16.0), f"A{placed.end + 3}")
    placed.sheet.add_chart(chart("chart_hosts", 14, 15, 18.0), f"I{placed.end + 3}")
    _finish(placed, content, labels, below=8.8, left=2, right=13)


def _steps(book: Workbook, content: YearContent, labels: Labels) -> None:
    months = get_month_names("abbreviated", locale=labels.locale)
    table_columns = (
        Column("number", 4.5, CENTER),
        Column("year_step", 36),
        Column("year_role", 40),
        Column("year_standard", 9, CENTER),
        Column("year_average", 10, CENTER),
        Column("year_longest", 10, CENTER),
        *(Column("number", 7.5, CENTER, head="month") for _ in months),
        Column("year_done", 8, CENTER),
        Column("year_on_time", 8, CENTER),
        Column("year_over", 8, CENTER),
    )

    def minutes(value: int | None) -> str | int:
        return NONE if value is None else value

    rows = [
        [
            s.number, s.activity, s.role, minutes(s.standard), minutes(s.average),
            minutes(s.longest), *map(minutes, s.months), s.done, s.on_time, s.late,
        ]
        for s in content.steps
    ]  # fmt: skip
    table = _Table("year_steps", table_columns, rows, bold=21, months=7)
    placed = _write(book, table, content, labels, [labels.word("recap_year", "minutes_note")])
    chart = bars(
        placed.sheet,
        labels.word("recap_year", "chart_steps"),
        series=(20, 21),
        names=2,
        rows=(placed.head, placed.last),
        lying=True,
        size=(26, 7.6),
    )
    placed.sheet.add_chart(chart, f"B{placed.end + 3}")
    _finish(placed, content, labels, below=8.4, left=2, right=13)


def _hosts(book: Workbook, content: YearContent, labels: Labels) -> None:
    rows: list[list[str | int]] = [
        [number, h.host, h.cycles, *h.verdicts, h.lost, h.other, h.succeeded]
        for number, h in enumerate(content.hosts, 1)
    ]
    total: list[str | int] = ["", labels.word("text", "total")]
    total += [sum(int(row[n]) for row in rows) for n in range(2, len(_HOSTS))]
    placed = _write(book, _Table("year_hosts", _HOSTS, rows, total), content, labels)
    _finish(placed, content, labels, below=0, left=2, right=9)


def _patches(book: Workbook, content: YearContent, labels: Labels) -> None:
    rows: list[list[str | int]] = [
        [
            number, p.cycle, p.host, p.name, p.after, p.advisories, p.published, p.installed,
            p.days,
        ]
        for number, p in enumerate(content.patches, 1)
    ]  # fmt: skip
    days = [p.days for p in content.patches]
    remarks = []
    if days:
        average = round(sum(days) / len(days))
        remarks.append(
            labels.word("recap_year", "days").format(
                count=len(days), average=average, longest=max(days)
            )
        )
    remarks.append(labels.word("recap_year", "days_meaning"))
    if content.undated:
        remarks.append(labels.word("recap_year", "undated").format(count=content.undated))
    placed = _write(book, _Table("year_patches", _PATCHES, rows), content, labels, remarks)
    _finish(placed, content, labels, below=0, left=2, right=6)


def _write(
    book: Workbook,
    table: _Table,
    content: YearContent,
    labels: Labels,
    remarks: Sequence[str] = (),
) -> _Placed:
    sheet: Worksheet = book.create_sheet(labels.word("sheet", table.key))
    width = len(table.columns)
    titles = [
        labels.word("title", "year"),
        labels.word("title", f"{table.key}_2"),
        f"{labels.word('recap_year', 'year')} {content.cycle}",
    ]
    head = letterhead(sheet, content, titles, width)
    table_head(sheet, head, table.columns, labels)
    if table.months:
        names = get_month_names("abbreviated", locale=labels.locale)
        for month in range(1, 13):
            sheet.cell(row=head, column=table.months + month - 1).value = names[month]
    row = head
    for values in table.rows:
        row += 1
        table_row(sheet, row, table.columns, values)
        if table.bold and values[table.bold - 1] not in (0, NONE):
            cell = put(sheet, row, table.bold, values[table.bold - 1], "bold")
            cell.alignment = CENTER
    if not table.rows:
        row += 1
        full_width(sheet, row, width, labels.word("text", "no_rows"), "muted")
    end = row
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(width)}{row}"
    if table.total and table.rows:
        end += 1
        table_row(sheet, end, table.columns, table.total, "bold")
    for text in remarks:
        end += 1
        full_width(sheet, end, width, text)
        sheet.cell(row=end, column=1).alignment = Alignment(vertical="center", wrap_text=True)
    return _Placed(sheet, head, row, end)


def _finish(
    placed: _Placed, content: YearContent, labels: Labels, *, below: float, left: int, right: int
) -> None:
    """Signature block under a chart of `below` centimetres, print set-up and protection."""
    first = placed.end + 2 + (round(below * _POINTS / 15) + 1 if below else 0)
    word = labels.sections["text"]
    drafted = (left, word["drafted_by"], content.drafter)
    place = f"{content.head.city}, {content.letter.date}"
    signatures(placed.sheet, first, [drafted, (right, place, content.establisher)], labels)
    # A heading over charts alone would mislead.
    repeat = not below or placed.last - placed.head > ONE_PAGE
    printed(placed.sheet, content, labels, placed.head, repeat=repeat)
    chart = placed.end + 2 if below else 0
    keep_signatures(placed.sheet, first, placed.head, placed.last, chart)
    protected(placed.sheet)
