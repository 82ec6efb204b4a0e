"""Sets a document with typst as PDF/A-3b, with its content attached as JSON.

The templates read `view.json`; nothing of the data is ever put into their source, so text from
hosts is inert. Only the fonts of the template folder are used.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import typst

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.coverage import covered, showable_data
from orchestrator.documents.pdf.prose import write_prose
from orchestrator.model.canonical import canonical_json
from orchestrator.model.errors import CannotRunError

ATTACHMENT = "data.json"
"""Name of the attached content; its bytes are canonical JSON of Content."""

_TEMPLATE = {
    DocumentName.ORDER: "disposisi.typ",
    DocumentName.MONITORING: "pemantauan.typ",
    DocumentName.MINUTES: "notulensi.typ",
    DocumentName.DRAFT_REPORT: "laporan.typ",
    DocumentName.REPORT: "laporan.typ",
}


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
    with tempfile.TemporaryDirectory(prefix="sop-run-typst-") as name_of_folder:
        work = Path(name_of_folder)
        for source in sorted((templates / "typst").glob("*.typ")):
            shutil.copyfile(source, work / source.name)
        (work / ATTACHMENT).write_bytes(content_json(content))
        view = {
            "c": content.as_data(),
            "t": {section: dict(words) for section, words in labels.sections.items()},
            "p": write_prose(templates / "prose" / labels.locale, content),
            "draft": name.is_draft,
            "mark": _mark(name, content, labels),
            "lang": labels.locale,
            "logo": _logo(content.head.logo, assets or templates, work),
        }
        # Foreign-word marks are split off by the template and never shown.
        have = covered(templates / "fonts") | {0xE000, 0xE001}
        (work / "view.json").write_text(canonical_json(showable_data(view, have)), encoding="utf-8")
        return _compile(work, _TEMPLATE[name], templates / "fonts", content.as_of)


def _mark(name: DocumentName, content: Content, labels: Labels) -> str:
    """The word that is set across every page; '' for none."""
    if content.occasion.trial:
        return labels.word("text", "trial")
    return labels.word("text", "draft") if name.is_draft else ""


def _compile(work: Path, template: str, fonts: Path, as_of: str) -> bytes:
    try:
        pdf = typst.compile(
            work / template,
            root=work,
            font_paths=typst.Fonts(
                include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)]
            ),
            pdf_standards=["a-3b"],
            timestamp=_epoch(as_of),
        )
    except typst.TypstError as error:
        detail = str(error.diagnostic or error).replace(str(work), "typst")
        raise CannotRunError(
            f"typst/{template}: {detail.strip()}", hint="correct the template or the logo"
        ) from error
    if not isinstance(pdf, bytes):
        raise CannotRunError(f"typst/{template}: gave no document")
    return pdf


def _epoch(at: str) -> int:
    try:
        return int(datetime.fromisoformat(at).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        return 0


def _logo(path: str, assets: Path, work: Path) -> str:
    if not path:
        return ""
    source = assets / path
    target = f"logo{source.suffix.lower()}"
    if target not in ("logo.png", "logo.svg", "logo.jpg"):
        raise CannotRunError(f"logo {path}: must be a PNG, SVG or JPG file")
    try:
        shutil.copyfile(source, work / target)
    except OSError as error:
        raise CannotRunError(
            f"logo {path}: cannot be read in {assets}: {error.strerror}",
            hint="correct office.logo in office.yml, or leave it empty",
        ) from error
    return target
