"""What a valid office.yml may still lack: keys, days, persons."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.model.office import Office
from orchestrator.office.health import Ailment, ailments
from orchestrator.office.load import load_office
from tests.cli import make_key

TODAY = date(2026, 11, 25)
ROLES = ("pengelola", "analis", "jf", "kepala")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A public key for each role, and weak ones."""
    folder = tmp_path_factory.mktemp("keys")
    found = {role: make_key(folder / role).with_suffix(".pub").read_text().strip()
             for role in (*ROLES, "second")}  # fmt: skip
    for name, bits in (("short", 1024), ("fair", 2048)):
        command = ["ssh-keygen", "-q", "-t", "rsa", "-b", str(bits), "-N", "", "-f"]
        subprocess.run([*command, str(folder / name)], check=True)
        found[name] = (folder / f"{name}.pub").read_text().strip()
    return found


def found(folder: Path, keys: dict[str, str], **changes: dict[str, Any]) -> list[Ailment]:
    """What is told of an office whose officers are changed so (id → fields)."""
    officers = [
        {"id": role, "role": role, "name": f"Contoh {role}", "keys": [keys[role]],
         "nip": f"19{number:016d}"}
        for number, role in enumerate(ROLES, start=1)
    ]  # fmt: skip
    for officer in officers:
        officer.update(changes.pop(str(officer["id"]), {}))
    officers += changes.pop("more", [])  # type: ignore[arg-type]
    document = {
        "office": {"government": "PEMERINTAH", "agency": "DINAS", "city": "Contoh"},
        "letters": {"classification_code": "000.1.2"},
        "officers": officers,
        **changes,
    }
    path = folder / "office.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return ailments(path, load_office(path), TODAY)


def test_an_office_that_is_well_has_no_ailment(tmp_path: Path, keys: dict[str, str]) -> None:
    assert found(tmp_path, keys) == []


def test_keys(tmp_path: Path, keys: dict[str, str]) -> None:
    (role, one) = found(tmp_path, keys, kepala={"keys": []})
    assert "officer kepala has no public key" in one.words and one.serious
    assert "nobody could sign today as kepala" in role.words and "passes step 4" in role.words
    path = (tmp_path / "office.yml").read_text().splitlines()
    assert "id: kepala" in path[one.line - 1]
    revoked = {"keys": [keys["kepala"]], "revoked_keys": [keys["kepala"]]}
    assert "only revoked keys" in found(tmp_path, keys, kepala=revoked)[1].words
    (short,) = found(tmp_path, keys, jf={"keys": [keys["short"]]})
    assert "RSA key of 1024 bits, which is too short" in short.words and short.serious
    (fair,) = found(tmp_path, keys, jf={"keys": [keys["fair"]]})
    assert "2048 bits" in fair.words and not fair.serious
    (none,) = found(tmp_path, keys, jf={"keys": ["ssh-ed25519 AAAAnonsense"]})
    assert "is no public key" in none.words and none.serious


def test_days(tmp_path: Path, keys: dict[str, str]) -> None:
    (soon,) = found(tmp_path, keys, jf={"valid_until": "2026-12-24"})
    assert "may sign for 29 more days (until 2026-12-24)" in soon.words and soon.serious
    assert found(tmp_path, keys, jf={"valid_until": "2027-12-24"}) == []
    words = [a.words for a in found(tmp_path, keys, jf={"valid_until": "2026-11-24"})]
    assert any("not sign any more since 2026-11-24" in w for w in words)
    assert any("nobody could sign today as jf" in w for w in words)
    later = found(tmp_path, keys, jf={"valid_from": "2026-12-01"})
    assert any("may not sign before 2026-12-01" in a.words for a in later)


def test_one_person_with_two_roles(tmp_path: Path, keys: dict[str, str]) -> None:
    """Who verifies does not establish: step 10 is the JF's, 11 the Kepala's."""
    same = {"nip": "19 0000 000000 000 004"}
    (one,) = found(tmp_path, keys, jf=same, kepala=same)
    assert "separation of duties cannot be kept" in one.words
    assert "step 11 (kepala): who verified the report does not establish it" in one.words
    named = {"nip": "", "name": "  contoh   KEPALA "}
    (by_name,) = found(tmp_path, keys, jf=named, kepala={"nip": ""})
    assert "separation of duties" in by_name.words
    second = {"id": "jf2", "role": "jf", "name": "Contoh Kedua", "keys": [keys["second"]]}
    assert found(tmp_path, keys, jf=same, kepala=same, more=[second]) == []  # type: ignore[arg-type]
    relaxed = {"separation_of_duties": False}
    assert found(tmp_path, keys, jf=same, kepala=same, rules=relaxed) == []


def test_a_logo_that_is_not_there_and_placeholders(tmp_path: Path, keys: dict[str, str]) -> None:
    office = {"government": "P", "agency": "D", "city": "C", "logo": "logo.png"}
    letters = {"nature": "Biasa"}
    logo, placeholders = found(tmp_path, keys, office=office, letters=letters)
    assert "there is no" in logo.words and logo.serious
    assert "placeholders" in placeholders.words and not placeholders.serious


def test_the_shipped_example_is_told_to_have_no_keys(root: Path) -> None:
    path = root / "inventory/office.yml"
    office = load_office(path)
    assert isinstance(office, Office)
    told = [a.words for a in ailments(path, office, TODAY)]
    assert sum("no public key" in words for words in told) == 4
