"""Messages and helps in Indonesian: none is forgotten, none is changed but its words."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli.catalogue import PLACE, WITHIN, Catalogue, read_catalogue
from orchestrator.cli.words import LANGUAGES, LOCALE, VARIABLES, from_environment, from_office
from orchestrator.office import load
from tests.cli import SOP_RUN

ROOT = Path(__file__).resolve().parents[3]
FOLDER = LOCALE / "id/LC_MESSAGES"
DOMAINS = ("sop-run", "click")
MESSAGES = read_catalogue(FOLDER / "sop-run.po")
INDONESIAN = Catalogue(MESSAGES)
SLOT = re.compile(r"%\(\w+\)s|\{[^}]*\}")


def test_every_message_and_help_has_a_translation() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/words.py"), "--missing"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, (
        "run .venv/bin/python docs/words.py, then translate in orchestrator/locale (how: "
        f"docs/how-to/language.md):\n{done.stdout}{done.stderr}"
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_catalogue_is_read_as_babel_reads_it(domain: str) -> None:
    path = FOLDER / f"{domain}.po"
    expected: dict[str, str] = {}
    for message in read_po(io.BytesIO(path.read_bytes()), abort_invalid=True):
        if message.id:
            assert not message.fuzzy, message.id
            ids = [message.id] if isinstance(message.id, str) else list(message.id)
            text = (
                message.string if isinstance(message.string, str) else (message.string or [""])[0]
            )
            expected |= dict.fromkeys(ids, text)
    assert read_catalogue(path) == expected
    assert len(expected) > 50


@pytest.mark.parametrize("domain", DOMAINS)
def test_translations_have_the_places_of_their_messages(domain: str) -> None:
    plurals = {"{possibility}", "{choice}", "{format}", "{name!r}"}
    for english, translation in read_catalogue(FOLDER / f"{domain}.po").items():
        there, here = sorted(SLOT.findall(english)), sorted(SLOT.findall(translation))
        if domain == "click" and there != here:
            assert set(there) - set(here) <= plurals, english  # one form serves both numbers
            continue
        assert there == here, f"{english!r} → {translation!r}"
        assert english.strip() == english
        assert translation.strip() == translation


def test_options_and_files_are_not_translated() -> None:
    for english, translation in MESSAGES.items():
        for word in re.findall(r"(?<![\w-])--[a-z-]+|\w+\.(?:yml|db|txt|md)\b|`[^`]+`", english):
            assert word in translation, f"{english!r} → {translation!r}"


def test_every_message_is_found_again_with_its_values() -> None:
    for english, translation in MESSAGES.items():
        values = {name: f"Q{n}q" for n, name in enumerate(PLACE.findall(english))}
        made = PLACE.sub(lambda m, v=values: v[m.group(1)], english)  # type: ignore[misc]
        wanted = PLACE.sub(lambda m, v=values: v[m.group(1)], translation)  # type: ignore[misc]
        if len(set(PLACE.findall(english))) == len(PLACE.findall(english)):
            assert INDONESIAN.text(made) == wanted, english


@given(st.text())
def test_a_value_passes_unchanged_whatever_it_is(value: str) -> None:
    one = " ".join(value.split())
    assert INDONESIAN.message(f"there is no file {one}") == f"tidak ada berkas {one}"


@pytest.mark.parametrize(
    "value",
    ["{path}", "%(x)s", "{0.__class__}", "\\1", "$1", "(a+)+$", "\x1b[31m", "nothing was changed"],
)
def test_hostile_values_are_data(value: str) -> None:
    assert "file" not in WITHIN
    assert INDONESIAN.message(f"there is no file {value}") == f"tidak ada berkas {value}"


def test_what_is_no_message_stays_as_it_is() -> None:
    for text in ("", "  ", "web01  updated", "tanpa alasan apa pun", "{path}", "x" * 100_000):
        assert INDONESIAN.text(text) == text


def test_long_text_takes_no_time() -> None:
    text = "is is not a of " * 250
    began = time.process_time()
    INDONESIAN.text(text)
    INDONESIAN.told(": ".join([text] * 20))
    assert time.process_time() - began < 2


def test_a_heading_of_a_table_keeps_its_columns() -> None:
    english = "HOST        VERDICT         REASON"
    assert INDONESIAN.text(english) == "PELADEN     PUTUSAN         ALASAN"


def test_a_message_behind_its_place_is_found() -> None:
    english = "/o/office.yml has 2 problems:\n  /o/office.yml:3: office.city: Field required"
    assert INDONESIAN.told(english) == (
        "/o/office.yml mempunyai 2 kesalahan:\n  /o/office.yml:3: office.city: Wajib diisi"
    )


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id"}, "id"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "idx_XX"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "id_ID.UTF-8"}, "en"),
        ({"LC_MESSAGES": "id_ID", "LANG": "en_US"}, "id"),
        ({"LANGUAGE": "su:id:en", "LANG": "en_US.UTF-8"}, "id"),
        ({"LANGUAGE": "", "LC_ALL": "", "LANG": "id_ID.UTF-8"}, "id"),
        ({"SOP_RUN_LANGUAGE": "id_ID.UTF-8", "LC_ALL": "C.UTF-8"}, "id"),
    ],
)
def test_the_environment_chooses(environment: dict[str, str], language: str) -> None:
    assert from_environment(environment) == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("language: id", "id"),
        ("language: 'en'  # bahasa", "en"),
        ("# language: id", ""),
        ("  language: id", ""),
        ("language: fr", ""),
    ],
)
def test_office_yml_chooses(tmp_path: Path, line: str, language: str) -> None:
    (tmp_path / "office.yml").write_text(f"office:\n  city: Kota\n{line}\n", encoding="utf-8")
    (tmp_path / "hosts.yml").write_text("", encoding="utf-8")
    assert from_office(["status", "--office", str(tmp_path / "office.yml")]) == language
    assert from_office([f"--inventory={tmp_path}", "status"]) == language
    assert from_office(["status", "-i", str(tmp_path / "hosts.yml")]) == language
    assert from_office(["status", "--office", str(tmp_path / "none.yml")]) == ""


def test_office_yml_takes_the_same_languages() -> None:
    assert load.LANGUAGES == LANGUAGES


def test_the_key_is_in_the_example_and_documented() -> None:
    assert "# language: id" in (ROOT / "inventory/office.yml").read_text(encoding="utf-8")
    page = (ROOT / "docs/reference/office.md").read_text(encoding="utf-8")
    assert "| `language` |" in page
    how = (ROOT / "docs/how-to/language.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in how for name in VARIABLES)


def called(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    return subprocess.run(
        [str(SOP_RUN), *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**bare, **environment, "NO_COLOR": "1"},
        check=False,
    )


def test_helps_and_errors_are_in_the_language_that_was_chosen(tmp_path: Path) -> None:
    english, indonesian = called("sop"), called("sop", LANG="id_ID.UTF-8")
    assert "signed by" in english.stdout
    assert "ditandatangani oleh" in indonesian.stdout
    helped = called("sign", "--help", LANG="id_ID.UTF-8").stdout
    assert "Penggunaan: sop-run sign" in helped
    assert "[wajib]" in helped
    assert "Contoh:  sop-run sign 2026-11 --as analis" in helped
    wrong = called("sign", LANG="id_ID.UTF-8")
    assert wrong.returncode == 2
    assert "Kesalahan: Argumen belum diberikan: 'CYCLE'." in wrong.stderr
    home = str(tmp_path)
    absent = called("status", "2026-11", "--home", home, LANG="id_ID.UTF-8")
    assert absent.returncode == 2
    assert f"sop-run: tidak ada siklus 2026-11 di {home}" in absent.stderr


def test_the_offices_language_goes_before_the_environments(tmp_path: Path) -> None:
    example = (ROOT / "inventory/office.yml").read_text(encoding="utf-8")
    office = tmp_path / "office.yml"
    office.write_text(f"language: id\n{example}", encoding="utf-8")
    spoken = called("sop", "--office", str(office), LANG="en_US.UTF-8")
    assert spoken.returncode == 0, spoken.stderr
    assert "ditandatangani oleh" in spoken.stdout
    office.write_text(f"language: fr\n{example}", encoding="utf-8")
    wrong = called("sop", "--office", str(office), LANG="id_ID.UTF-8")
    assert wrong.returncode == 2
    assert f"{office}:1: language: tulis en atau id" in wrong.stderr


@pytest.mark.parametrize(
    "words",
    [("sop", "--json"), ("sop", "--markdown"), ("completion", "bash"), ("status", "--json")],
)
def test_what_programs_read_is_the_same_in_every_language(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    home = ["--home", str(tmp_path)] if words[0] == "status" else []
    english = called(*words, *home)
    assert english.returncode == 0
    assert called(*words, *home, LANG="id_ID.UTF-8").stdout == english.stdout
