"""Keys to sign with in tests: real ones by ssh-keygen, and a hardware token done in software."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestrator.model.statement import NAMESPACE


def key_file(path: Path, kind: str = "ed25519") -> Path:
    """A new private key without passphrase; its public half lies in PATH.pub."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def public(path: Path) -> str:
    """The .pub line of a key."""
    return path.with_name(path.name + ".pub").read_text(encoding="utf-8").strip()


def raw_sign(text: str, key: Path, namespace: str = NAMESPACE) -> str:
    """A signature as anybody can make it with ssh-keygen, without this program's own checks."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode("ascii")


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@dataclass
class Token:
    """What a FIDO token does for `ssh-keygen -t ed25519-sk` (OpenSSH PROTOCOL.u2f), in software."""

    application: str = "ssh:"
    kind: bytes = b"sk-ssh-ed25519@openssh.com"

    def __post_init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._counter = 0

    def _blob(self) -> bytes:
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _string(self.kind) + _string(raw) + _string(self.application.encode())

    @property
    def public(self) -> str:
        """The .pub line."""
        return f"{self.kind.decode()} {base64.b64encode(self._blob()).decode()} token"

    def sign(self, text: str, *, namespace: str = NAMESPACE) -> str:
        """An armored SSH signature of a token that was touched."""
        digest = _string(hashlib.sha512(text.encode()).digest())
        head = _string(namespace.encode()) + _string(b"") + _string(b"sha512")
        message = b"SSHSIG" + head + digest
        self._counter += 1
        proof = b"\x01" + self._counter.to_bytes(4, "big")
        signed = hashlib.sha256(self.application.encode()).digest() + proof
        signature = self._key.sign(signed + hashlib.sha256(message).digest())
        blob = _string(self.kind) + _string(signature) + proof
        whole = b"SSHSIG" + (1).to_bytes(4, "big") + _string(self._blob()) + head + _string(blob)
        body = base64.encodebytes(whole).decode()
        return f"-----BEGIN SSH SIGNATURE-----\n{body}-----END SSH SIGNATURE-----\n"
