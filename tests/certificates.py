"""Certificates for tests, made at run time: self-signed ones, and ones that an authority issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs12,
)
from cryptography.x509.oid import NameOID

PASSPHRASE = "frasa-sandi-uji"


@dataclass(frozen=True)
class Made:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(SHA256()).hex()

    def pem(self, path: Path) -> Path:
        """The certificate alone, for --trust-pdf."""
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path

    def p12(self, path: Path, passphrase: str = PASSPHRASE) -> Path:
        """Key and certificate as an officer has them."""
        cipher = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(b"x", self.key, self.certificate, None, cipher)
        )
        return path


def certificate(
    name: str,
    *,
    days: tuple[int, int] = (-1, 30),
    issuer: Made | None = None,
    authority: bool = False,
    may_sign: bool = True,
) -> Made:
    """A certificate, valid from and until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=may_sign and not authority,
        content_commitment=may_sign and not authority,
        key_encipherment=not may_sign,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    return Made(key, builder.sign(issuer.key if issuer else key, SHA256()))
