"""Sets a document with typst as PDF/A-3b, with its content attached as JSON.

The templates read `view.json`; nothing of the data is ever put into their source, so text from
hosts is inert. Only the fonts of the template folder are used.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst
from babel.numbers import get_group_symbol

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.logo import copy_logo
from orchestrator.documents.look import load_look
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.coverage import covered, showable_data
from orchestrator.documents.pdf.prose import write_prose
from orchestrator.documents.pdf.qr import qr_picture, qr_text
from orchestrator.model.canonical import canonical_json, sha256_hex
from orchestrator.model.errors import CannotRunError

ATTACHMENT = "data.json"
"""Name of the attached content; its bytes are canonical JSON of Content."""

_TEMPLATE = {
    DocumentName.CHECK_LIST_PDF: "pengecekan.typ",
    DocumentName.ORDER: "disposisi.typ",
    DocumentName.MONITORING: "pemantauan.typ",
    DocumentName.UPDATE_RECORD_PDF: "catatan.typ",
    DocumentName.MINUTES: "notulensi.typ",
    DocumentName.DRAFT_REPORT: "laporan.typ",
    DocumentName.VERIFIED_REPORT: "laporan.typ",
    DocumentName.REPORT: "laporan.typ",
}
MOST_ITEMS = 500
"""Templates list items one by one up to so many; `totals.items` has the number of all."""

_WITH_QR = frozenset({DocumentName.VERIFIED_REPORT, DocumentName.REPORT})


@dataclass(frozen=True)
class Frame:
    """What a document is set in: the office's words, templates and pictures."""

    labels: Labels
    templates: Path
    assets: Path | None = None  # where a relative logo path starts


def content_json(content: Content) -> bytes:
    """The content as canonical JSON: the bytes that a PDF carries as its attachment."""
    return canonical_json(content.as_data()).encode("utf-8")


def typeset(
    name: DocumentName, content: Content, labels: Labels, templates: Path, assets: Path | None
) -> bytes:
    """The document as bytes of a PDF.

    `assets` is the folder that a relative logo path starts from. Raises CannotRunError when a
    template, a font or the logo stops it.
    """
    frame = Frame(labels, templates, assets)
    with workplace(name, content, frame) as work:
        return compile_pdf(work, _TEMPLATE[name], frame, content.as_of)


def typeset_with_fields(
    name: DocumentName, content: Content, frame: Frame
) -> tuple[bytes, list[dict[str, Any]]]:
    """The report with rectangles left empty for PDF signatures, and where each of them lies."""
    with workplace(name, content, frame, {"fields": True}) as work:
        pdf = compile_pdf(work, _TEMPLATE[name], frame, content.as_of)
        found = typst.query(
            work / _TEMPLATE[name],
            "<field>",
            field="value",
            root=work,
            font_paths=_fonts(frame.templates),
        )
    return pdf, json.loads(found)


def chart_picture(name: DocumentName, content: Content, frame: Frame) -> bytes:
    """The Gantt chart of the steps as PNG, for Word."""
    with workplace(name, content, frame) as work:
        return compile_pdf(work, "gambar.typ", frame, content.as_of, picture=True)


@contextmanager
def workplace(
    name: DocumentName, content: Content, frame: Frame, more: Mapping[str, Any] | None = None
) -> Iterator[Path]:
    """A folder with templates, data and pictures for one document; `more` goes into its view."""
    templates, labels = frame.templates, frame.labels
    with tempfile.TemporaryDirectory(prefix="sop-run-typst-") as name_of_folder:
        work = Path(name_of_folder)
        for source in sorted((templates / "typst").glob("*.typ")):
            shutil.copyfile(source, work / source.name)
        facts = content.as_data()
        data = canonical_json(facts).encode("utf-8")
        (work / ATTACHMENT).write_bytes(data)
        look = load_look(templates).pdf
        qr = ""
        if name in _WITH_QR and not labels.is_translation:  # a copy is no record
            qr = "qr.svg"
            words = qr_text(content.cycle, content.letter.number, sha256_hex(data))
            (work / qr).write_bytes(qr_picture(words))
        view = {
            # More items than templates ever list would only fill memory; one more tells them so.
            "c": {**facts, "items": facts["items"][: MOST_ITEMS + 1]},
            "t": {section: dict(words) for section, words in labels.sections.items()},
            "p": write_prose(templates / "prose" / labels.language, content, labels.locale),
            "draft": name.is_draft,
            "mark": mark_of(name, content, labels),
            "fields": False,
            "qr": qr,
            "lang": labels.language,
            "group": get_group_symbol(labels.locale),
            "logo": copy_logo(content.head.logo, frame.assets or templates, work),
            "look": look.model_dump(),
            **(more or {}),
        }
        _know_font(look.font, templates)
        # Foreign-word marks are split off by the template and never shown.
        have = covered(templates / "fonts") | {"\ue000", "\ue001"}
        (work / "view.json").write_text(canonical_json(showable_data(view, have)), encoding="utf-8")
        yield work


def mark_of(name: DocumentName, content: Content, labels: Labels) -> str:
    """The word across every page, in PDFs and Word files; '' for none."""
    if content.occasion.trial:
        return labels.word("text", "trial")
    return labels.word("text", "draft") if name.is_draft else ""


def compile_pdf(
    work: Path, template: str, frame: Frame, as_of: str, *, picture: bool = False
) -> bytes:
    """Set a template of a workplace, as PDF/A or, of one page, as a picture in PNG.

    Raises CannotRunError naming template and cause.
    """
    if not (work / template).is_file():
        raise CannotRunError(
            f"{frame.templates}/typst/{template} is missing",
            hint="copy it from the shipped report_templates/: this version makes more documents",
        )
    try:
        pdf = typst.compile(
            work / template,
            root=work,
            font_paths=_fonts(frame.templates),
            timestamp=_epoch(as_of),
            **({"format": "png", "ppi": 200.0} if picture else {"pdf_standards": ["a-3b"]}),
        )
    except typst.TypstError as error:
        detail = str(error.diagnostic or error).replace(str(work), "typst")
        raise CannotRunError(
            f"typst/{template}: {detail.strip()}", hint="correct the template or the logo"
        ) from error
    if not isinstance(pdf, bytes):
        raise CannotRunError(f"typst/{template}: gave no document")
    return pdf


def _fonts(templates: Path) -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(templates / "fonts")],
    )


def _know_font(family: str, templates: Path) -> None:
    """Raise CannotRunError when the font of look.yml has no files in the templates' fonts/."""
    fonts = _fonts(templates)
    if family not in fonts.families():
        raise CannotRunError(
            f"look.yml: there is no font {family!r} in {templates / 'fonts'}",
            f"put its files there, or choose of: {', '.join(sorted(fonts.families())) or 'none'}",
        )


def _epoch(at: str) -> int:
    try:
        return int(datetime.fromisoformat(at).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        return 0
