"""Records across months: the cycles of a year, from their journals or their archives."""

from __future__ import annotations

from pathlib import Path

from orchestrator.archive.audit import is_archive
from orchestrator.archive.bag import manifest_hash
from orchestrator.archive.chain import order_of
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.year import build_year
from orchestrator.documents.logo import logo_png
from orchestrator.documents.look import load_look
from orchestrator.documents.render import write_atomically
from orchestrator.documents.templates import template_folder
from orchestrator.documents.xlsx.dress import Dress
from orchestrator.documents.xlsx.year_recap import year_recap
from orchestrator.journal.bodies import OnDisk
from orchestrator.journal.book import read_state
from orchestrator.journal.entry import BrokenChain
from orchestrator.journal.fold import fold
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.workflow.monthly import cycles
from orchestrator.workflow.settings import Settings

NAME = "rekapitulasi-tahunan-{year}.xlsx"


def archive_state(settings: Settings, state: CycleState) -> str:
    """`none`, `made`, `missing` (in the journal, not on the disk) or `other` (another one)."""
    if not state.archive_manifest:
        return "none"
    folder = settings.home / state.archive_path
    if not is_archive(folder):
        return "missing"
    try:
        return "made" if manifest_hash(folder) == state.archive_manifest else "other"
    except OSError:
        return "missing"


def cycles_of(settings: Settings, year: int) -> list[tuple[CycleState, bool]]:
    """The cycles of a year, oldest first, each with whether it is archived.

    A cycle whose folder is gone is read from its archive. Raises CannotRunError naming a journal
    that was changed.
    """
    found: dict[str, tuple[CycleState, bool]] = {}
    for name in cycles(settings.home):
        if CycleId.parse(name).year == year:
            state = read_state(settings.cycle_folder(name))
            found[name] = (state, bool(state.archive_manifest))
    for folder in sorted((settings.home / "archive" / f"{year:04d}").glob("*")):
        if not folder.name.startswith(".") and is_archive(folder) and folder.name not in found:
            state = _archived(folder)
            found.setdefault(state.cycle, (state, True))
    return [found[name] for name in sorted(found, key=order_of)]


def _archived(folder: Path) -> CycleState:
    try:
        path = folder / "data" / "journal.db"
        state = fold(read_entries(path, frozen=True), OnDisk(path, frozen=True))
    except (BrokenChain, UsageError) as error:
        raise CannotRunError(
            f"the archive {folder} cannot be read: {error}", f"sop-run audit {folder} says more"
        ) from error
    if state.cycle != folder.name:
        raise CannotRunError(
            f"{folder} holds the archive of cycle {state.cycle}", f"sop-run audit {folder.parent}"
        )
    return state


def recap(settings: Settings, year: int) -> Path:
    """Write the yearly recap; returns its path. The same cycles give the same bytes.

    Raises UsageError when the year has no cycle, CannotRunError when the disk refuses.
    """
    found = cycles_of(settings, year)
    if not found:
        years = sorted({name[:4] for name in cycles(settings.home)})
        raise UsageError(
            f"there is no cycle of {year} in {settings.home}",
            f"years with cycles there: {', '.join(years) or 'none'}",
        )
    where = template_folder(settings.templates)
    labels = load_labels(where)
    content = build_year(year, found, labels)
    logo = logo_png(content.head.logo, settings.office.parent)
    data = year_recap(content, labels, Dress(load_look(where), logo))
    path = settings.home / "recap" / f"{year:04d}" / NAME.format(year=f"{year:04d}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as error:
        raise CannotRunError(f"{path} cannot be written: {error}", "free space, or --home") from (
            error
        )
    return path
