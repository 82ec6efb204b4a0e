"""SSH signatures by `ssh-keygen -Y`: agents and hardware keys included, nothing else to install.

Source: OpenSSH PROTOCOL.sshsig. Anyone can check a signature with ssh-keygen alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import subprocess
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.office import Officer
from orchestrator.model.statement import NAMESPACE


def allowed_signers(
    officer_id: str, keys: tuple[str, ...], valid: tuple[str, str] = ("", "")
) -> str:
    """Lines of an allowed_signers file for an officer's keys; `valid` is (from, until) dates.

    Both days count as valid, in the time zone in which ssh-keygen runs (the environment's TZ).
    """
    options = [f'namespaces="{NAMESPACE}"']
    if valid[0]:
        options.append(f'valid-after="{valid[0].replace("-", "")}"')
    if valid[1]:
        day_after = date.fromisoformat(valid[1]) + timedelta(days=1)
        options.append(f'valid-before="{day_after:%Y%m%d}"')
    prefix = f"{officer_id} {','.join(options)}"
    return "".join(f"{prefix} {' '.join(key.split()[:2])}\n" for key in keys)


def sign(text: str, officer: Officer, key: Path | None) -> str:
    """Sign `text` with `key` (a private key file, or a public one whose private half an agent has).

    Without `key` the officer's keys from office.yml are tried through the agent. The result is
    verified against the officer's keys before it is returned. Raises UsageError with what to do.
    """
    if not officer.valid_keys:
        revoked = " that is not revoked" if officer.keys else ""
        raise UsageError(
            f"officer {officer.id!r} has no public key{revoked} in office.yml",
            "make one with `ssh-keygen -t ed25519` and add the .pub line under officers: … keys:",
        )
    if key is not None and not key.is_file():
        raise UsageError(f"there is no key file {key}", "name a private key with --key FILE")
    with tempfile.TemporaryDirectory(prefix="sop-run-") as folder:
        candidates = [key] if key else _public_files(officer, Path(folder))
        errors = []
        for candidate in candidates:
            done = subprocess.run(
                ["ssh-keygen", "-Y", "sign", "-f", str(candidate), "-n", NAMESPACE],
                input=text.encode(),
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                signature = done.stdout.decode("ascii")
                reason = verify(text, signature, officer.id, officer.valid_keys)
                if reason:
                    raise UsageError(
                        f"{candidate} is not a valid key of officer {officer.id!r}: {reason}",
                        "sign with the officer's own key, or add its .pub line to office.yml",
                    )
                return signature
            errors.append(done.stderr.decode("utf-8", "replace").strip())
    raise UsageError(
        f"could not sign as {officer.id!r}: {errors[-1] if errors else 'no key'}",
        "name the private key with --key FILE, or load it into ssh-agent",
    )


def _public_files(officer: Officer, folder: Path) -> list[Path]:
    files = []
    for number, key in enumerate(officer.valid_keys):
        path = folder / f"{number}.pub"
        path.write_text(key + "\n", encoding="utf-8")
        files.append(path)
    return files


def verify(
    text: str,
    signature: str,
    officer_id: str,
    keys: tuple[str, ...],
    *,
    at: str = "",
    valid: tuple[str, str] = ("", ""),
    zone: str = "UTC",
) -> str:
    """'' when `signature` over `text` was made by one of `keys`, else why not.

    `at` (ISO 8601) is the time of signing, against which `valid` (from, until) dates count in
    the office's time zone `zone`, wherever this runs.
    """
    moment = None
    if at:
        try:
            moment = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
        except (ValueError, OverflowError):
            return f"its time {at[:40]!r} is no time"
    with tempfile.TemporaryDirectory(prefix="sop-run-") as name:
        folder = Path(name)
        (folder / "signers").write_text(allowed_signers(officer_id, keys, valid), encoding="utf-8")
        (folder / "sig").write_text(signature, encoding="utf-8")
        command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "signers"), "-I", officer_id]
        command += ["-n", NAMESPACE, "-s", str(folder / "sig")]
        if moment is not None:
            command.append(f"-Overify-time={moment.strftime('%Y%m%d%H%M%S')}")
        try:
            done = subprocess.run(
                command,
                input=text.encode("utf-8", "surrogatepass"),
                capture_output=True,
                env={**os.environ, "TZ": zone},
                check=False,
            )
        except FileNotFoundError:
            raise CannotRunError(
                "ssh-keygen is not installed", "install the openssh-client package"
            ) from None
    if done.returncode == 0:
        return ""
    return (done.stderr or done.stdout).decode("utf-8", "replace").strip() or "not valid"


def made_by(armored: str, keys: tuple[str, ...]) -> bool:
    """Whether one of these public keys (.pub lines) is the one inside an SSH signature."""
    own = key_fingerprint(armored)
    return any(own == _fingerprint(base64.b64decode(key.split()[1])) for key in keys)


def _fingerprint(key: bytes) -> str:
    return f"SHA256:{base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip('=')}"


def key_fingerprint(armored: str) -> str:
    """`SHA256:…` of the public key inside an SSH signature, as ssh-keygen -l shows it; or ''."""
    lines = [line for line in armored.split() if not line.startswith("-----")]
    body = "".join(line for line in lines if line not in ("BEGIN", "END", "SSH", "SIGNATURE-----"))
    try:
        raw = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return ""
    length = int.from_bytes(raw[10:14], "big")  # "SSHSIG", version (4), then the key as a string
    key = raw[14 : 14 + length]
    if raw[:6] != b"SSHSIG" or length == 0 or len(key) != length:
        return ""
    return _fingerprint(key)
