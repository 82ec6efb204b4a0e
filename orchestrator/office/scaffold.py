"""Makes an office's own folder: inventory, office.yml, settings, guides (before SOP step 1)."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.house import ROOT

_STARTER = Path(__file__).with_name("starter")

FILES: dict[str, Path] = {
    "inventory/hosts.yml": _STARTER / "hosts.yml",
    "inventory/office.yml": ROOT / "inventory" / "office.yml",
    "inventory/group_vars/all.yml": ROOT / "inventory" / "group_vars" / "all.yml",
    ".gitignore": _STARTER / "gitignore",
    "README.md": _STARTER / "README.md",
    "PANDUAN-KUNCI.md": _STARTER / "PANDUAN-KUNCI.md",
}
"""Path in the office's folder → the shipped file that it begins as."""


def scaffold(folder: Path) -> list[Path]:
    """Write the files of a new office into `folder`; returns their paths, in order.

    Raises UsageError, having written nothing, when one of them is there already or the folder
    belongs to the program itself; CannotRunError when the disk refuses.
    """
    folder = folder.absolute()
    if folder.resolve().is_relative_to(ROOT.resolve()):
        raise UsageError(
            f"{folder} lies in the program's own folder",
            "choose a folder outside it, so that the program can be replaced by a newer one",
        )
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise UsageError(
            f"{folder} has files of an office already: {', '.join(there)}",
            "name a new folder; nothing was written",
        )
    written = []
    try:
        for name, source in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:  # never over a file that appeared since
                file.write(source.read_text(encoding="utf-8"))
            written.append(path)
    except OSError as error:
        raise CannotRunError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            "choose a folder that you may write to; what was written so far is still there",
        ) from error
    return written
