"""Where the templates lie that an office may restyle: labels, prose, typst files, fonts."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.errors import CannotRunError
from orchestrator.model.house import ROOT

OFFICIAL = "id"
"""The language of the documents of record; every other one is a courtesy copy."""

SHIPPED = ROOT / "report_templates"


def template_folder(folder: Path | None = None) -> Path:
    """The folder of templates, `report_templates/` of this project unless another is named.

    Raises CannotRunError when it is not a folder of templates.
    """
    chosen = folder or SHIPPED
    if not (chosen / "labels").is_dir() or not (chosen / "typst").is_dir():
        raise CannotRunError(
            f"{chosen} is not a folder of document templates",
            hint="it must hold labels/, prose/, typst/ and fonts/, as report_templates/ does",
        )
    return chosen


def languages(folder: Path | None = None) -> tuple[str, ...]:
    """The languages that courtesy copies can be made in: labels and prose without the official."""
    chosen = template_folder(folder)
    return tuple(
        sorted(
            labels.stem
            for labels in (chosen / "labels").glob("*.yml")
            if labels.stem != OFFICIAL and (chosen / "prose" / labels.stem).is_dir()
        )
    )
