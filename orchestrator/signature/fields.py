"""Fields of a signed PDF: where they lie, what they show, which signatures must stand in them.

Apart from pades.py, since loading pyHanko takes a second that most calls need not spend.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A field's rectangle on a page, in points from the lower left corner."""

    name: str
    page: int  # from 0
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Look:
    """What a field says, and which page of the PDF of looks shows it."""

    text: str
    page: int  # from 0


@dataclass(frozen=True)
class Expected:
    """A signature that must stand in the PDF, in this order."""

    field: str
    certificate: str  # SHA-256 of the certificate, hex
    at: str  # UTC ISO 8601: when the journal recorded it
