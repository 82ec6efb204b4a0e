"""The report as it is signed with certificates: empty fields, and what stands in them (10, 11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.clock import Clock
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.said import say
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.qr import qr_picture, qr_text
from orchestrator.documents.pdf.typeset import (
    Frame,
    compile_pdf,
    content_json,
    typeset_with_fields,
    workplace,
)
from orchestrator.documents.templates import template_folder
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.office import Officer
from orchestrator.signature.fields import Look, Place

FIELD = {10: "verified", 11: "established"}
"""The signature's field in the report, by step."""


@dataclass(frozen=True)
class Signable:
    """A report with its fields still to be made and filled."""

    pdf: bytes
    places: tuple[Place, ...]
    data_sha256: str  # of the data that the PDF carries


@dataclass(frozen=True)
class Act:
    """Who is about to sign, what the stamp says of it, and the report's number by then."""

    step: int
    officer: Officer
    certificate: str
    at: str  # UTC ISO 8601
    number: str  # '' as long as it is provisional


def signable(
    name: DocumentName,
    state: CycleState,
    act: Act,
    *,
    templates: Path | None = None,
    assets: Path | None = None,
) -> Signable:
    """Report `name`, with `act` about to be signed; raises CannotRunError as `render` does."""
    frame = _frame(templates, assets)
    content = build_content(name, state, frame.labels, {act.step: act.officer.id})
    pdf, fields = typeset_with_fields(name, content, frame)
    return Signable(pdf, tuple(_place(f) for f in fields), sha256_hex(content_json(content)))


def _place(field: Mapping[str, Any]) -> Place:
    bottom = field["page_height"] - field["y"] - field["height"]
    return Place(
        field["name"], field["page"] - 1, field["x"], bottom, field["width"], field["height"]
    )


def looks_of(
    state: CycleState,
    act: Act,
    data_sha256: str,
    sizes: Mapping[str, tuple[float, float]],
    *,
    templates: Path | None = None,
    assets: Path | None = None,
) -> tuple[dict[str, Look], bytes]:
    """What each field of the report shows with this signature, and the PDF with their pictures.

    `sizes` are width and height of the fields in points.
    """
    frame = _frame(templates, assets)
    content = build_content(DocumentName.VERIFIED_REPORT, state, frame.labels)
    word = frame.labels.word
    clock = Clock(state.office.office.zone, frame.labels.locale)
    number = act.number or content.letter.number
    day = clock.date(act.at) if act.step == 11 else "…………………"
    code = qr_text(state.cycle, number, data_sha256)
    stage = "stamp_established" if act.step == 11 else "stamp_verified"
    told: dict[str, tuple[str, dict[str, str]]] = {
        "number": (number, {"kind": "number", "text": number}),
        "qr": (code, {"kind": "qr", "qr": "code.svg"}),
        FIELD[act.step]: (
            "",
            {
                "kind": "stamp",
                "qr": "code.svg",
                "heading": state.office.letters.electronic_signature_note or word("text", "stamp"),
                "name": say(act.officer.name, 120),
                "act": word("text", stage),
                "at": clock.moment(act.at),
                "certificate": word("text", "stamp_certificate").format(
                    fingerprint=act.certificate[:16] + "…"
                ),
            },
        ),
    }
    words = word("text", "established_on").format(date=day)
    told["date"] = (words, {"kind": "date", "text": words})
    present = [name for name in told if name in sizes]
    looks = {name: Look(told[name][0], page) for page, name in enumerate(present)}
    view = [
        {**told[name][1], "width": sizes[name][0], "height": sizes[name][1]} for name in present
    ]
    with workplace(DocumentName.VERIFIED_REPORT, content, frame, {"looks": view}) as work:
        (work / "code.svg").write_bytes(qr_picture(code))
        return looks, compile_pdf(work, "field.typ", frame, act.at)


def _frame(templates: Path | None, assets: Path | None) -> Frame:
    where = template_folder(templates)
    return Frame(load_labels(where), where, assets)
