"""The Word files in LibreOffice Writer: they open, and show on paper what they hold.

Needs `soffice` with Writer (Debian: libreoffice-writer); without it these tests fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pypdf import PdfReader

from orchestrator.documents import DocumentName, render
from tests.unit.documents.sample import STATES

WORD = [n for n in DocumentName if n.value.endswith(".docx")]


@pytest.fixture(scope="module")
def soffice() -> str:
    found = shutil.which("soffice")
    if found is None:
        pytest.fail("soffice is not installed: apt-get install libreoffice-writer")
    return found


@pytest.fixture(scope="module")
def printed(soffice: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All Word files of all sample cycles as PDF, by one start of LibreOffice."""
    folder = tmp_path_factory.mktemp("word")
    sources = []
    for kind, state in STATES.items():
        for name in WORD:
            made = render(name, state(11), folder / "docx")
            sources.append(made.path.rename(folder / f"{kind}-{name.value}"))
    done = subprocess.run(
        [soffice, "--headless", "--convert-to", "pdf", "--outdir", str(folder), *map(str, sources)],
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    missing = [s.name for s in sources if not s.with_suffix(".pdf").is_file()]
    assert not missing, f"{missing} did not open\n{done.stdout}\n{done.stderr}"
    return folder


def squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("name", WORD)
def test_it_is_shown_whole(printed: Path, kind: str, name: DocumentName) -> None:
    state = STATES[kind](11)
    pdf = PdfReader(printed / f"{kind}-{name.value.replace('.docx', '.pdf')}")
    wanted = (215, 330) if state.office.letters.paper == "f4" else (210, 297)
    for page in pdf.pages:
        size = (float(page.mediabox.width), float(page.mediabox.height))
        assert size == pytest.approx([mm / 25.4 * 72 for mm in wanted], abs=1)
    words = squeeze("".join(page.extract_text() for page in pdf.pages))
    assert squeeze(state.office.office.agency).upper() in words.upper()
    assert "sementara/" in words
    if name is not DocumentName.ORDER_WORD:
        for host in state.hosts:
            assert squeeze(host)[:20] in words, host
    assert f"Halaman{len(pdf.pages)}dari{len(pdf.pages)}" in words
