"""Paper, scale, page breaks and protection of a sheet.

The scale is computed instead of "fit to width": spreadsheet programs ignore page breaks in that
mode, and a signature block must not be torn apart by the end of a page.
"""

from __future__ import annotations

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.xlsx.sheet import FONT, SIGNATURE_ROWS, Written
from orchestrator.documents.xlsx.stream import Book

PAPER = {"f4": (14, 8.5, 13.0), "a4": (9, 8.27, 11.69)}
"""Excel's paper code, width and height in inches; code 14 is Folio."""

_SIDE, _TOP, _BOTTOM = 0.4, 0.55, 0.7  # margins, inches
_DEFAULT_ROW = 15.0  # points
_DIGIT = 5.6  # points: the width of a digit of Arial 10, in which columns are measured
_SAFETY = 0.97  # column widths differ a little between programs and printers


def printed(
    sheet: Worksheet,
    content: Written,
    labels: Labels,
    head_row: int,
    *,
    landscape: bool = True,
    repeat: bool = True,
) -> None:
    """Paper, margins, scale to one page wide, footer with the plan's id; `repeat` the heading."""
    code, width, height = PAPER[content.letter.paper]
    if landscape:
        width, height = height, width
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = code
    sheet.page_setup.scale = _scale(sheet, (width - 2 * _SIDE) * 72)
    if repeat:
        sheet.print_title_rows = f"{head_row}:{head_row}"
    sheet.freeze_panes = f"A{head_row + 1}"
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = _SIDE
    margins.top, margins.bottom, margins.header, margins.footer = _TOP, _BOTTOM, 0.3, 0.3
    sheet.sheet_view.showGridLines = False
    _footer(sheet, content, labels)
    if isinstance(content, Content) and content.occasion.trial:
        _trial(sheet, labels)
    else:
        _mark_translation(sheet, labels)


def keep_signatures(
    sheet: Worksheet, first: int, head_row: int, last_row: int, chart_row: int = 0
) -> None:
    """Begin a new page when one would end in or just before the signature block at row `first`.

    The last two rows of the table go with it, or the charts that begin at `chart_row`: signatures
    never stand on a page of their own.
    """
    if isinstance(sheet.parent, Book) and sheet.title in sheet.parent.bodies:
        return  # heights of a streamed table are not known
    begin = chart_row or max(last_row - 1, head_row + 1)
    if page_of(sheet, first + SIGNATURE_ROWS - 1, head_row) != page_of(sheet, begin, head_row):
        sheet.row_breaks.append(Break(id=begin - 1))


def room_of(sheet: Worksheet) -> float:
    """Points of height that a printed page has for rows, at the sheet's scale."""
    setup = sheet.page_setup
    _, width, height = next(p for p in PAPER.values() if p[0] == int(setup.paperSize or 0))
    tall = width if setup.orientation == "landscape" else height
    return (tall - _TOP - _BOTTOM) * 72 / (int(setup.scale or 100) / 100) * _SAFETY


def page_of(sheet: Worksheet, row: int, head_row: int) -> int:
    """The printed page on which a row will stand; breaks that were set are heeded."""
    room, used, page = room_of(sheet), 0.0, 1
    breaks = {b.id for b in sheet.row_breaks.brk}
    for number in range(1, row + 1):
        tallness = _height(sheet, number)
        if used + tallness > room or number - 1 in breaks:
            page, used = page + 1, _height(sheet, head_row)
        used += tallness
    return page


def protected(sheet: Worksheet) -> None:
    """Lock all but the input cells, without a password; filters and widths stay usable."""
    protection = sheet.protection
    protection.sheet = True
    protection.autoFilter = protection.sort = False
    protection.formatColumns = protection.formatRows = False


def _height(sheet: Worksheet, row: int) -> float:
    if row not in sheet.row_dimensions:  # asking for it would make an empty row
        return _DEFAULT_ROW
    dimension = sheet.row_dimensions[row]
    return 0.0 if dimension.hidden else float(dimension.height or _DEFAULT_ROW)


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


def _footer(sheet: Worksheet, content: Written, labels: Labels) -> None:
    footer = sheet.oddFooter
    left, right = (footer.left, footer.right) if footer is not None else (None, None)
    if left is None or right is None:
        raise TypeError(f"{sheet.title}: has no footer")
    word = labels.sections["text"]
    look = f'&"{FONT},Regular"&8'
    nature = f"{word['nature']}: {content.letter.nature}"
    if content.plan_id == NONE:
        text = f"{labels.word('recap_year', 'year')} {content.cycle} · {nature}"
    else:
        text = f"{word['cycle']} {content.cycle} · {nature} · {word['plan']} {content.plan_id}"
    left.text = look + text.replace("&", "&&")
    right.text = f"{look}{word['page']} &P {word['of']} &N"


def _mark_translation(sheet: Worksheet, labels: Labels) -> None:
    """A courtesy copy says so at the head of every printed page."""
    words, header = labels.word("text", "translated"), sheet.oddHeader
    if words and header is not None and header.center is not None:
        header.center.text = f'&"{FONT},Bold"&8{words.replace("&", "&&")}'
