"""Renders one document of a cycle into a folder, atomically; the same state, the same bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.labels import Labels, load_labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.logo import logo_png
from orchestrator.documents.look import load_look
from orchestrator.documents.names import DocumentName, RenderedDocument
from orchestrator.documents.pdf.typeset import typeset
from orchestrator.documents.templates import OFFICIAL, template_folder
from orchestrator.documents.xlsx.check_list import check_list
from orchestrator.documents.xlsx.dress import Dress
from orchestrator.documents.xlsx.marks import Mark, read_marks
from orchestrator.documents.xlsx.update_record import update_record
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import CannotRunError

_WORKBOOKS: Mapping[DocumentName, Callable[[Content, Labels, Dress], bytes]] = {
    DocumentName.CHECK_LIST: check_list,
    DocumentName.UPDATE_RECORD: update_record,
}


def render(
    name: DocumentName,
    state: CycleState,
    folder: Path,
    *,
    templates: Path | None = None,
    assets: Path | None = None,
    language: str = OFFICIAL,
) -> RenderedDocument:
    """Write document `name` of the cycle into `folder` (made if missing); return path and hash.

    `templates` is an office's own copy of report_templates/, `assets` the folder that a relative
    logo path starts from (that of office.yml), `language` other than the official one makes a
    courtesy copy that says so on every page; Word files, whose templates hold Indonesian words,
    have none. Raises CannotRunError naming the document and the
    cause; a document that was there before is then still there, whole.
    """
    name = DocumentName(name)
    try:
        data = document_bytes(name, state, templates=templates, assets=assets, language=language)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name.value
        write_atomically(path, data)
    except CannotRunError as error:
        raise CannotRunError(f"{name.value}: {error.message}", hint=error.hint) from error
    except (OSError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise CannotRunError(
            f"{name.value} of cycle {state.cycle} could not be rendered: {error}",
            hint="the journal holds all evidence; render again once the cause is gone",
        ) from error
    return RenderedDocument(name, path, sha256_hex(data), len(data))


def document_bytes(
    name: DocumentName,
    state: CycleState,
    *,
    templates: Path | None = None,
    assets: Path | None = None,
    language: str = OFFICIAL,
) -> bytes:
    """The document as bytes, without writing a file."""
    where = template_folder(templates)
    labels = load_labels(where, language)
    if labels.is_translation and not name.has_copies:
        raise CannotRunError("Word files are made in the language of record only")
    content = build_content(name, state, labels)
    workbook = _WORKBOOKS.get(name)
    if workbook is not None:
        logo = logo_png(content.head.logo, assets or where)
        return workbook(content, labels, Dress(load_look(where), logo))
    if name.value.endswith(".docx"):
        from orchestrator.documents.word.fill import word_document  # loads python-docx

        return word_document(name, content, labels, where, assets)
    return typeset(name, content, labels, where, assets)


def marks_of(file: Path, state: CycleState, *, templates: Path | None = None) -> dict[int, Mark]:
    """The officer's decisions in a marked check list of this cycle, by item number.

    Raises UsageError naming the rows when anything else was changed, or it is another plan's list.
    """
    labels = load_labels(template_folder(templates))
    return read_marks(file, build_content(DocumentName.CHECK_LIST, state, labels), labels)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is seen either as it was or whole, also after a loss of power."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o640)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
