"""SSH signatures: made and checked by the real ssh-keygen, refused for each reason there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestrator.documents.content.people import key_fingerprint
from orchestrator.model.errors import UsageError
from orchestrator.model.office import Officer
from orchestrator.signature.ssh import allowed_signers, sign, verify
from tests.unit.signature.keys import Token, key_file, public, raw_sign

TEXT = '{"step":3}'
BUDI = "budi"


@dataclass(frozen=True)
class Keys:
    own: Path
    other: Path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return Keys(key_file(folder / "own"), key_file(folder / "other"))


def officer(*lines: str, **fields: object) -> Officer:
    return Officer.model_validate(
        {"id": BUDI, "role": "analis", "name": "Contoh Budi", "keys": lines, **fields}
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_every_kind_of_key_signs(kind: str, tmp_path: Path) -> None:
    key = key_file(tmp_path / kind, kind)
    signature = sign(TEXT, officer(public(key)), key)
    assert verify(TEXT, signature, BUDI, (public(key),)) == ""


def test_another_text_another_officer_another_key(keys: Keys) -> None:
    signature = sign(TEXT, officer(public(keys.own)), keys.own)
    assert verify(TEXT, signature, BUDI, (public(keys.own),)) == ""
    assert verify(TEXT + " ", signature, BUDI, (public(keys.own),))
    assert verify(TEXT, signature, BUDI, (public(keys.other),))
    assert verify(TEXT, signature, BUDI, ())
    assert verify(TEXT, "not a signature", BUDI, (public(keys.own),))
    assert verify(TEXT, signature.replace("U1NI", "U1NJ", 1), BUDI, (public(keys.own),))


def test_a_signature_made_for_another_purpose_is_worth_nothing(keys: Keys) -> None:
    """The same key may sign git commits or files: those signatures open no gate."""
    assert verify(TEXT, raw_sign(TEXT, keys.own), BUDI, (public(keys.own),)) == ""
    for namespace in ("git", "file", "sop-run/gate/2"):
        assert verify(TEXT, raw_sign(TEXT, keys.own, namespace), BUDI, (public(keys.own),))


def test_an_unknown_key_cannot_sign(keys: Keys) -> None:
    with pytest.raises(UsageError, match="is not a valid key of officer 'budi'"):
        sign(TEXT, officer(public(keys.own)), keys.other)


def test_a_revoked_key_cannot_sign_whatever_its_comment(keys: Keys) -> None:
    line = public(keys.own)
    revoked = officer(f"{line} laptop", public(keys.other), revoked_keys=[f"{line} lost"])
    assert revoked.valid_keys == (public(keys.other),)
    with pytest.raises(UsageError, match="is not a valid key"):
        sign(TEXT, revoked, keys.own)
    with pytest.raises(UsageError, match="no public key that is not revoked"):
        sign(TEXT, officer(line, revoked_keys=[line]), keys.own)


@pytest.mark.parametrize(
    ("at", "valid", "good"),
    [
        ("2026-11-10T12:00:00+00:00", ("2026-11-01", "2026-11-30"), True),
        ("2026-10-31T12:00:00+00:00", ("2026-11-01", ""), False),
        ("2026-12-02T12:00:00+00:00", ("", "2026-11-30"), False),
        ("2026-12-02T12:00:00+00:00", ("", ""), True),
    ],
)
def test_a_key_counts_only_while_it_is_valid(
    keys: Keys, at: str, valid: tuple[str, str], good: bool
) -> None:
    signature = raw_sign(TEXT, keys.own)
    reason = verify(TEXT, signature, BUDI, (public(keys.own),), at=at, valid=valid)
    assert (reason == "") == good, reason


def test_a_hardware_key_is_accepted_and_checked() -> None:
    token, other = Token(), Token()
    holder = officer(token.public)
    signature = token.sign(TEXT)
    assert verify(TEXT, signature, BUDI, holder.keys) == ""
    assert verify(TEXT + " ", signature, BUDI, holder.keys)
    assert verify(TEXT, other.sign(TEXT), BUDI, holder.keys)
    assert verify(TEXT, token.sign(TEXT, namespace="git"), BUDI, holder.keys)
    assert key_fingerprint(signature).startswith("SHA256:")


SK = "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTY="


@pytest.mark.parametrize(
    "line",
    [
        f"sk-ecdsa-sha2-nistp256@openssh.com {SK} token",
        f"sk-ssh-ed25519@openssh.com {SK}",
        f"ssh-ed25519 {SK} budi@kantor",
    ],
)
def test_lines_of_hardware_keys_may_stand_in_office_yml(line: str) -> None:
    assert officer(line).keys == (line,)
    signers = allowed_signers(BUDI, (line,))
    assert signers == f'budi namespaces="sop-run/gate/1" {" ".join(line.split()[:2])}\n'


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "cert-authority ssh-ed25519 AAAA",
        'command="x" ssh-ed25519 AAAA',
        "ssh-ed25519 AAAA\nssh-ed25519 BBBB",
        "ssh-ed25519",
        "",
    ],
)
def test_what_is_no_public_key_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        officer(line)
