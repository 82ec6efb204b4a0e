"""Draws the documents of a finished cycle once more: in English, and for a restyled office.

Called by docs/pictures.sh: docs/pictures.py CYCLE-FOLDER OUT. Nothing in the cycle is changed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestrator.documents import DocumentName, render
from orchestrator.documents.templates import SHIPPED
from orchestrator.journal.fold import fold
from orchestrator.journal.store import read_entries
from orchestrator.model.office import Office

CHANGES = Path(__file__).resolve().parent / "restyled"


def main(cycle: Path, out: Path) -> None:
    """Write OUT/en/ and OUT/restyled/."""
    state = fold(read_entries(cycle / "journal.db"))
    render(DocumentName.REPORT, state, out / "en", language="en")
    templates = shutil.copytree(SHIPPED, out / "report_templates")
    shutil.copyfile(CHANGES / "look.yml", templates / "look.yml")
    closing = "laporan-penutup.j2"
    shutil.copyfile(CHANGES / closing, templates / "prose" / "id" / closing)
    changes = yaml.safe_load((CHANGES / "office.yml").read_text(encoding="utf-8"))
    state.office = Office.model_validate(_merged(state.office.model_dump(mode="json"), changes))
    for name in (DocumentName.CHECK_LIST, DocumentName.ORDER, DocumentName.REPORT):
        render(name, state, out / "restyled", templates=templates, assets=CHANGES)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = {k: _merged(old[k], v) if isinstance(v, dict) else v for k, v in new.items()}
    return {**old, **both}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
