"""The documents that a cycle brings forth, by file name, each with the step that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class DocumentName(StrEnum):
    """File names of the documents, in the order of the SOP."""

    CHECK_LIST = "laporan-hasil-pengecekan.xlsx"
    ORDER = "disposisi.pdf"
    MONITORING = "lembar-pemantauan.pdf"
    UPDATE_RECORD = "catatan-update.xlsx"
    MINUTES = "notulensi.pdf"
    DRAFT_REPORT = "laporan-hasil-update-draf.pdf"
    REPORT = "laporan-hasil-update.pdf"

    @property
    def step(self) -> int:
        """The SOP step that brings the document forth."""
        return _STEPS[self]

    @property
    def is_draft(self) -> bool:
        """Whether every page carries the word DRAF."""
        return self is DocumentName.DRAFT_REPORT


_STEPS = {
    DocumentName.CHECK_LIST: 2,
    DocumentName.ORDER: 4,
    DocumentName.MONITORING: 5,
    DocumentName.UPDATE_RECORD: 7,
    DocumentName.MINUTES: 8,
    DocumentName.DRAFT_REPORT: 9,
    DocumentName.REPORT: 11,
}


@dataclass(frozen=True)
class RenderedDocument:
    """A file that was written, with what the journal keeps of it."""

    name: DocumentName
    path: Path
    sha256: str
    size: int  # bytes
