"""The flowchart of the procedure as a picture: SVG, PNG or PDF, set with typst."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

import typst

from orchestrator.documents.content.flow import build_flow
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.pdf.coverage import covered, showable_data
from orchestrator.documents.templates import template_folder
from orchestrator.model.canonical import canonical_json
from orchestrator.model.errors import CannotRunError
from orchestrator.model.office import Office

TEMPLATE = "alur.typ"
Format = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf")
DOTS_PER_INCH = 150.0


def flowchart(office: Office, form: Format, templates: Path | None = None) -> bytes:
    """The procedure as this office runs it, as one picture; the same office, the same bytes.

    Raises CannotRunError when a template or a font stops it.
    """
    where = template_folder(templates)
    labels = load_labels(where)
    view = {
        "flow": build_flow(office, labels).as_data(),
        "t": dict(labels.sections["flow"]),
        "lang": labels.locale,
    }
    with tempfile.TemporaryDirectory(prefix="sop-run-typst-") as name:
        work = Path(name)
        try:
            shutil.copyfile(where / "typst" / TEMPLATE, work / TEMPLATE)
            (work / "view.json").write_text(
                canonical_json(showable_data(view, covered(where / "fonts"))), encoding="utf-8"
            )
            made = typst.compile(
                work / TEMPLATE,
                root=work,
                font_paths=typst.Fonts(
                    include_system_fonts=False,
                    include_embedded_fonts=False,
                    font_paths=[str(where / "fonts")],
                ),
                format=form,
                ppi=DOTS_PER_INCH,
                timestamp=0,
            )
        except (typst.TypstError, OSError) as error:
            detail = str(getattr(error, "diagnostic", "") or error).replace(str(work), "typst")
            raise CannotRunError(
                f"typst/{TEMPLATE}: {detail.strip()}", hint="correct the template"
            ) from error
    if not isinstance(made, bytes):
        raise CannotRunError(f"typst/{TEMPLATE}: gave more than one page, or none")
    return made
