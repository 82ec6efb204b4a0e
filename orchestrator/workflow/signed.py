"""Reports signed with certificates (SOP steps 10 and 11): made, kept, and put where they belong.

No one can make such a file again without the officer, so it is written durably before the journal
speaks of it, and kept a second time under `signed/`, named by its SHA-256. The gate's statement
names that hash: after a crash in between, the file is taken up from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from orchestrator.documents.names import DocumentName
from orchestrator.documents.render import write_atomically
from orchestrator.documents.signing import FIELD, Act, looks_of, signable
from orchestrator.journal.store import now_utc
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.office import Officer
from orchestrator.model.statement import SignedPdf
from orchestrator.signature.fields import Expected, Place
from orchestrator.workflow.run import Run, kept_copy

REPORT_OF_STEP = {10: DocumentName.VERIFIED_REPORT, 11: DocumentName.REPORT}


@dataclass(frozen=True)
class PdfKeyFile:
    """An officer's PKCS#12 file and its passphrase, which is kept nowhere."""

    path: Path
    passphrase: str = field(default="", repr=False)


def sign_report(run: Run, step: int, officer: Officer, key: PdfKeyFile, number: str) -> SignedPdf:
    """Sign the report of a step with the officer's certificate; nothing is recorded yet.

    Raises UsageError, before anything is written, when the key or the step does not fit.
    """
    if step not in REPORT_OF_STEP:
        raise UsageError("a PDF is signed at steps 10 and 11 only", "leave out --pdf-key")
    # Loading pyHanko takes a second: only who signs a PDF waits for it.
    from orchestrator.signature.certificate import read_pdf_key
    from orchestrator.signature.pades import field_sizes, sign_pdf
    from orchestrator.signature.pades_check import check_pdf

    state, name = run.state, REPORT_OF_STEP[step]
    now = now_utc()
    pdf_key = read_pdf_key(key.path, key.passphrase, officer, datetime.fromisoformat(now))
    act = Act(step, officer, pdf_key.fingerprint, now, number)
    looks = {"templates": run.settings.templates, "assets": run.settings.office.parent}
    before = state.signed_pdf(DocumentName.VERIFIED_REPORT) if step == 11 else None
    no_places: tuple[Place, ...] = ()
    if before is not None:
        base, places = _kept(run, before[1]), no_places
        sizes, data = field_sizes(base), before[1].data
    else:
        made = signable(name, state, act, **looks)
        # Who signed by hand at step 10 leaves no field for a certificate behind.
        places = tuple(p for p in made.places if step == 10 or p.name != FIELD[10])
        base, data = made.pdf, made.data_sha256
        sizes = {p.name: (p.width, p.height) for p in places}
    shown, pictures = looks_of(state, act, data, sizes, **looks)
    pdf = sign_pdf(
        base,
        pdf_key,
        FIELD[step],
        shown,
        pictures,
        places=places,
        signatures=tuple(FIELD.values()),
        reason=next(s.kegiatan for s in state.procedure if s.number == step),
        location=state.office.office.city,
    )
    signed = SignedPdf(
        name=name.value,
        sha256=sha256_hex(pdf),
        size=len(pdf),
        field=FIELD[step],
        certificate=pdf_key.fingerprint,
        data=data,
    )
    expected = [
        Expected(record.pdf.field, record.pdf.certificate, record.at)
        for record in state.signatures
        if record.pdf is not None
    ]
    expected.append(Expected(signed.field, signed.certificate, act.at))
    faults = [fault for fault in check_pdf(pdf, expected) if fault]
    if faults:
        raise CannotRunError(f"{name} could not be signed soundly: {faults[0]}")
    path = kept_copy(run.book.folder, signed.sha256)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, pdf)
    return signed


def take_up(run: Run) -> None:
    """Put signed reports among the documents, and record those that are not recorded yet."""
    for step, name in REPORT_OF_STEP.items():
        signed = run.state.signed_pdf(name)
        if signed is None:
            continue
        record = run.state.documents.get(name)
        path = run.documents / name
        if record is not None and record.sha256 == signed[1].sha256 and path.is_file():
            continue
        data = _kept(run, signed[1])
        run.keep_earlier(name, path)  # an earlier signed one, that was sent back or undone
        write_atomically(path, data)
        if record is None or record.sha256 != signed[1].sha256:
            body = {"name": str(name), "sha256": signed[1].sha256, "size": signed[1].size}
            run.book.record("document.rendered", body, step=step)
            run.progress.document(str(path))


def _kept(run: Run, signed: SignedPdf) -> bytes:
    for path in (kept_copy(run.book.folder, signed.sha256), run.documents / signed.name):
        if path.is_file() and sha256_hex(data := path.read_bytes()) == signed.sha256:
            return data
    raise CannotRunError(
        f"{signed.name}, signed with a certificate, is gone or was changed",
        f"put it back from a backup to {kept_copy(run.book.folder, signed.sha256)}; "
        "only the officer could sign it again",
    )
