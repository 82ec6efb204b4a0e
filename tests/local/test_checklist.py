"""An officer marks the check list in a spreadsheet program and signs with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from openpyxl import load_workbook

from orchestrator.journal.book import read_state
from tests.local.conftest import LocalOffice

LIST = "cycles/2026-11/documents/laporan-hasil-pengecekan.xlsx"


def marked(office: LocalOffice, reason: str) -> Path:
    """A copy of the check list in which every item is put off."""
    book = load_workbook(office.home / LIST)
    sheet = book["Daftar Perangkat Lunak"]
    for row in range(1, sheet.max_row + 1):
        if isinstance(sheet.cell(row=row, column=1).value, int):
            sheet.cell(row=row, column=14).value = "Tunda"
            sheet.cell(row=row, column=15).value = reason
    path = office.folder / "marked.xlsx"
    book.save(path)
    return path


def saved_again(path: Path) -> Path:
    """The workbook as LibreOffice writes it."""
    folder = path.parent / "again"
    command = ["soffice", f"-env:UserInstallation=file://{path.parent}/profile", "--headless"]
    command += ["--convert-to", "xlsx", "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return folder / path.name


def test_a_marked_list_is_signed(local_office: LocalOffice) -> None:
    items = local_office.items()
    if not items:
        pytest.skip("this machine has nothing to update")
    path = marked(local_office, "")
    called = local_office.sign("analis", "--checklist", str(path))
    assert called.code == 2 and "Tunda needs a reason in O" in called.err, called.text
    path = marked(local_office, "Menunggu jendela")
    called = local_office.sign("analis", "--checklist", str(path), "--defer", "1=x")
    assert called.code == 2 and "--defer and --checklist" in called.err
    if shutil.which("soffice"):
        path = saved_again(path)
    called = local_office.sign("analis", "--checklist", str(path))
    assert called.code == 3, called.text
    state = read_state(local_office.home / "cycles/2026-11")
    assert len(state.decisions) == items
    assert {(d.approved, d.reason) for d in state.decisions.values()} == {
        (False, "Menunggu jendela")
    }
    called = local_office.sign("kepala", "--checklist", str(path))
    assert called.code == 2 and "step 3 only" in called.err
    assert local_office.run("audit", "2026-11").code == 0


def test_a_list_of_another_plan_is_refused(local_office: LocalOffice) -> None:
    path = marked(local_office, "tunda")
    words = ("return", "2026-11", "--as", "analis", "--key", local_office.key("analis"))
    assert local_office.run(*words, "--reason", "check once more").code == 0
    assert local_office.run("monthly", "--period", "2026-11").code == 3
    called = local_office.sign("analis", "--checklist", str(path))
    assert called.code == 2 and "another plan: cycle 2026-11, revision 1" in called.err


def test_the_templates_beside_office_yml_are_the_ones_used(
    new_office: LocalOffice, root: Path
) -> None:
    own = new_office.inventory / "report_templates"
    shutil.copytree(root / "report_templates", own)
    labels = own / "labels/id.yml"
    words = labels.read_text(encoding="utf-8")
    changed = words.replace("items: LAPORAN HASIL PENGECEKAN", "items: DAFTAR PERIKSA CONTOH")
    labels.write_text(changed.replace("deferred: Tunda\n", "deferred: Undur\n"), encoding="utf-8")
    assert new_office.run("monthly", "--period", "2026-11").code == 3
    path = new_office.home / LIST
    cells = {c.value for row in load_workbook(path).worksheets[0].iter_rows() for c in row}
    assert "DAFTAR PERIKSA CONTOH" in cells
    good = path.read_bytes()
    path.unlink()
    assert new_office.run("documents", "2026-11").code == 0
    assert path.read_bytes() == good
    if new_office.items():
        called = new_office.sign("analis", "--checklist", str(marked(new_office, "tunggu")))
        assert called.code == 2 and "write Setuju or Undur" in called.err, called.text
    assert new_office.sign("analis", "--checklist", str(path)).code == 3
