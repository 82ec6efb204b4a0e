"""Dresses a workbook in the office's look: its font, its colours, and its logo on every sheet.

Sheets are drawn in the shipped look; here fonts and fills are exchanged in the workbook's tables
of styles, so that drawing needs to know nothing of an office.
"""

from __future__ import annotations

import struct
from copy import copy
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.drawing.image import Image
from openpyxl.styles import Font
from openpyxl.styles.fills import Fill, PatternFill
from openpyxl.utils.indexed_list import IndexedList

from orchestrator.documents.look import Look, WorkbookLook

_SHIPPED = WorkbookLook()
_HEIGHT = 58  # pixels: the three lines of the letterhead
_WIDEST = 150


@dataclass(frozen=True)
class Dress:
    """What an office's documents wear."""

    look: Look
    logo: bytes | None = None  # PNG


def dress_up(book: Workbook, dress: Dress) -> None:
    """Exchange fonts and colours, and put the logo on every sheet."""
    _exchange(book, dress.look.workbook)
    if dress.logo is not None:
        for sheet in book.worksheets:
            sheet.add_image(_Logo(dress.logo), "A2")


def _exchange(book: Workbook, look: WorkbookLook) -> None:
    if look == _SHIPPED:
        return
    fonts: IndexedList[Font] = IndexedList()
    for font in book._fonts:  # type: ignore[attr-defined]
        own = copy(font)
        own.name = look.font
        list.append(fonts, own)  # cells know it by its place: equal ones must not fall together
    book._fonts = fonts  # type: ignore[attr-defined]
    colours = {
        f"FF{shipped}": f"FF{getattr(look, name)}" for name, shipped in _SHIPPED if name != "font"
    }
    fills: IndexedList[Fill] = IndexedList()
    for fill in book._fills:  # type: ignore[attr-defined]
        own = copy(fill)
        if isinstance(fill, PatternFill) and fill.fgColor.rgb in colours:
            own = PatternFill("solid", fgColor=colours[fill.fgColor.rgb])
        list.append(fills, own)
    book._fills = fills  # type: ignore[attr-defined]
    for sheet in book.worksheets:
        for part in (sheet.oddFooter, sheet.oddHeader):
            for side in (part.left, part.center, part.right) if part is not None else ():
                if side.text:
                    side.text = side.text.replace(f'"{_SHIPPED.font},', f'"{look.font},')


class _Logo(Image):
    """A PNG as it is; openpyxl's own class asks for a picture library only to find the size."""

    def __init__(self, png: bytes) -> None:
        width, height = struct.unpack_from(">II", png, 16)
        scale = min(_HEIGHT / height, _WIDEST / width)
        self._png, self.format = png, "png"
        self.width, self.height = round(width * scale), round(height * scale)

    def _data(self) -> bytes:
        return self._png
