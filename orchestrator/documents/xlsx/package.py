"""A workbook as bytes that depend on its content alone: fixed times in the zip and in docProps."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO

from openpyxl.packaging.core import DocumentProperties
from openpyxl.styles import Font
from openpyxl.xml.functions import tostring

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.templates import OFFICIAL
from orchestrator.documents.xlsx.dress import Dress, dress_up
from orchestrator.documents.xlsx.sheet import Written
from orchestrator.documents.xlsx.stream import Body, Book

_EARLIEST = datetime(1980, 1, 1)
"""The zip format knows no zone and no earlier time."""


def new_workbook(content: Written, labels: Labels, title: str) -> Book:
    """An empty workbook with its properties set from the content."""
    book = Book()
    book.remove(book.worksheets[0])
    # Widths of columns are counted in digits of this font.
    plain = Font(name="Arial", size=10)
    book._fonts[0] = book._named_styles["Normal"].font = plain  # type: ignore[attr-defined]
    book.properties.title = title
    book.properties.subject = f"{content.cycle} {content.plan_id}"
    book.properties.creator = content.head.agency
    book.properties.language = (
        "id-ID" if labels.language == OFFICIAL else labels.locale.replace("_", "-")
    )
    return book


def workbook_bytes(book: Book, as_of: str, dress: Dress) -> bytes:
    """Save a workbook in the office's look; `as_of` (UTC ISO 8601) is the only time in it."""
    moment = zip_moment(as_of)
    book.properties.created = book.properties.modified = moment
    dress_up(book, dress)
    properties = _properties_xml(book.properties)
    raw = io.BytesIO()
    book.save(raw)
    bodies = {
        f"xl/worksheets/sheet{n}.xml": book.bodies[sheet.title]
        for n, sheet in enumerate(book.worksheets, start=1)
        if sheet.title in book.bodies
    }
    return fixed_zip(raw, moment, {"docProps/core.xml": properties}, bodies)


def fixed_zip(
    raw: IO[bytes],
    moment: datetime,
    instead: Mapping[str, bytes],
    bodies: Mapping[str, Body] | None = None,
) -> bytes:
    """A zip (an Office file) again with one fixed time for all its parts, some of them replaced.

    `bodies` are rows that go into the sheets of these names while they are written.
    """
    bodies = bodies or {}
    out = io.BytesIO()
    stamp = max(moment, _EARLIEST).timetuple()[:6]
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, date_time=stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            data = instead[name] if name in instead else source.read(name)
            with target.open(info, "w", force_zip64=name in bodies) as part:
                if name in bodies:
                    before, after = _around(data, bodies[name].first)
                    part.write(before)
                    for rows in bodies[name].xml():
                        part.write(rows)
                    data = after
                part.write(data)
    return out.getvalue()


def _around(sheet: bytes, first: int) -> tuple[bytes, bytes]:
    """What stands before and after the place of row `first` in a sheet's XML."""
    for row in re.finditer(rb'<row r="(\d+)"', sheet):
        if int(row[1]) >= first:
            return sheet[: row.start()], sheet[row.start() :]
    end = sheet.index(b"</sheetData>")
    return sheet[:end], sheet[end:]


def _properties_xml(properties: DocumentProperties) -> bytes:
    data = tostring(properties.to_tree())
    return data if isinstance(data, bytes) else str(data).encode("utf-8")


def zip_moment(as_of: str) -> datetime:
    """A time as zip and docProps can hold it: without zone, in whole seconds, from 1980."""
    try:
        return datetime.fromisoformat(as_of).astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError):
        return _EARLIEST
