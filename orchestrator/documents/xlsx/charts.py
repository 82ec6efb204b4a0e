"""Native charts that read well in black and white."""

from __future__ import annotations

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
)
from openpyxl.worksheet.worksheet import Worksheet

FILLS = ("FFFFFF", "A6A6A6", "404040")


def chart_title(text: str) -> Title:
    """A chart title of the size of the headings of the sheet."""
    look = CharacterProperties(sz=1100, b=True)
    line = Paragraph(pPr=ParagraphProperties(defRPr=look), r=[RegularTextRun(rPr=look, t=text)])
    return Title(tx=Text(rich=RichText(p=[line])), overlay=False)


def bars(
    sheet: Worksheet,
    title: str,
    *,
    series: tuple[int, int],
    names: int,
    rows: tuple[int, int],
    lying: bool = False,
    size: tuple[float, float],
) -> BarChart:
    """Stacked bars, upright or lying, one for each row.

    `rows` are the heading row and the last row, `series` the first and last column of numbers,
    `names` the column with the rows' names, `size` width and height in centimetres.
    """
    chart = BarChart()
    chart.type = "bar" if lying else "col"
    chart.title = chart_title(title)
    chart.gapWidth = 60
    chart.width, chart.height = size  # type: ignore[assignment]
    chart.grouping, chart.overlap = "stacked", 100
    if lying:
        chart.x_axis.scaling.orientation = "maxMin"  # the first one on top
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    first, last = rows
    chart.add_data(
        Reference(sheet, min_col=series[0], max_col=series[1], min_row=first, max_row=last),
        titles_from_data=True,
    )
    chart.set_categories(Reference(sheet, min_col=names, min_row=first + 1, max_row=last))
    for one, fill in zip(chart.series, FILLS, strict=False):
        one.graphicalProperties.solidFill = fill
        one.graphicalProperties.line.solidFill = "000000"
    chart.legend.position = "b"
    return chart
