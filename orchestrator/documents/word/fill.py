"""Fills a Word template with the content of one document; the same content, the same bytes.

The template is Jinja2 in a sandbox: it reads the content and nothing else. What it inserts is
escaped and not looked at again, so text from hosts stays text.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docx.image.exceptions import UnrecognizedImageError
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage, RichText
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.prose import FOREIGN, counted, write_prose
from orchestrator.documents.pdf.typeset import Frame, chart_picture, mark_of
from orchestrator.documents.xlsx.package import fixed_zip, zip_moment
from orchestrator.model.errors import CannotRunError

_TEMPLATE = {
    DocumentName.ORDER_WORD: "disposisi.docx",
    DocumentName.MINUTES_WORD: "notulensi.docx",
    DocumentName.DRAFT_REPORT_WORD: "laporan.docx",
}
_PAPER = {"f4": (215, 330), "a4": (210, 297)}  # mm
_LOGO_HEIGHT = Mm(22)


def word_document(
    name: DocumentName, content: Content, labels: Labels, templates: Path, assets: Path | None
) -> bytes:
    """The document as bytes of a docx; raises CannotRunError naming template and cause."""
    path = templates / "word" / _TEMPLATE[name]
    if not path.is_file():
        raise CannotRunError(
            f"{path} is missing",
            hint="copy word/ from the shipped report_templates/: this version makes Word documents",
        )
    document = DocxTemplate(path)
    context = {
        **{field: getattr(content, field) for field in content.__dataclass_fields__},
        "t": labels.sections,
        "p": _prose(templates / "prose" / labels.language, content, labels.locale),
        "draft": name.is_draft,
        "mark": mark_of(name, content, labels),
        "logo": _logo(document, content.head.logo, assets or templates),
        **_chart(name, document, content, Frame(labels, templates, assets)),
        "strong": lambda words, when=True: RichText(str(words), bold=bool(when)),
    }
    try:
        document.render(context, _sandbox(labels.locale), autoescape=True)
    except (TemplateError, TypeError, ValueError) as error:
        raise CannotRunError(f"word/{path.name}: {error}", hint="correct the template") from error
    # From here on `docx` itself: get_docx() would read the template again.
    _set_paper(document, content.letter.paper)
    _properties(document, content)
    raw = io.BytesIO()
    document.save(raw)
    return fixed_zip(raw, zip_moment(content.as_of), {})


def _sandbox(locale: str) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=True,
        finalize=lambda value: counted(value, locale),
    )


def _prose(folder: Path, content: Content, locale: str) -> Callable[[str], list[RichText]]:
    passages = write_prose(folder, content, locale)
    return lambda key: [_with_italics(words) for words in passages[key]]


def _with_italics(words: str) -> RichText:
    rich = RichText()
    for number, part in enumerate(words.split(FOREIGN[0])):
        foreign, _, plain = part.partition(FOREIGN[1]) if number else ("", "", part)
        if foreign:
            rich.add(foreign, italic=True)
        if plain:
            rich.add(plain)
    return rich


def _logo(document: DocxTemplate, path: str, assets: Path) -> InlineImage | str:
    """The logo as Word can show it: PNG or JPG; an SVG is left out."""
    if not path or (assets / path).suffix.lower() == ".svg":
        return ""
    if not (assets / path).is_file():
        raise CannotRunError(
            f"logo {path}: cannot be read in {assets}",
            hint="correct office.logo in office.yml, or leave it empty",
        )
    try:
        document.init_docx()
        return InlineImage(document, str(assets / path), height=_LOGO_HEIGHT)
    except UnrecognizedImageError as error:
        raise CannotRunError(f"logo {path}: must be a PNG or JPG file for Word") from error


def _chart(
    name: DocumentName, document: DocxTemplate, content: Content, frame: Frame
) -> dict[str, InlineImage]:
    if name is not DocumentName.DRAFT_REPORT_WORD:
        return {}
    document.init_docx()
    png = chart_picture(name, content, frame)
    return {"gantt": InlineImage(document, io.BytesIO(png), width=Mm(165))}


def _set_paper(document: DocxTemplate, paper: str) -> None:
    width, height = _PAPER[paper]
    for section in document.docx.sections:
        section.page_width, section.page_height = Mm(width), Mm(height)


def _properties(document: DocxTemplate, content: Content) -> None:
    properties: Any = document.docx.core_properties
    properties.author = properties.last_modified_by = content.head.agency[:255]
    properties.subject = f"{content.cycle} {content.plan_id}"
    properties.language = "id-ID"
    properties.created = properties.modified = zip_moment(content.as_of)
