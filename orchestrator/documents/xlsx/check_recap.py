"""The recap sheet of the check list: items per host, class and priority, with native charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.styles import Border
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content, HostRow
from orchestrator.documents.xlsx.charts import FILLS, chart_title
from orchestrator.documents.xlsx.page import page_of, printed, protected, room_of
from orchestrator.documents.xlsx.sheet import (
    CENTER,
    Column,
    letterhead,
    period_line,
    put,
    table_head,
    table_row,
)
from orchestrator.documents.xlsx.stream import Drawing, table

_COLUMNS = (
    Column("number", 6, CENTER),
    Column("host", 34),
    Column("system", 11, CENTER),
    Column("security", 11, CENTER),
    Column("antivirus", 11, CENTER),
    Column("count", 11, CENTER),
    Column("approved_count", 11, CENTER),
    Column("deferred_count", 11, CENTER),
    Column("reboot", 11, CENTER),
)
_KINDS = ("system", "security", "antivirus")
_PRIORITIES = ("critical", "high", "medium", "low")
CHART_HOSTS = 25
"""A chart shows at most so many hosts; the table shows all."""
_NAME = 28  # characters of a host's name in a chart
_ROW = 15.0  # points


def recap_sheet(book: Workbook, content: Content, labels: Labels) -> None:
    """Add the recap sheet."""
    sheet: Worksheet = book.create_sheet(labels.word("sheet", "recap"))
    word = labels.sections["text"]
    titles = [labels.word("title", "recap"), period_line(content, labels)]
    head = letterhead(sheet, content, titles, len(_COLUMNS))
    table_head(sheet, head, _COLUMNS, labels)
    drawing = Drawing(
        _COLUMNS,
        _counts,
        lambda host: "plain",
        lambda place, at, host: table_row(place, at, _COLUMNS, _counts(host)),
    )
    row = table(sheet, head + 1, content.hosts, drawing)
    totals, total_row = content.totals, row + 1
    sums = [totals.system, totals.security, totals.antivirus, totals.items]
    table_row(
        sheet,
        total_row,
        _COLUMNS,
        ["", word["total"], *sums, totals.approved, totals.deferred, ""],
        "bold",
    )
    last = total_row
    if totals.items:
        last = _priorities(sheet, total_row + 2, content, labels)
    printed(sheet, content, labels, head, landscape=False)
    if totals.items:
        _charts(sheet, content, head, last, labels)
    protected(sheet)


def _counts(host: HostRow) -> list[str | int]:
    counts = (host.system, host.security, host.antivirus, host.items)
    return [host.number, host.name, *counts, host.approved, host.deferred, host.reboot_asked]


def _priorities(sheet: Worksheet, head: int, content: Content, labels: Labels) -> int:
    """A small table of items by priority and class; returns its last row."""
    counts = Counter((i.priority_key, i.kind_key) for i in content.items)
    columns = _COLUMNS[1:6]
    heads = [labels.word("column", "priority"), *(labels.word("column", k) for k in _KINDS)]
    table = [[*heads, labels.word("column", "count")]]
    rows = [(labels.word("priority", p), [counts[p, k] for k in _KINDS]) for p in _PRIORITIES]
    _beside(sheet, head, columns, table[0], "bold")
    for offset, (name, numbers) in enumerate(rows, start=1):
        _beside(sheet, head + offset, columns, [name, *numbers, sum(numbers)], "plain")
    return head + len(rows)


def _beside(
    sheet: Worksheet, row: int, columns: Sequence[Column], values: Sequence[str | int], style: str
) -> None:
    """A row of a table that begins in the second column."""
    table_row(sheet, row, (_COLUMNS[0], *columns), ["", *values], style)
    sheet.cell(row=row, column=1).border = Border()


def _charts(sheet: Worksheet, content: Content, head: int, end: int, labels: Labels) -> None:
    """Three charts below the tables, none of them torn by the end of a page."""
    word = labels.sections["text"]
    hosts = len(content.hosts)
    shown = min(hosts, CHART_HOSTS)
    title = word["chart_host"]
    if shown < hosts:
        title = word["chart_host_few"].format(shown=shown, all=hosts)
    row = end + 2
    for chart in (
        _by_host(sheet, content, head, head + shown, title),
        _by_priority(sheet, end - len(_PRIORITIES), end, word["chart_priority"]),
        _by_class(sheet, head, head + hosts + 1, word["chart_class"]),
    ):
        rows = round(chart.height / 2.54 * 72 / _ROW) + 1
        if page_of(sheet, row, head) != page_of(sheet, row + rows, head) and (
            rows * _ROW < room_of(sheet)
        ):
            sheet.row_breaks.append(Break(id=row - 1))
            row += 1  # else the frame's line would show on the page before
        sheet.add_chart(chart, f"A{row}")
        row += rows
    sheet.print_area = f"A1:{get_column_letter(len(_COLUMNS))}{row}"


def _bars(title: str, height: float) -> BarChart:
    chart = BarChart()
    chart.type = "bar"
    chart.title = chart_title(title)
    chart.gapWidth = 60
    chart.width, chart.height = 22, height
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.scaling.orientation = "maxMin"  # the first row on top
    chart.y_axis.majorUnit = None
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    return chart


def _stacked(sheet: Worksheet, title: str, height: float, first: int, last: int) -> BarChart:
    """Bars of the three classes, from rows `first` (names of the classes) to `last`."""
    chart = _bars(title, height)
    chart.grouping, chart.overlap = "stacked", 100
    area = Reference(sheet, min_col=3, max_col=5, min_row=first, max_row=last)
    chart.add_data(area, titles_from_data=True)
    for series, fill in zip(chart.series, FILLS, strict=True):
        series.graphicalProperties.solidFill = fill
        series.graphicalProperties.line.solidFill = "000000"
    chart.legend.position = "b"
    return chart


def _by_host(sheet: Worksheet, content: Content, head: int, last: int, title: str) -> BarChart:
    chart = _stacked(sheet, title, 3.5 + 0.72 * (last - head), head, last)
    names = Reference(sheet, min_col=2, min_row=head + 1, max_row=last)
    values = [host.name for host in content.hosts[: last - head]]
    if any(len(name) > _NAME for name in values):
        column = len(_COLUMNS) + 2  # beside what is printed: names as long as a chart can take
        for row, name in enumerate(values, start=head + 1):
            put(
                sheet, row, column, name if len(name) <= _NAME else f"{name[: _NAME - 1]}…", "faint"
            )
        names = Reference(sheet, min_col=column, min_row=head + 1, max_row=last)
    chart.set_categories(names)
    return chart


def _by_priority(sheet: Worksheet, head: int, last: int, title: str) -> BarChart:
    chart = _stacked(sheet, title, 5.5, head, last)
    chart.set_categories(Reference(sheet, min_col=2, min_row=head + 1, max_row=last))
    return chart


def _by_class(sheet: Worksheet, head: int, total: int, title: str) -> BarChart:
    chart = _bars(title, 4)
    chart.add_data(
        Reference(sheet, min_col=3, max_col=5, min_row=total, max_row=total), from_rows=True
    )
    chart.set_categories(Reference(sheet, min_col=3, max_col=5, min_row=head, max_row=head))
    chart.legend = None
    chart.dataLabels = DataLabelList(
        showVal=True, showSerName=False, showCatName=False, showLegendKey=False, showPercent=False
    )
    chart.series[0].graphicalProperties.solidFill = "7F7F7F"
    chart.series[0].graphicalProperties.line.solidFill = "000000"
    return chart
