"""Sealed files: written whole, and never trusted when they were altered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hostside import durable


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    document = {"status": "ok", "items": [{"name": "ä\u202e=cmd"}]}
    durable.write_sealed(str(path), document)
    assert durable.read_sealed(str(path)) == document
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["receipt.json"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_cut_short_is_damaged(tmp_path: Path, share: float) -> None:
    path = tmp_path / "state.json"
    durable.write_sealed(str(path), {"stage": "running", "attempt": 1})
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(durable.Damaged, match=r"state\.json"):
        durable.read_sealed(str(path))


def test_any_altered_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    durable.write_sealed(str(path), {"status": "ok", "seconds": 12})
    raw = path.read_bytes().rstrip()
    for position in range(len(raw)):
        altered = bytearray(raw)
        altered[position] ^= 1
        path.write_bytes(bytes(altered))
        with pytest.raises(durable.Damaged):
            durable.read_sealed(str(path))


@pytest.mark.parametrize("text", ["", "[]", "null", '{"a": 1}', '{"sha256": null}', "\x00"])
def test_other_forms_are_damaged(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(durable.Damaged):
        durable.read_sealed(str(path))


def test_seal_covers_every_key(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    durable.write_sealed(str(path), {"a": 1})
    document = json.loads(path.read_text(encoding="utf-8"))
    document["b"] = 2
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(durable.Damaged):
        durable.read_sealed(str(path))
