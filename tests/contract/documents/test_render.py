"""Rendering: one file, whole, the same for the same state; an error names the document."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.documents import DocumentName, render
from orchestrator.documents.templates import SHIPPED
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Outcome
from tests.unit.documents.sample import STATES, normal

AGAIN = """
import sys
from pathlib import Path
from orchestrator.documents import DocumentName, render
from tests.unit.documents.sample import STATES
for name in DocumentName:
    print(render(name, STATES["hostile"](), Path(sys.argv[1])).sha256)
"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63606060f80f0001040100"
    "5fe5c34b0000000049454e44ae426082"
)


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("name", DocumentName)
def test_the_same_state_gives_the_same_bytes(tmp_path, kind, name):
    one = render(name, STATES[kind](), tmp_path / "one")
    two = render(name, STATES[kind](), tmp_path / "two")
    data = one.path.read_bytes()
    assert data == two.path.read_bytes()
    assert (one.size, one.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert one.path == tmp_path / "one" / name.value
    assert sorted(p.name for p in one.path.parent.iterdir()) == [name.value]


def test_another_process_gives_the_same_bytes(tmp_path):
    def hashes(seed):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}", "LC_ALL": "C"}
        root = Path(__file__).resolve().parents[3]
        return subprocess.run(
            [sys.executable, "-c", AGAIN, str(tmp_path / seed)],
            cwd=root,
            env={**env, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert hashes("1") == hashes("7")


@pytest.mark.parametrize(
    ("name", "until"),
    [
        (DocumentName.ORDER, 3),
        (DocumentName.MONITORING, 7),
        (DocumentName.MINUTES, 7),
        (DocumentName.DRAFT_REPORT, 8),
        (DocumentName.ORDER_WORD, 3),
        (DocumentName.UPDATE_RECORD_PDF, 7),
        (DocumentName.MINUTES_WORD, 7),
        (DocumentName.DRAFT_REPORT_WORD, 8),
        (DocumentName.VERIFIED_REPORT, 10),
    ],
)
def test_a_signed_document_can_be_made_again_after_the_cycle(tmp_path, name, until):
    shown, later = normal(until), normal(13)
    later.order = shown.order
    if name.record is not DocumentName.ORDER:
        shown.order = later.order = normal().order
    first = render(name, shown, tmp_path / "a")
    assert render(name, later, tmp_path / "b").sha256 == first.sha256


def test_an_error_names_document_and_cause_and_leaves_the_old_file(tmp_path):
    made = render(DocumentName.REPORT, normal(), tmp_path)
    state = normal()
    state.office = state.office.model_copy(
        update={"office": state.office.office.model_copy(update={"logo": "no-logo.png"})}
    )
    with pytest.raises(CannotRunError, match=r"laporan-hasil-update\.pdf: logo no-logo\.png"):
        render(DocumentName.REPORT, state, tmp_path)
    assert hashlib.sha256(made.path.read_bytes()).hexdigest() == made.sha256
    assert [p.name for p in tmp_path.iterdir()] == [made.name.value]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(CannotRunError, match=r"disposisi\.pdf of cycle 2026-11"):
        render(DocumentName.ORDER, normal(3), tmp_path / "file")


def test_evidence_that_cannot_be_read_is_an_error_that_says_so(tmp_path):
    state = normal()
    outcome = state.outcomes["web-01"][0]
    broken = Outcome(
        host="web-01", phase=outcome.phase, kind=outcome.kind, evidence={"schema": "other"}
    )
    state.outcomes["web-01"][0] = broken
    with pytest.raises(CannotRunError, match=r"catatan-update\.xlsx"):
        render(DocumentName.UPDATE_RECORD, state, tmp_path)


def test_a_logo_beside_office_yml_is_shown(tmp_path):
    (tmp_path / "logo.png").write_bytes(PIXEL)
    state = normal()
    state.office = state.office.model_copy(
        update={"office": state.office.office.model_copy(update={"logo": "logo.png"})}
    )
    plain = render(DocumentName.MINUTES, normal(), tmp_path / "a")
    shown = render(DocumentName.MINUTES, state, tmp_path / "b", assets=tmp_path)
    assert b"/Image" in shown.path.read_bytes()
    assert shown.sha256 != plain.sha256


def test_an_office_can_restyle_without_code(tmp_path):
    own = tmp_path / "own"
    for source in sorted(SHIPPED.rglob("*")):
        if source.is_file():
            target = own / source.relative_to(SHIPPED)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    closing = own / "prose" / "id" / "laporan-penutup.j2"
    closing.write_text("Penutup milik {{ head.agency }}.", encoding="utf-8")
    made = render(DocumentName.REPORT, normal(), tmp_path, templates=own)
    from pypdf import PdfReader

    words = " ".join(p.extract_text() for p in PdfReader(made.path).pages)
    assert "Penutup milik Dinas Komunikasi" in " ".join(words.split())
