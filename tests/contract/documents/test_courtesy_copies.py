"""English courtesy copies: whole, in English, marked as translations, and no records."""

from __future__ import annotations

import re

import pytest
import yaml
from openpyxl import load_workbook
from pypdf import PdfReader

from orchestrator.documents import DocumentName, render
from orchestrator.documents.render import marks_of
from orchestrator.documents.templates import SHIPPED
from orchestrator.model.errors import UsageError
from tests.unit.documents.extreme import EXTREMES
from tests.unit.documents.sample import STATES, normal

INDONESIAN = ("Peladen", "Pemutakhiran", "Pengecekan", "Kesimpulan", "Tabel", "Halaman", "Butir",
              "Pengelola Sistem dan Jaringan", "butir", "peladen", "menit", "Disusun", "Tanggal",
              "dan sistem operasi", "Undang-Undang")  # fmt: skip


def words(path):
    """The text of every page or sheet."""
    if path.suffix == ".pdf":
        return [" ".join(p.extract_text().split()) for p in PdfReader(path).pages]
    return [
        " ".join(str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None)
        for sheet in load_workbook(path).worksheets
    ]


def labels(language):
    return yaml.safe_load((SHIPPED / "labels" / f"{language}.yml").read_text(encoding="utf-8"))


def test_both_languages_have_the_same_words_with_the_same_gaps():
    ours, theirs = labels("id"), labels("en")
    assert set(ours) == set(theirs)
    for section, entries in ours.items():
        if section in ("locale", "phrase", "translation"):
            continue  # what hosts say is English; the translations are Indonesian terms
        assert set(entries) == set(theirs[section]), section
        for key, word in entries.items():
            gaps = sorted(re.findall(r"\{\w+\}", word))
            assert sorted(re.findall(r"\{\w+\}", theirs[section][key])) == gaps, (section, key)


def test_both_languages_have_the_same_passages():
    names = [sorted(p.name for p in (SHIPPED / "prose" / x).iterdir()) for x in ("id", "en")]
    assert names[0] == names[1]
    assert len(names[0]) >= 13


@pytest.mark.parametrize("name", DocumentName)
def test_every_page_is_english_and_says_that_it_is_a_translation(tmp_path, name):
    pages = words(render(name, normal(), tmp_path, language="en").path)
    assert pages
    for page in pages:
        assert "TERJEMAHAN" in page
        assert not [w for w in INDONESIAN if w in page.replace("TERJEMAHAN", "")]
    # A draft stays a draft, also in English.
    assert all(("DRAFT" in page) == name.is_draft for page in pages)


@pytest.mark.parametrize("kind", [*STATES, *EXTREMES])
def test_every_cycle_can_be_told_in_english(tmp_path, kind):
    for name in DocumentName:
        made = render(name, {**STATES, **EXTREMES}[kind](), tmp_path, language="en")
        assert "None" not in " ".join(words(made.path)).replace("None.", "").replace(
            "None is installed", ""
        )


def test_dates_times_and_numbers_are_english(tmp_path):
    text = " ".join(words(render(DocumentName.REPORT, normal(), tmp_path, language="en").path))
    assert "Thursday, 19 November 2026" in text
    assert "08:00–09:35" in text.replace("\u200b", "")
    assert "1,244" in text


def test_a_copy_is_not_taken_as_decisions(tmp_path):
    path = render(DocumentName.CHECK_LIST, normal(2), tmp_path, language="en").path
    with pytest.raises(UsageError, match="has no sheet"):
        marks_of(path, normal(2))
    sheet = load_workbook(path).worksheets[0]
    assert all(c.protection.locked for row in sheet.iter_rows() for c in row)
    assert not sheet.data_validations.dataValidation
