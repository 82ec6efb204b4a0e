"""Checks the PAdES signatures of a PDF, offline, at the time that the journal gives.

What counts is pyHanko's bottom line, that the last signature covers the whole file, and that
nothing but the fields made for it were filled after the first: an appended stamp stays "intact".
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from orchestrator.model.errors import UsageError
from orchestrator.signature.fields import Expected

_USAGE = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
)


def read_roots(path: Path) -> tuple[Any, ...]:
    """Certificates of authorities that an auditor trusts, PEM or DER; raises UsageError."""
    try:
        data = path.read_bytes()
        if pem.detect(data):
            ders = [der for _, _, der in pem.unarmor(data, multiple=True)]
        else:
            ders = [data]
        roots = tuple(asn1_x509.Certificate.load(der, strict=True) for der in ders)
        for root in roots:
            root.native  # noqa: B018 - parsing is lazy; what is no certificate shows here
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} holds no certificates (PEM or DER)") from error
    return roots


def check_pdf(
    data: bytes, expected: Sequence[Expected], roots: Sequence[Any] | None = None
) -> list[str]:
    """For each expected signature '' or what is wrong with it.

    Without `roots` a signature is trusted because its certificate is the one that the journal
    binds to the officer; with them, it must also come from one of these authorities.
    """
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # what fails is in the answer
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    try:
        found = PdfFileReader(io.BytesIO(data)).embedded_signatures
        if [s.field_name for s in found] != [e.field for e in expected]:
            fields = ", ".join(s.field_name for s in found) or "none"
            return [f"the file has other signatures than were given: {fields}"] * len(expected)
        return [
            _fault(s, e, roots, last=n == len(found))
            for n, (s, e) in enumerate(zip(found, expected, strict=True), start=1)
        ]
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return [f"the file cannot be read as a signed PDF: {error}"] * len(expected)


def _fault(found: Any, expected: Expected, roots: Sequence[Any] | None, *, last: bool) -> str:
    certificate = found.signer_cert
    if certificate.sha256.hex() != expected.certificate:
        return f"it is by another certificate: SHA-256 {certificate.sha256.hex()}"
    moment = datetime.fromisoformat(expected.at)
    # A certificate that is trusted by itself is not looked at for its dates below.
    begins, ends = certificate.not_valid_before, certificate.not_valid_after
    if not begins <= moment <= ends:
        return f"the certificate was valid from {begins:%Y-%m-%d} until {ends:%Y-%m-%d} only"
    context = ValidationContext(
        trust_roots=[certificate] if roots is None else list(roots),
        allow_fetching=False,
        moment=moment,
        best_signature_time=moment,
        revocation_mode="soft-fail",
    )
    try:
        status = validate_pdf_signature(found, context, key_usage_settings=_USAGE)
    except (SigningError, PdfError) as error:
        return str(error)
    if last and status.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        return "something was added to the file after it was signed"
    if status.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return "it does not cover all that stood in the file when it was made"
    if not status.bottom_line or not status.docmdp_ok:
        return _why(status)
    return ""


def _why(status: Any) -> str:
    if not status.intact:
        return "the file was changed: its bytes are not those that were signed"
    if not status.valid:
        return "the signature is not by the certificate's key"
    if not status.trusted:
        return (
            f"the certificate is not trusted: {status.trust_problem_indic or 'no path to a root'}"
        )
    return "something other than the fields for the next signature was changed afterwards"
