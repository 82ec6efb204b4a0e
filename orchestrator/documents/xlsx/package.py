"""A workbook as bytes that depend on its content alone: fixed times in the zip and in docProps."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO

from openpyxl import Workbook
from openpyxl.packaging.core import DocumentProperties
from openpyxl.styles import Font
from openpyxl.xml.functions import tostring

from orchestrator.documents.xlsx.sheet import Written

_EARLIEST = datetime(1980, 1, 1)
"""The zip format knows no zone and no earlier time."""


def new_workbook(content: Written, title: str) -> Workbook:
    """An empty workbook with its properties set from the content."""
    book = Workbook()
    book.remove(book.worksheets[0])
    # Widths of columns are counted in digits of this font.
    plain = Font(name="Arial", size=10)
    book._fonts[0] = book._named_styles["Normal"].font = plain  # type: ignore[attr-defined]
    book.properties.title = title
    book.properties.subject = f"{content.cycle} {content.plan_id}"
    book.properties.creator = content.head.agency
    book.properties.language = "id-ID"
    return book


def workbook_bytes(book: Workbook, as_of: str) -> bytes:
    """Save a workbook; `as_of` (UTC ISO 8601) is the only time that gets into it."""
    moment = zip_moment(as_of)
    book.properties.created = book.properties.modified = moment
    properties = _properties_xml(book.properties)
    raw = io.BytesIO()
    book.save(raw)
    return fixed_zip(raw, moment, {"docProps/core.xml": properties})


def fixed_zip(raw: IO[bytes], moment: datetime, instead: Mapping[str, bytes]) -> bytes:
    """A zip (an Office file) again with one fixed time for all its parts, some of them replaced."""
    out = io.BytesIO()
    stamp = max(moment, _EARLIEST).timetuple()[:6]
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, date_time=stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, instead[name] if name in instead else source.read(name))
    return out.getvalue()


def _properties_xml(properties: DocumentProperties) -> bytes:
    data = tostring(properties.to_tree())
    return data if isinstance(data, bytes) else str(data).encode("utf-8")


def zip_moment(as_of: str) -> datetime:
    """A time as zip and docProps can hold it: without zone, in whole seconds, from 1980."""
    try:
        return datetime.fromisoformat(as_of).astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError):
        return _EARLIEST
