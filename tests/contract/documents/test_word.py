"""The Word files as python-docx and a reader of their XML see them."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.shared import Mm
from lxml import etree

from orchestrator.documents import DocumentName, render
from orchestrator.documents.templates import SHIPPED
from orchestrator.documents.word.shipped import TEMPLATES, template_bytes
from orchestrator.model.errors import CannotRunError
from tests.unit.documents.extreme import incidental, large, many_items, rehearsed
from tests.unit.documents.sample import HOSTILE, STATES, all_failed, normal

WORD = [n for n in DocumentName if n.value.endswith(".docx")]
ORDER, MINUTES, DRAFT = WORD
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def words_of(path: Path) -> str:
    """All text of the body and of headers and footers, a line for each paragraph."""
    document = Document(str(path))
    parts = [document.element.body]
    for section in document.sections:
        parts += [section.header._element, section.footer._element]
    lines = []
    for part in parts:
        for paragraph in part.iter(f"{W}p"):
            lines.append("".join(t.text or "" for t in paragraph.iter(f"{W}t")))
    return "\n".join(lines)


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("name", WORD)
def test_it_opens_and_is_whole(tmp_path: Path, kind: str, name: DocumentName) -> None:
    state = STATES[kind](11)
    path = render(name, state, tmp_path).path
    document = Document(str(path))
    section = document.sections[0]
    wanted = (215, 330) if state.office.letters.paper == "f4" else (210, 297)
    assert abs(section.page_width - Mm(wanted[0])) < 1000
    assert abs(section.page_height - Mm(wanted[1])) < 1000
    words = words_of(path)
    assert not re.search(r"\b(None|nan|NaN|undefined)\b", words)
    assert "{%" not in words.replace(HOSTILE["jinja"], "")
    for part in zipfile.ZipFile(path).namelist():
        if part.endswith((".xml", ".rels")):
            etree.fromstring(zipfile.ZipFile(path).read(part))


@pytest.mark.parametrize("name", WORD)
def test_it_says_what_the_pdf_says(tmp_path: Path, name: DocumentName) -> None:
    state = normal()
    words = words_of(render(name, state, tmp_path).path)
    assert "Pemerintah Kota Contoh".upper() in words
    assert "sementara/500.12.12/2026-11/XI/2026" in words
    if name is not ORDER:
        assert all(host in words for host in state.hosts)
    if name is not MINUTES:
        for item in state.plan.items:
            assert item.name in words and item.from_version in words
    signers = {
        ORDER: ["kepala"],
        MINUTES: ["pengelola", "analis"],
        DRAFT: ["pengelola", "pranata", "kepala"],
    }
    for officer in (state.office.officer(o) for o in signers[name]):
        assert officer.name in words and officer.rank in words and officer.nip in words


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    for name in WORD:
        words = words_of(render(name, STATES["hostile"](), tmp_path).path)
        for key in ("formula", "jinja", "typst", "emoji", "error"):
            assert HOSTILE[key][:60] in words, (name, key)
        assert "49" not in words.split("{{ 7*7 }}")[1][:10]
        assert "\x1b" not in words and "\u202e" not in words


def test_columns_have_fixed_widths_and_heads_are_repeated(tmp_path: Path) -> None:
    for name in WORD:
        document = Document(str(render(name, normal(), tmp_path).path))
        ruled = [t for t in document.tables if t.style and t.style.name == "Table Grid"]
        assert ruled
        for table in ruled:
            assert table._tbl.tblPr.find(f"{W}tblLayout").get(f"{W}type") == "fixed"
            assert next(table.rows[0]._tr.iter(f"{W}tblHeader"), None) is not None
            widths = [c.width for c in table.rows[-1].cells]
            assert sum(widths) <= Mm(166)


def test_only_the_draft_report_bears_the_watermark(tmp_path: Path) -> None:
    for name in WORD:
        path = render(name, normal(), tmp_path).path
        with zipfile.ZipFile(path) as parts:
            heads = b"".join(parts.read(n) for n in parts.namelist() if "header" in n)
        assert (b'string="DRAF"' in heads) is (name is DRAFT)


def test_large_lists_point_to_the_workbook(tmp_path: Path) -> None:
    state = normal()
    many_items(state, 600)
    assert "Rincian 600 butir" in words_of(render(DRAFT, state, tmp_path).path)
    assert "Rincian 600 butir" in words_of(render(ORDER, state, tmp_path).path)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_shipped_templates_are_the_ones_that_the_script_makes(name: str) -> None:
    with (
        zipfile.ZipFile(SHIPPED / "word" / name) as shipped,
        zipfile.ZipFile(io.BytesIO(template_bytes(name))) as made,
    ):
        assert shipped.namelist() == made.namelist(), "run python -m …word.shipped"
        for part in made.namelist():
            assert shipped.read(part) == made.read(part), f"{part}: run python -m …word.shipped"


def own_templates(folder: Path, words: str) -> Path:
    """An office's copy of the templates, with a sentence added to its minutes in Word."""
    own = folder / "own"
    shutil.copytree(SHIPPED, own)
    path = own / "word" / "notulensi.docx"
    document = Document(str(path))
    document.add_paragraph(words)
    document.save(str(path))
    return own


