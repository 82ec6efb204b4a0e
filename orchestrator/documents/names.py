"""The documents that a cycle brings forth, by file name, each with the step that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class DocumentName(StrEnum):
    """File names of the documents, in the order of the SOP."""

    CHECK_LIST = "laporan-hasil-pengecekan.xlsx"
    CHECK_LIST_PDF = "laporan-hasil-pengecekan.pdf"
    ORDER = "disposisi.pdf"
    ORDER_WORD = "disposisi.docx"
    MONITORING = "lembar-pemantauan.pdf"
    UPDATE_RECORD = "catatan-update.xlsx"
    UPDATE_RECORD_PDF = "catatan-update.pdf"
    MINUTES = "notulensi.pdf"
    MINUTES_WORD = "notulensi.docx"
    DRAFT_REPORT = "laporan-hasil-update-draf.pdf"
    DRAFT_REPORT_WORD = "laporan-hasil-update-draf.docx"
    VERIFIED_REPORT = "laporan-hasil-update-terverifikasi.pdf"
    REPORT = "laporan-hasil-update.pdf"

    @property
    def step(self) -> int:
        """The SOP step that brings the document forth."""
        return _STEPS[self.record]

    @property
    def record(self) -> DocumentName:
        """The form of the same document that decides what it says and up to which moment."""
        return _OTHER_FORM_OF.get(self, self)

    @property
    def has_copies(self) -> bool:
        """Whether there are courtesy copies: not of Word files, whose templates hold words."""
        return not self.value.endswith(".docx")

    @property
    def is_draft(self) -> bool:
        """Whether every page carries the word DRAF."""
        return self.record is DocumentName.DRAFT_REPORT


_STEPS = {
    DocumentName.CHECK_LIST: 2,
    DocumentName.ORDER: 4,
    DocumentName.MONITORING: 5,
    DocumentName.UPDATE_RECORD: 7,
    DocumentName.MINUTES: 8,
    DocumentName.DRAFT_REPORT: 9,
    DocumentName.VERIFIED_REPORT: 10,
    DocumentName.REPORT: 11,
}
_OTHER_FORM_OF = {
    DocumentName.CHECK_LIST_PDF: DocumentName.CHECK_LIST,
    DocumentName.ORDER_WORD: DocumentName.ORDER,
    DocumentName.UPDATE_RECORD_PDF: DocumentName.UPDATE_RECORD,
    DocumentName.MINUTES_WORD: DocumentName.MINUTES,
    DocumentName.DRAFT_REPORT_WORD: DocumentName.DRAFT_REPORT,
}


@dataclass(frozen=True)
class RenderedDocument:
    """A file that was written, with what the journal keeps of it."""

    name: DocumentName
    path: Path
    sha256: str
    size: int  # bytes
