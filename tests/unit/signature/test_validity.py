"""An officer's days count as the office's own calendar has them, on any machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.model.office import Officer
from orchestrator.signature.ssh import key_fingerprint, sign, verify
from tests.cli import make_key


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, tuple[str, ...]]:
    """A signature over `text`, and the keys of the officer who made it."""
    key = make_key(tmp_path_factory.mktemp("keys") / "officer")
    public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    officer = Officer(id="siti", role="analis", name="Siti", keys=(public,))
    return sign("text", officer, key), officer.keys


@pytest.mark.parametrize(
    ("at", "right"),
    [
        ("2026-10-31T16:59:59+00:00", False),  # 23.59 WIB of the day before
        ("2026-10-31T17:00:00.000001+00:00", True),  # 00.00 WIB of the first day
        ("2026-11-30T16:59:59+00:00", True),  # 23.59 WIB of the last day
        ("2026-11-30T17:00:01+00:00", False),  # 00.00 WIB of the day after
        ("yesterday", False),
        ("0001-01-01T00:00:00+14:00", False),
    ],
)
@pytest.mark.parametrize("machine", ["UTC", "Asia/Jayapura", "America/Lima"])
def test_first_and_last_day_are_whole_days_of_the_office(
    signed: tuple[str, tuple[str, ...]],
    at: str,
    right: bool,
    machine: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", machine)
    signature, keys = signed
    days = ("2026-11-01", "2026-11-30")
    reason = verify("text", signature, "siti", keys, at=at, valid=days, zone="Asia/Jakarta")
    assert (reason == "") is right, reason


def test_a_fingerprint_is_the_one_that_ssh_keygen_shows(
    signed: tuple[str, tuple[str, ...]], tmp_path: Path
) -> None:
    import subprocess

    signature, keys = signed
    (tmp_path / "key.pub").write_text(keys[0] + "\n", encoding="utf-8")
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True
    )
    assert key_fingerprint(signature) == shown.stdout.split()[1]
