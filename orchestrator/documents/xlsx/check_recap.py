"""The recap sheet of the check list: items per host and class, with native charts."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
)
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.xlsx.page import printed, protected
from orchestrator.documents.xlsx.sheet import (
    CENTER,
    Column,
    letterhead,
    period_line,
    table_head,
    table_row,
)

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
_FILLS = ("FFFFFF", "A6A6A6", "404040")
CHART_HOSTS = 30
"""A chart shows at most so many hosts; the table shows all."""


def recap_sheet(book: Workbook, content: Content, labels: Labels) -> None:
    """Add the recap sheet."""
    sheet: Worksheet = book.create_sheet(labels.word("sheet", "recap"))
    word = labels.sections["text"]
    head = letterhead(
        sheet,
        content,
        [
            labels.word("title", "recap"),
            period_line(content, labels),
        ],
        len(_COLUMNS),
    )
    table_head(sheet, head, _COLUMNS, labels)
    row = head
    for host in content.hosts:
        row += 1
        table_row(
            sheet,
            row,
            _COLUMNS,
            [
                host.number,
                host.name,
                host.system,
                host.security,
                host.antivirus,
                host.items,
                host.approved,
                host.deferred,
                host.reboot_asked,
            ],
        )
    totals = content.totals
    total_row = row + 1
    table_row(
        sheet,
        total_row,
        _COLUMNS,
        [
            "",
            word["total"],
            totals.system,
            totals.security,
            totals.antivirus,
            totals.items,
            totals.approved,
            totals.deferred,
            "",
        ],
        "bold",
    )
    if totals.items:
        last = min(row, head + CHART_HOSTS)
        _by_host(sheet, head, last, word["chart_host"], f"A{total_row + 2}")
        below = total_row + 4 + round(_height(last - head) / 0.53)
        _by_class(sheet, head, total_row, word["chart_class"], f"A{below}")
    printed(sheet, content, labels, head, landscape=False)
    protected(sheet)


def _height(hosts: int) -> int:
    return 4 + round(0.75 * hosts)


def _title(text: str) -> Title:
    """A chart title of the size of the headings of the sheet."""
    look = CharacterProperties(sz=1100, b=True)
    line = Paragraph(pPr=ParagraphProperties(defRPr=look), r=[RegularTextRun(rPr=look, t=text)])
    return Title(tx=Text(rich=RichText(p=[line])), overlay=False)


def _bars(title: str, height: int) -> BarChart:
    chart = BarChart()
    chart.type = "bar"
    chart.title = _title(title)
    chart.gapWidth = 60
    chart.width, chart.height = 22, height
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.scaling.orientation = "maxMin"  # the first host on top
    chart.y_axis.majorUnit = None
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    return chart


def _by_host(sheet: Worksheet, head: int, last: int, title: str, anchor: str) -> None:
    chart = _bars(title, _height(last - head))
    chart.grouping, chart.overlap = "stacked", 100
    chart.add_data(
        Reference(sheet, min_col=3, max_col=5, min_row=head, max_row=last), titles_from_data=True
    )
    chart.set_categories(Reference(sheet, min_col=2, min_row=head + 1, max_row=last))
    for series, fill in zip(chart.series, _FILLS, strict=True):
        series.graphicalProperties.solidFill = fill
        series.graphicalProperties.line.solidFill = "000000"
    chart.legend.position = "b"
    sheet.add_chart(chart, anchor)


def _by_class(sheet: Worksheet, head: int, total: int, title: str, anchor: str) -> None:
    chart = _bars(title, 5)
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
    sheet.add_chart(chart, anchor)
