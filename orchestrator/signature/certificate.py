"""An officer's certificate for signing PDFs: read from PKCS#12, checked before anything is done.

The passphrase is used here and nowhere kept. The certificate counts by its SHA-256, which
office.yml pins to the officer, as it does with SSH keys; so the journal says whose it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from orchestrator.model.errors import UsageError
from orchestrator.model.office import Officer


@dataclass(frozen=True)
class PdfKey:
    """A private key with its certificate, ready to sign as one officer."""

    officer: str
    fingerprint: str  # SHA-256 of the certificate, lower-case hex
    subject: str  # the name in the certificate
    private_key: Any = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(repr=False, default=())


def read_pdf_key(path: Path, passphrase: str, officer: Officer, now: datetime) -> PdfKey:
    """The key in a PKCS#12 file, after every check that signing as `officer` depends on.

    Raises UsageError: unreadable file, wrong passphrase, a certificate that is not valid now, that
    may not sign, that names somebody else, or that office.yml does not pin to the officer.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(
            data, passphrase.encode() if passphrase else None
        )
    except ValueError as error:
        raise UsageError(
            f"{path} cannot be opened: the passphrase is wrong, or it is no PKCS#12 file (.p12)",
            "nothing was signed or recorded; try again",
        ) from error
    if key is None or certificate is None:
        raise UsageError(f"{path} holds no private key with its certificate")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UsageError(f"{path}: only RSA and elliptic curve keys sign PDFs")
    _check(path, certificate, officer, now)
    return PdfKey(
        officer.id,
        fingerprint(certificate),
        common_name(certificate),
        key,
        certificate,
        tuple(others),
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` has it, without colons."""
    return certificate.fingerprint(SHA256()).hex()


def common_name(certificate: x509.Certificate) -> str:
    """The name (CN) of the certificate's subject, or ''."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def same_person(named: str, officer: str) -> bool:
    """Whether a certificate's name is an officer's, whatever titles stand after the comma."""
    return bool(_plain(named)) and _plain(named) == _plain(officer)


def _plain(name: str) -> list[str]:
    return re.findall(r"\w+", name.split(",", maxsplit=1)[0].casefold())


def _check(path: Path, certificate: x509.Certificate, officer: Officer, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= now.astimezone(UTC) <= ends:
        raise UsageError(
            f"{path}: the certificate is valid from {begins:%Y-%m-%d} until {ends:%Y-%m-%d} only",
            "ask its issuer for a new one, or sign without --pdf-key",
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise UsageError(f"{path}: the certificate may not be used for signatures")
    name = officer.certificate_name or officer.name
    if not same_person(common_name(certificate), name):
        raise UsageError(
            f"{path}: the certificate names {common_name(certificate)!r}, "
            f"officer {officer.id!r} is {name!r}",
            "sign with the officer's own certificate, or say under officers: … certificate_name: "
            "how the certificate writes the name",
        )
    if fingerprint(certificate) not in officer.certificates:
        raise UsageError(
            f"{path}: the certificate of officer {officer.id!r} is not in office.yml",
            f"add it under officers: … certificates: '{fingerprint(certificate)}'",
        )
