"""The office's logo: a PNG, SVG or JPG beside office.yml; workbooks take it as PNG."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import typst

from orchestrator.model.errors import CannotRunError

_KINDS = (".png", ".svg", ".jpg", ".jpeg")


def copy_logo(path: str, assets: Path, work: Path) -> str:
    """Put the logo into the work folder; its name there, or '' when the office has none.

    Raises CannotRunError when it is no picture or cannot be read.
    """
    if not path:
        return ""
    source = assets / path
    if source.suffix.lower() not in _KINDS:
        raise CannotRunError(f"logo {path}: must be a PNG, SVG or JPG file")
    target = f"logo{source.suffix.lower()}"
    try:
        shutil.copyfile(source, work / target)
    except OSError as error:
        raise CannotRunError(
            f"logo {path}: cannot be read in {assets}: {error.strerror}",
            hint="correct office.logo in office.yml, or leave it empty",
        ) from error
    return target


def logo_png(path: str, assets: Path) -> bytes | None:
    """The logo as PNG of 132 dots in height, None when the office has none; the same each time."""
    with tempfile.TemporaryDirectory(prefix="sop-run-logo-") as name_of_folder:
        work = Path(name_of_folder)
        name = copy_logo(path, assets, work)
        if not name:
            return None
        page = work / "page.typ"
        page.write_text(
            "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n"
            f'#image("{name}", height: 44pt)\n',
            encoding="utf-8",
        )
        try:
            picture = typst.compile(page, root=work, format="png", ppi=216)
        except typst.TypstError as error:
            raise CannotRunError(f"logo {path}: cannot be drawn: {error}") from error
    if not isinstance(picture, bytes):
        raise CannotRunError(f"logo {path}: gave no picture")
    return picture
