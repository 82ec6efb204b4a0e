"""Which characters a font can show, read from its cmap table (OpenType 1.9, formats 4 and 12).

In PDF/A a character without a glyph ends the typesetting, so text is cleaned beforehand.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestrator.model.errors import CannotRunError

SUBSTITUTE = "□"
ALWAYS = frozenset(" \u200b")
"""The space, and the zero-width space with which long words are made breakable."""

_RIGHT_TO_LEFT = ((0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFF), (0x10800, 0x10FFF))


@lru_cache(maxsize=4)
def covered(folder: Path) -> frozenset[str]:
    """Characters from left to right that every font in the folder has, and those that need none.

    Raises CannotRunError without fonts.
    """
    fonts = sorted(f for f in folder.glob("*") if f.suffix.lower() in (".ttf", ".otf"))
    if not fonts:
        raise CannotRunError(f"{folder}: there is no font (*.ttf, *.otf)", hint="restore the fonts")
    common: set[int] | None = None
    for font in fonts:
        try:
            have = set(_code_points(font.read_bytes()))
        except (OSError, struct.error, ValueError) as error:
            raise CannotRunError(
                f"{font}: is not a readable TrueType or OpenType font: {error}"
            ) from error
        common = have if common is None else common & have
    return ALWAYS | {chr(code) for code in common or () if not _runs_left(code)}


def showable(text: str, have: frozenset[str]) -> str:
    """The text with '□' for each character that the fonts lack or that runs from right to left."""
    if have.issuperset(text):  # the common case, at once
        return text
    return "".join(char if char in have else SUBSTITUTE for char in text)


def showable_data(value: Any, have: frozenset[str]) -> Any:
    """The same for all text inside lists and mappings."""
    if isinstance(value, str):
        return showable(value, have)
    if isinstance(value, dict):
        return {key: showable_data(inner, have) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [showable_data(inner, have) for inner in value]
    return value


def _runs_left(code: int) -> bool:
    return any(first <= code <= last for first, last in _RIGHT_TO_LEFT)


def _code_points(font: bytes) -> Iterable[int]:
    (tables,) = struct.unpack_from(">H", font, 4)
    for index in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * index)
        if tag == b"cmap":
            return _cmap(font, offset)
    raise ValueError("it has no cmap table")


def _cmap(font: bytes, base: int) -> set[int]:
    (count,) = struct.unpack_from(">H", font, base + 2)
    points: set[int] = set()
    for index in range(count):
        platform, _, offset = struct.unpack_from(">HHI", font, base + 4 + 8 * index)
        (form,) = struct.unpack_from(">H", font, base + offset)
        if platform in (0, 3) and form == 4:
            points |= _format_4(font, base + offset)
        elif platform in (0, 3) and form == 12:
            points |= _format_12(font, base + offset)
    return points


def _format_4(font: bytes, at: int) -> set[int]:
    segments = struct.unpack_from(">H", font, at + 6)[0] // 2
    row = f">{segments}H"
    ends = struct.unpack_from(row, font, at + 14)
    starts = struct.unpack_from(row, font, at + 16 + 2 * segments)
    deltas = struct.unpack_from(row, font, at + 16 + 4 * segments)
    ranges_at = at + 16 + 6 * segments
    ranges = struct.unpack_from(row, font, ranges_at)
    points = set()
    for index, (start, end, delta, shift) in enumerate(
        zip(starts, ends, deltas, ranges, strict=True)
    ):
        for code in range(start, end + 1):
            glyph = code
            if shift:
                glyph = struct.unpack_from(
                    ">H", font, ranges_at + 2 * index + shift + 2 * (code - start)
                )[0]
            if (shift == 0 and (glyph + delta) % 65536) or (shift and glyph):
                points.add(code)
    return points - {0xFFFF}


def _format_12(font: bytes, at: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", font, at + 12)
    points: set[int] = set()
    for index in range(groups):
        start, end, glyph = struct.unpack_from(">III", font, at + 16 + 12 * index)
        points.update(code for code in range(start, end + 1) if glyph + code - start)
    return points
