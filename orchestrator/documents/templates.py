"""Where the templates lie that an office may restyle: labels, prose, typst files, fonts."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.errors import CannotRunError
from orchestrator.model.house import ROOT

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
