"""office.yml and the inventory: everything that is wrong with them, each with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from orchestrator.model.errors import UsageError
from orchestrator.model.office import Office
from orchestrator.office.health import ailments
from orchestrator.office.load import OfficeError, load_office
from orchestrator.office.notifications import load_notifications
from orchestrator.workflow.doctor.records import Look
from orchestrator.workflow.notify.tell import HOW_TO_INSTALL, installed
from orchestrator.workflow.settings import Settings

TEMPLATE_FOLDERS = ("labels", "prose", "typst", "fonts")


def look_at_office(settings: Settings, today: date) -> tuple[Office | None, list[Look]]:
    """The office, when it can be read, and everything found in its file."""
    path = settings.office
    try:
        office = load_office(path)
    except OfficeError as error:
        fix = f"correct that line of {path} (docs/reference/office.md)"
        return None, [Look("office.yml", "finding", words, fix) for words in error.problems]
    except UsageError as error:
        return None, [Look("office.yml", "finding", error.message, error.hint)]
    looks = [_look(path, one.line, one.words, one.fix, one.serious)
             for one in ailments(path, office, today)]  # fmt: skip
    if not any(look.level == "finding" for look in looks):
        words = f"{path}: {len(office.officers)} officers, every gate has somebody who can sign"
        looks.insert(0, Look("office.yml", "ok", words))
    return office, [*looks, *_templates(settings), *_notifications(settings)]


def _look(path: Path, line: int, words: str, fix: str, serious: bool) -> Look:
    where = f"{path}:{line}: {words}"
    return Look("office.yml", "finding" if serious else "note", where, fix)


def _notifications(settings: Settings) -> list[Look]:
    """Whether those who are to be notified can be."""
    try:
        targets = load_notifications(settings.office).targets
    except UsageError as error:
        fix = error.hint or "docs/how-to/notifications.md"
        return [Look("notifications", "finding", error.message, fix)]
    if not targets:
        return []
    if not installed():
        words = f"{len(targets)} targets, but apprise is not installed"
        return [Look("notifications", "finding", words, HOW_TO_INSTALL)]
    words = f"{', '.join(t.name for t in targets)}; try them: sop-run notify --test"
    return [Look("notifications", "ok", words)]


def _templates(settings: Settings) -> list[Look]:
    """An office's own templates must be whole: they are not filled up from the shipped ones."""
    own = settings.templates
    if own is None:
        return []
    missing = [name for name in TEMPLATE_FOLDERS if not (own / name).is_dir()]
    if missing:
        fix = f"copy {', '.join(missing)} from the shipped report_templates/ into {own}"
        return [Look("templates", "finding", f"{own} lacks {', '.join(missing)}", fix)]
    return [Look("templates", "ok", f"the office's own: {own}")]
