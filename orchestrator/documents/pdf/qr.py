"""The QR code of a report: cycle, number and the SHA-256 of the data that the PDF carries."""

from __future__ import annotations

import io


def qr_text(cycle: str, number: str, data_sha256: str) -> str:
    """What the code says, one fact a line, so that any telephone shows it readably."""
    return f"sop-run {cycle}\nNomor: {number}\nSHA-256 data: {data_sha256}"


def qr_picture(text: str) -> bytes:
    """The code as SVG: drawn, not a bitmap, with the white edge that readers need."""
    import segno  # loaded late: only reports have a code

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, light="#fff")
    return out.getvalue()
