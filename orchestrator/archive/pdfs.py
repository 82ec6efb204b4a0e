"""Checks the PAdES signatures of the reports, at the times that the journal gives."""

from __future__ import annotations

from pathlib import Path

from orchestrator.archive.report import Report
from orchestrator.archive.trust import Trusted
from orchestrator.journal.state import CycleState
from orchestrator.signature.fields import Expected


def check_pdfs(report: Report, state: CycleState, folder: Path, trusted: Trusted | None) -> None:
    """One check for each signature with a certificate (SOP steps 10 and 11).

    Without authorities in `trusted` the certificate must be the one that the journal binds to the
    officer; with them it must come from one of them, too.
    """
    names = sorted({s.pdf.name for s in state.signatures if s.pdf is not None})
    if not names:
        return
    from orchestrator.signature.pades_check import check_pdf  # loading pyHanko takes a second

    roots = trusted.roots if trusted is not None else None
    for name in names:
        signed = state.pdf_signatures(name)
        expected = [Expected(pdf.field, pdf.certificate, record.at) for record, pdf in signed]
        try:
            faults = check_pdf((folder / name).read_bytes(), expected, roots)
        except OSError as error:
            faults = [str(error)] * len(signed)
        for (record, pdf), fault in zip(signed, faults, strict=True):
            report.add(
                f"PDF signature: {name}, step {record.step} by {record.officer}",
                not fault,
                fault or f"PAdES, certificate {pdf.certificate[:16]}…",
            )
