"""How documents look, from report_templates/look.yml: fonts, sizes and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orchestrator.model.errors import CannotRunError

Family = Annotated[str, StringConstraints(pattern=r"^[\w .-]{1,60}$")]
Colour = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{6}$", to_upper=True)]
Points = Annotated[float, Field(ge=5, le=24)]
Millimetres = Annotated[float, Field(ge=5, le=60)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class PdfLook(_Strict):
    """Of the PDFs; the font's files lie in the template folder."""

    font: Family = "Liberation Sans"
    text_size: Points = 12
    table_size: Points = 8.5
    margin_top: Millimetres = 20
    margin_bottom: Millimetres = 22
    margin_left: Millimetres = 25
    margin_right: Millimetres = 20
    head_fill: Colour = "E1E1E1"


class WorkbookLook(_Strict):
    """Of the workbooks; the font is one of the reader's computer."""

    font: Family = "Arial"
    head_fill: Colour = "D9E1EA"
    input_fill: Colour = "FFF8DC"
    critical_fill: Colour = "E8765A"
    high_fill: Colour = "F4B183"
    medium_fill: Colour = "FDE9C9"


class Look(_Strict):
    """look.yml, whole; what it leaves out is as shipped."""

    pdf: PdfLook = PdfLook()
    workbook: WorkbookLook = WorkbookLook()


def load_look(templates: Path) -> Look:
    """Read look.yml; without one everything is as shipped.

    Raises CannotRunError naming the file and what is wrong in it.
    """
    path = templates / "look.yml"
    if not path.is_file():
        return Look()
    try:
        return Look.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CannotRunError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CannotRunError(f"{path}: {where}: {first['msg']}", "correct look.yml") from error
