"""Draws the documents of a finished cycle once more, by the templates as they are now: as they
were, in English, signed, and for a restyled office.

Called by docs/pictures.sh: docs/pictures.py CYCLE-FOLDER OUT. Nothing in the cycle is changed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestrator.documents import DocumentName, render
from orchestrator.documents.signing import FIELD, Act, looks_of, signable
from orchestrator.documents.templates import SHIPPED
from orchestrator.journal.fold import fold
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.model.office import Office
from orchestrator.signature.certificate import PdfKey, read_pdf_key
from orchestrator.signature.pades import field_sizes, sign_pdf
from tests.certificates import PASSPHRASE, certificate

CHANGES = Path(__file__).resolve().parent / "restyled"


def main(cycle: Path, out: Path) -> None:
    """Write OUT/documents/, OUT/en/, OUT/signed.pdf and OUT/restyled/."""
    journal = cycle / "journal.db"
    state = fold(read_entries(journal))
    for record in state.documents.values():
        render(DocumentName(record.name), _before(journal, record.seq), out / "documents")
    render(DocumentName.REPORT, state, out / "en", language="en")
    (out / "signed.pdf").write_bytes(_signed(journal, state, out))
    templates = shutil.copytree(SHIPPED, out / "report_templates")
    shutil.copyfile(CHANGES / "look.yml", templates / "look.yml")
    closing = "laporan-penutup.j2"
    shutil.copyfile(CHANGES / closing, templates / "prose" / "id" / closing)
    changes = yaml.safe_load((CHANGES / "office.yml").read_text(encoding="utf-8"))
    state.office = Office.model_validate(_merged(state.office.model_dump(mode="json"), changes))
    for name in (DocumentName.CHECK_LIST, DocumentName.ORDER, DocumentName.REPORT):
        render(name, state, out / "restyled", templates=templates, assets=CHANGES)


def _before(journal: Path, seq: int) -> CycleState:
    return fold(entry for entry in read_entries(journal) if entry.seq < seq)


def _signed(journal: Path, done: CycleState, out: Path) -> bytes:
    """The report as if verifier and establisher had certificates; theirs are made here and now."""
    seq = done.documents[DocumentName.VERIFIED_REPORT.value].seq
    state = _before(journal, seq)
    act, key = _signer(state, done, 10, out)
    made = signable(DocumentName.VERIFIED_REPORT, state, act)
    sizes = {place.name: (place.width, place.height) for place in made.places}
    looks, pictures = looks_of(state, act, made.data_sha256, sizes)
    fields = tuple(FIELD.values())
    pdf = sign_pdf(made.pdf, key, FIELD[10], looks, pictures, places=made.places, signatures=fields)
    act, key = _signer(state, done, 11, out)
    looks, pictures = looks_of(state, act, made.data_sha256, field_sizes(pdf))
    return sign_pdf(pdf, key, FIELD[11], looks, pictures)


def _signer(state: CycleState, done: CycleState, step: int, out: Path) -> tuple[Act, PdfKey]:
    record = done.signed(step)[0]
    officer = state.office.officer(record.officer)
    if officer is None:
        raise SystemExit(f"pictures.py: nobody signed step {step}")
    made = certificate(officer.name.split(",")[0])
    officer = officer.model_copy(update={"certificates": (made.fingerprint,)})
    until = made.certificate.not_valid_after_utc
    key = read_pdf_key(made.p12(out / f"{step}.p12"), PASSPHRASE, officer, until)
    number = done.number if step == 11 else ""
    return Act(step, officer, key.fingerprint, record.at, number), key


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = {k: _merged(old[k], v) if isinstance(v, dict) else v for k, v in new.items()}
    return {**old, **both}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
