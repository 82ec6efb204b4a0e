"""Paper, scale, page breaks and protection of a sheet.

The scale is computed instead of "fit to width": spreadsheet programs ignore page breaks in that
mode, and a signature block must not be torn apart by the end of a page.
"""

from __future__ import annotations

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.xlsx.sheet import FONT, SIGNATURE_ROWS

PAPER = {"f4": (14, 8.5, 13.0), "a4": (9, 8.27, 11.69)}
"""Excel's paper code, width and height in inches; code 14 is Folio."""

_SIDE, _TOP, _BOTTOM = 0.4, 0.55, 0.7  # margins, inches
_DEFAULT_ROW = 15.0  # points
_DIGIT = 5.6  # points: the width of a digit of Arial 10, in which columns are measured
_SAFETY = 0.97  # column widths differ a little between programs and printers


def printed(
    sheet: Worksheet, content: Content, labels: Labels, head_row: int, *, landscape: bool = True
) -> None:
    """Paper, margins, scale to one page wide, repeated heading, footer with the plan's id."""
    code, width, height = PAPER[content.letter.paper]
    if landscape:
        width, height = height, width
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = code
    sheet.page_setup.scale = _scale(sheet, (width - 2 * _SIDE) * 72)
    sheet.print_title_rows = f"{head_row}:{head_row}"
    sheet.freeze_panes = f"A{head_row + 1}"
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = _SIDE
    margins.top, margins.bottom, margins.header, margins.footer = _TOP, _BOTTOM, 0.3, 0.3
    sheet.sheet_view.showGridLines = False
    _footer(sheet, content, labels)
    if content.occasion.trial:
        _trial(sheet, labels)


def keep_signatures(sheet: Worksheet, first: int, head_row: int, last_row: int) -> None:
    """Begin a new page when one would end in or just before the signature block at row `first`.

    The last two rows of the table go with it: signatures never stand on a page of their own.
    """
    begin = max(last_row - 1, head_row + 1)
    setup = sheet.page_setup
    _, width, height = next(p for p in PAPER.values() if p[0] == int(setup.paperSize or 0))
    tall = width if setup.orientation == "landscape" else height
    room = (tall - _TOP - _BOTTOM) * 72 / (int(setup.scale or 100) / 100) * _SAFETY
    used, page, page_before = 0.0, 1, 1
    for row in range(1, first + SIGNATURE_ROWS):
        tallness = 0.0 if sheet.row_dimensions[row].hidden else _height(sheet, row)
        if used + tallness > room:
            page, used = page + 1, _height(sheet, head_row)
        used += tallness
        if row == begin:
            page_before = page
    if page != page_before:
        sheet.row_breaks.append(Break(id=begin - 1))


def protected(sheet: Worksheet) -> None:
    """Lock all but the input cells, without a password; filters and widths stay usable."""
    protection = sheet.protection
    protection.sheet = True
    protection.autoFilter = protection.sort = False
    protection.formatColumns = protection.formatRows = False


def _height(sheet: Worksheet, row: int) -> float:
    return float(sheet.row_dimensions[row].height or _DEFAULT_ROW)


def _scale(sheet: Worksheet, room: float) -> int:
    """Percent at which all columns fit into `room` points."""
    widths = [
        sheet.column_dimensions[get_column_letter(n)].width for n in range(1, sheet.max_column + 1)
    ]
    return max(10, min(100, int(100 * _SAFETY * room / (_DIGIT * sum(widths)))))


def _trial(sheet: Worksheet, labels: Labels) -> None:
    """A dry run says so at the head of every printed page and in the sheet's coloured tab."""
    header = sheet.oddHeader
    if header is None or header.center is None:
        raise TypeError(f"{sheet.title}: has no header")
    text = labels.word("text", "trial_note").replace("&", "&&")
    header.center.text = f'&"{FONT},Bold"&11{text}'
    sheet.sheet_properties.tabColor = "FFC00000"


def _footer(sheet: Worksheet, content: Content, labels: Labels) -> None:
    footer = sheet.oddFooter
    left, right = (footer.left, footer.right) if footer is not None else (None, None)
    if left is None or right is None:
        raise TypeError(f"{sheet.title}: has no footer")
    word = labels.sections["text"]
    look = f'&"{FONT},Regular"&8'
    text = (
        f"{word['cycle']} {content.cycle} · {word['nature']}: {content.letter.nature} · "
        f"{word['plan']} {content.plan_id}"
    )
    left.text = look + text.replace("&", "&&")
    right.text = f"{look}{word['page']} &P {word['of']} &N"
