"""The yearly recap as a workbook: its tables, its charts, its print set-up, its bytes."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from openpyxl import load_workbook

from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.year import build_year, late_steps
from orchestrator.documents.look import load_look
from orchestrator.documents.templates import SHIPPED
from orchestrator.documents.xlsx.dress import Dress
from orchestrator.documents.xlsx.year_recap import year_recap
from tests.unit.documents.sample import STATES
from tests.unit.documents.years import year

LABELS = load_labels(SHIPPED)
PLAIN = Dress(load_look(SHIPPED), None)


@pytest.fixture(scope="module")
def data() -> bytes:
    return year_recap(build_year(2026, year(), LABELS), LABELS, PLAIN)


def table(sheet):
    """The rows of a sheet's table as mappings by heading."""
    first = next(r for r in range(1, 20) if sheet.cell(row=r, column=1).value == "No.")
    heads = [c.value for c in sheet[first] if c.value]
    rows = []
    for row in sheet.iter_rows(min_row=first + 1, max_col=len(heads), values_only=True):
        if not isinstance(row[0], int):
            break
        rows.append(dict(zip(heads, row, strict=True)))
    return rows


def test_the_same_year_gives_the_same_bytes(data):
    assert year_recap(build_year(2026, year(), LABELS), LABELS, PLAIN) == data


def test_every_cycle_with_its_items_and_verdicts(data):
    sheet = load_workbook(io.BytesIO(data))["Siklus"]
    rows = table(sheet)
    assert [r["Siklus"] for r in rows][5:8] == ["2026-06", "2026-06-i01", "2026-07"]
    assert rows[6]["Jenis"] == "Insidental" and rows[0]["Jenis"] == "Bulanan"
    assert (rows[0]["Sistem"], rows[0]["Keamanan"], rows[0]["Antivirus"]) == (4, 8, 1)
    assert (rows[0]["Setuju"], rows[0]["Tunda"], rows[0]["Berhasil"]) == (12, 1, 11)
    assert (rows[0]["Tanpa temuan"], rows[0]["Dengan temuan"]) == (5, 2)
    assert (rows[-1]["Selesai"], rows[-1]["Arsip"]) == ("Berjalan", "Belum")
    assert rows[0]["Langkah lewat waktu"] == "5, 10"
    totals = next(r for r in sheet.iter_rows(values_only=True) if r[1] == "Jumlah")
    assert totals[9] == sum(r["Jumlah"] for r in rows) == 156


def test_step_times_against_their_standard(data):
    rows = {r["No."]: r for r in table(load_workbook(io.BytesIO(data))["Waktu per Langkah"])}
    assert list(rows) == list(range(2, 13))
    assert rows[10]["Waktu baku"] == 15 and rows[10]["Terlama"] == 1244
    assert (rows[10]["Jumlah siklus"], rows[10]["Tepat"], rows[10]["Lewat"]) == (12, 0, 12)
    assert rows[6]["Jan"] == 61 and rows[6]["Des"] == "–"
    assert rows[11]["Jumlah siklus"] == 11 and rows[11]["Nov"] == "–", "it is not signed yet"
    assert late_steps(year()[0][0], LABELS) == (5, 10)


def test_hosts_by_verdict(data):
    rows = {r["Peladen"]: r for r in table(load_workbook(io.BytesIO(data))["Hasil per Peladen"])}
    assert rows["layanan-03"]["Dikembalikan"] == 8
    assert rows["cadangan-04"]["Tidak terhubung"] == 8
    assert rows["web-01"]["Perlu petugas"] == 2
    assert rows["arsip-06"]["Sudah mutakhir"] == 12
    for row in rows.values():
        assert sum(v for k, v in list(row.items())[3:-1]) == row["Jumlah siklus"] == 12


def test_days_from_publication_to_patch_and_what_is_not_known(data):
    sheet = load_workbook(io.BytesIO(data))["Waktu Tanggap"]
    rows = table(sheet)
    assert rows[0]["Perangkat lunak"] == "openssl" and rows[0]["Hari"] == 20
    assert (rows[0]["Terbit"], rows[0]["Terpasang"]) == ("03/01/2026", "23/01/2026")
    words = " ".join(str(c.value) for c in sheet["A"] if isinstance(c.value, str))
    assert f"{len(rows)} butir keamanan dengan tanggal terbit diketahui" in words
    assert "Tanggal terbit tidak diketahui untuk 12 butir keamanan" in words


def test_it_prints_like_the_other_workbooks(data):
    book = load_workbook(io.BytesIO(data))
    assert [len(s._charts) for s in book.worksheets] == [2, 1, 0, 0]
    for sheet in book.worksheets:
        assert int(sheet.page_setup.paperSize) == 14
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.protection.sheet and not sheet.protection.password
        words = [str(c.value) for row in sheet.iter_rows() for c in row if c.value]
        for wanted in ("REKAPITULASI TAHUNAN", "Tahun 2026", "Contoh Kepala Bidang, S.Kom., M.T.",
                       "Kota Contoh, 20 November 2026", "NIP 19950101 202012 1 001"):  # fmt: skip
            assert wanted in words


@pytest.mark.parametrize("kind", STATES)
def test_any_year_gives_a_recap(kind, tmp_path: Path):
    state = STATES[kind](13)
    out = year_recap(build_year(2026, [(state, True)], LABELS), LABELS, PLAIN)
    for sheet in load_workbook(io.BytesIO(out)).worksheets:
        for row in sheet.iter_rows():
            assert all(c.data_type != "f" for c in row), "a host's text became a formula"


def test_libreoffice_opens_it(data, tmp_path: Path):
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "r.xlsx").write_bytes(data)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    command += ["--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "r.xlsx")]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    from pypdf import PdfReader

    pages = PdfReader(tmp_path / "r.pdf").pages
    signed = [n for n, p in enumerate(pages) if "Contoh Kepala Bidang" in p.extract_text()]
    assert len(signed) == 4, "one signature block for each sheet"
    for number in signed:
        text = pages[number].extract_text()
        assert "menurut siklus" in text or "menurut langkah" in text or "No." in text, number
