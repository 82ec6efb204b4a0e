"""LibreOffice, as an officer's computer has it: it reads, recalculates, saves and prints files."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_MISSING = (
    "needs LibreOffice Calc and pdftotext; tests/run installs them as root on Debian or Ubuntu"
)


@dataclass(frozen=True)
class OfficeSuite:
    """One start of LibreOffice takes some seconds: give it many files at once."""

    profile: Path

    def convert(self, kind: str, out: Path, *files: Path) -> dict[str, Path]:
        """Save files as another kind (`pdf`, `xlsx`); the new paths by the name without suffix."""
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{self.profile}",
                "--headless",
                "--convert-to",
                kind,
                "--outdir",
                out,
                *files,
            ],
            check=True,
            capture_output=True,
            timeout=600,
        )
        return {file.stem: out / f"{file.stem}.{kind}" for file in files}


@pytest.fixture(scope="session")
def office_suite(tmp_path_factory: pytest.TempPathFactory) -> OfficeSuite:
    """LibreOffice with a profile of its own; in CI it must be there."""
    if any(shutil.which(name) is None for name in ("soffice", "pdftotext")):
        if os.environ.get("CI"):
            raise pytest.UsageError(f"in CI no test of documents may be left out: it {_MISSING}")
        pytest.skip(_MISSING)
    return OfficeSuite(tmp_path_factory.mktemp("office-suite"))
