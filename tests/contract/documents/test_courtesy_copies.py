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
from orchestrator.model.errors import CannotRunError, UsageError
from tests.unit.documents.extreme import EXTREMES, incidental
from tests.unit.documents.sample import STATES, normal

INDONESIAN = ("Peladen", "Pemutakhiran", "Pengecekan", "Kesimpulan", "Tabel", "Halaman", "Butir",
              "Pengelola Sistem dan Jaringan", "butir", "peladen", "menit", "Disusun", "Tanggal",
              "dan sistem operasi", "Undang-Undang")  # fmt: skip

COPIED = [name for name in DocumentName if name.has_copies]


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


@pytest.mark.parametrize("name", COPIED)
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
    for name in COPIED:
        made = render(name, {**STATES, **EXTREMES}[kind](), tmp_path, language="en")
        assert "None" not in " ".join(words(made.path)).replace("None.", "").replace(
            "None is installed", ""
        )


@pytest.mark.parametrize("name", sorted(set(DocumentName) - set(COPIED)))
def test_word_files_are_made_in_the_language_of_record_only(tmp_path, name):
    assert name.value.endswith(".docx")
    with pytest.raises(CannotRunError, match="language of record only"):
        render(name, normal(), tmp_path, language="en")
    assert not list(tmp_path.iterdir())


def test_a_copy_has_no_code_that_would_prove_it(tmp_path):
    code = "QR code"
    copy = render(DocumentName.REPORT, normal(), tmp_path, language="en").path
    assert code not in " ".join(words(copy))
    assert "Kode QR" in " ".join(words(render(DocumentName.REPORT, normal(), tmp_path / "x").path))


def test_an_incidental_cycle_is_told_in_english(tmp_path):
    pages = words(render(DocumentName.REPORT, incidental(), tmp_path, language="en").path)
    text = " ".join(" ".join(pages).replace("\u200b", "").split())
    for said in ("November 2026 (incidental cycle 7)", "security updates only",
                 "Some rules of the SOP were relaxed", "Working hours: Monday–Thursday 07:30–12:00",
                 "Sent back during the cycle", "without trial servers"):  # fmt: skip
        assert said in text, said


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
