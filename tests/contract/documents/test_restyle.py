"""An office changes office.yml, its logo and its templates, never the code (checks 6 and 7)."""

from __future__ import annotations

import shutil
import zipfile

import pytest
import yaml
from openpyxl import load_workbook
from pypdf import PdfReader

from orchestrator.documents import DocumentName, render
from orchestrator.documents.templates import SHIPPED, languages
from orchestrator.model.errors import CannotRunError
from orchestrator.model.office import Office
from tests.contract.documents.test_word import words_of as docx_words
from tests.unit.documents.sample import OFFICE, normal

OTHER = {
    "office": {
        "government": "Pemerintah Kabupaten Percobaan",
        "agency": "Badan Sistem Informasi Percobaan",
        "address": "Jalan Percobaan Nomor 99",
        "city": "Percobaan",
        "logo": "lambang.svg",
    },
    "officers": [
        {**o, "name": f"Pejabat {o['id'].title()}", "rank": f"Golongan {n}", "nip": f"9900 {n}"}
        for n, o in enumerate(OFFICE["officers"], start=1)
    ],
}
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 60">'
    '<circle cx="30" cy="30" r="{r}" fill="#228"/></svg>'
)
OLD = ("KOTA CONTOH", "STATISTIK DAN PERSANDIAN", "Contoh Nomor 2", "S.Kom.", "Penata Muda")
SIGNED = {
    DocumentName.CHECK_LIST: "Pejabat Analis",
    DocumentName.ORDER: "Pejabat Kepala",
    DocumentName.MONITORING: "Pejabat Pranata",
    DocumentName.UPDATE_RECORD: "Pejabat Pengelola",
    DocumentName.MINUTES: "Pejabat Analis",
    DocumentName.DRAFT_REPORT: "Pejabat Pengelola",
    DocumentName.REPORT: "Pejabat Kepala",
    DocumentName.CHECK_LIST_PDF: "Pejabat Analis",
    DocumentName.ORDER_WORD: "Pejabat Kepala",
    DocumentName.UPDATE_RECORD_PDF: "Pejabat Pengelola",
    DocumentName.MINUTES_WORD: "Pejabat Analis",
    DocumentName.DRAFT_REPORT_WORD: "Pejabat Pengelola",
    DocumentName.VERIFIED_REPORT: "Pejabat Pranata",
}


def words_of(path):
    if path.suffix == ".pdf":
        text = " ".join(page.extract_text() for page in PdfReader(path).pages)
    elif path.suffix == ".docx":
        text = docx_words(path)
    else:
        text = " ".join(
            str(cell.value)
            for sheet in load_workbook(path).worksheets
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None
        )
    return " ".join(text.replace("\u200b", "").split())


def restyled(tmp_path, name, radius=28, **more):
    (tmp_path / "lambang.svg").write_text(LOGO.format(r=radius), encoding="utf-8")
    state = normal()
    state.office, state.signatures = Office.model_validate(OTHER), []
    return render(name, state, tmp_path / f"made-{radius}", assets=tmp_path, **more)


@pytest.fixture
def own(tmp_path):
    """An office's own copy of report_templates/."""
    return shutil.copytree(SHIPPED, tmp_path / "report_templates")


def look(folder, part, **values):
    path = folder / "look.yml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data[part] |= values
    path.write_text(yaml.safe_dump(data), encoding="utf-8")


@pytest.mark.parametrize("name", SIGNED)
def test_office_yml_alone_changes_letterhead_and_names_everywhere(tmp_path, name):
    words = words_of(restyled(tmp_path, name).path)
    for new in ("PEMERINTAH KABUPATEN PERCOBAAN", "BADAN SISTEM INFORMASI PERCOBAAN",
                "Jalan Percobaan Nomor 99", SIGNED[name]):  # fmt: skip
        assert new in words
    assert not [old for old in OLD if old in words]


@pytest.mark.parametrize("name", [n for n in SIGNED if not n.value.endswith(".docx")])
def test_the_logo_is_shown_and_another_one_changes_the_document(tmp_path, name):
    one, two = restyled(tmp_path, name, 28), restyled(tmp_path, name, 12)
    assert one.sha256 != two.sha256
    assert restyled(tmp_path, name, 28).sha256 == one.sha256  # the same input, the same bytes
    if one.path.suffix == ".xlsx":
        sheets = load_workbook(one.path).worksheets
        with zipfile.ZipFile(one.path) as package:
            pictures = [n for n in package.namelist() if n.startswith("xl/media/")]
            drawn = b"".join(package.read(n) for n in package.namelist() if "/drawings/" in n)
            png = package.read(pictures[0])
        assert len(pictures) == len(sheets)
        assert png.startswith(b"\x89PNG")
        assert drawn.count(b'/relationships/image"') == len(sheets)


def test_every_document_is_signed_by_somebody_here():
    assert set(SIGNED) == set(DocumentName)


def test_fonts_and_colours_of_workbooks(tmp_path, own):
    look(own, "workbook", font="Bookman Old Style", head_fill="abcdef", critical_fill="112233")
    plain = load_workbook(render(DocumentName.CHECK_LIST, normal(2), tmp_path / "a").path)
    made = load_workbook(
        render(DocumentName.CHECK_LIST, normal(2), tmp_path / "b", templates=own).path
    )
    swapped = {"FFD9E1EA": "FFABCDEF", "FFE8765A": "FF112233"}
    seen = set()
    for old, new in zip(plain.worksheets, made.worksheets, strict=True):
        for row in old.iter_rows():
            for cell in row:
                other = new[cell.coordinate]
                fill = cell.fill.fgColor.rgb
                assert other.fill.fgColor.rgb == swapped.get(fill, fill)
                assert other.font.sz == cell.font.sz and other.font.b == cell.font.b
                if cell.value is not None:
                    assert other.font.name == "Bookman Old Style"
                seen.add(fill)
    assert set(swapped) <= seen
    assert "Bookman" in made.worksheets[0].oddFooter.left.font


def test_margins_and_sizes_of_pdfs(tmp_path, own):
    look(own, "pdf", text_size=14, margin_left=40)
    plain = render(DocumentName.REPORT, normal(), tmp_path / "a").path
    made = render(DocumentName.REPORT, normal(), tmp_path / "b", templates=own).path
    assert len(PdfReader(made).pages) > len(PdfReader(plain).pages)


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("pdf", {"font": "Comic Sans"}, "no font 'Comic Sans'"),
        ("pdf", {"text_size": 300}, "pdf.text_size"),
        ("workbook", {"head_fill": "red"}, "workbook.head_fill"),
        ("workbook", {"hed_fill": "AABBCC"}, "workbook.hed_fill"),
    ],
)
def test_a_mistake_in_look_yml_is_named(tmp_path, own, part, values, words):
    look(own, part, **values)
    name = DocumentName.MINUTES if part == "pdf" else DocumentName.CHECK_LIST
    with pytest.raises(CannotRunError, match=words):
        render(name, normal(), tmp_path / "x", templates=own)


def test_an_older_copy_of_the_templates_still_works(tmp_path, own):
    (own / "look.yml").unlink()
    one = render(DocumentName.CHECK_LIST, normal(2), tmp_path / "a")
    two = render(DocumentName.CHECK_LIST, normal(2), tmp_path / "b", templates=own)
    assert one.sha256 == two.sha256


def test_an_office_adds_a_language(own):
    assert languages(own) == ("en",)
    shutil.copyfile(own / "labels/en.yml", own / "labels/jv.yml")
    shutil.copytree(own / "prose/en", own / "prose/jv")
    assert languages(own) == ("en", "jv")