def test_an_office_edits_a_template_in_word(tmp_path: Path) -> None:
    own = own_templates(tmp_path, "Tembusan: {{ head.agency }}")
    made = render(MINUTES, normal(), tmp_path, templates=own)
    assert "Tembusan: Dinas Komunikasi" in words_of(made.path)


@pytest.mark.parametrize(
    "words",
    [
        "{{ no_such_thing }}",
        "{{ head.no_such_thing }}",
        "{{ head.__class__.__mro__ }}",
        "{{ p.__globals__ }}",
        "{% if %}",
        "{{ hosts.append(1) }}",
    ],
)
def test_a_template_that_is_wrong_or_reaches_out_is_refused(tmp_path: Path, words: str) -> None:
    own = own_templates(tmp_path, words)
    with pytest.raises(CannotRunError, match=r"notulensi\.docx"):
        render(MINUTES, normal(), tmp_path / "out", templates=own)
    assert not (tmp_path / "out" / MINUTES.value).exists()


def test_an_office_whose_templates_are_from_before_is_told(tmp_path: Path) -> None:
    own = own_templates(tmp_path, "x")
    shutil.rmtree(own / "word")
    with pytest.raises(CannotRunError, match="is missing"):
        render(MINUTES, normal(), tmp_path / "out", templates=own)


def test_an_office_that_says_little(tmp_path: Path) -> None:
    words = words_of(render(DRAFT, all_failed(), tmp_path).path)
    assert "DINAS CONTOH" in words and "pemisahan tugas tidak diberlakukan" in words


def test_an_incidental_cycle_says_why_and_what_it_leaves_out(tmp_path: Path) -> None:
    words = words_of(render(ORDER, incidental(), tmp_path).path)
    for said in ("Alasan kegiatan insidental", "CVE-2026-10001 pada OpenSSL", "Lingkup butir",
                 "hanya pembaruan keamanan; paket openssl, libssl3", "tanpa peladen uji",
                 "tidak dibatasi"):  # fmt: skip
        assert said in words, said
    plain = words_of(render(ORDER, normal(), tmp_path / "normal").path)
    assert "insidental" not in plain and "Lingkup butir" not in plain


def test_the_draft_tells_hours_relaxed_rules_notes_and_returns(tmp_path: Path) -> None:
    words = words_of(render(DRAFT, incidental(), tmp_path).path)
    for said in (
        "di luar jadwal bulanan", "Jam kerja: Senin–Kamis 07.30–12.00", "pemisahan tugas tidak",
        "pemutakhiran dilaksanakan tanpa peladen uji", "Catatan: Alasan: Jaringan lambat.",
        "Tambah ruang disk.", "3. Catatan", "Bagian C dilengkapi.",
        "Tabel 5: Pengembalian selama siklus", "10 → 9", "Hasil surat-07 belum ada.",
    ):  # fmt: skip
        assert said in words, said
    assert words.index("Tambah ruang disk.") < words.index("3. Catatan")
    plain = words_of(render(DRAFT, normal(), tmp_path / "normal").path)
    assert "3. Catatan" not in plain and "Pengembalian selama" not in plain


@pytest.mark.parametrize("name", WORD)
def test_a_dry_run_is_marked_on_every_page(tmp_path: Path, name: DocumentName) -> None:
    path = render(name, rehearsed(), tmp_path).path
    assert "DOKUMEN UJI COBA" in words_of(path)
    with zipfile.ZipFile(path) as parts:
        heads = b"".join(parts.read(n) for n in parts.namelist() if "header" in n)
    assert b'string="UJI COBA"' in heads
    assert (" · DRAF" in words_of(path)) is (name is DRAFT)


def test_counts_have_the_languages_separators_and_dates_stay_in_one_piece(tmp_path: Path) -> None:
    state = large(hosts=100)
    approved = sum(len(state.approved(host)) for host in state.hosts)
    words = words_of(render(DocumentName.ORDER_WORD, state, tmp_path).path)
    assert approved > 999
    assert f"{approved // 1000}.{approved % 1000:03d} butir" in words
    assert f"{approved} butir" not in words
    assert "Kota Contoh, 19\u00a0November\u00a02026" in words


def test_names_under_signatures_stand_level(tmp_path: Path) -> None:
    path = render(DocumentName.MINUTES_WORD, normal(), tmp_path).path
    *_, lead, name = Document(str(path)).tables[-1].rows
    assert all("dan Jaringan," in cell.text for cell in lead.cells), "positions end a row"
    assert all(cell.text.startswith("\n\n\nContoh ") for cell in name.cells), "names begin the next"
