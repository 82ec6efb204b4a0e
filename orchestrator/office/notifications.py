"""Reads notifications.yml: beside office.yml, but never journaled, since its addresses are secrets.

office.yml is copied into the journal and so into archives; a password in it would stay for years.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import ValidationError

from orchestrator.model.errors import UsageError
from orchestrator.model.notification import Notifications
from orchestrator.office.load import MAX_BYTES
from orchestrator.office.yaml_lines import line_of, load_located

VARIABLE = "SOP_RUN_NOTIFY_URLS"
"""Addresses that are told of everything, with spaces between them: for CI and containers."""


def notifications_path(office: Path) -> Path:
    """Where the file lies that belongs to an office.yml."""
    return office.parent / "notifications.yml"


def load_notifications(office: Path) -> Notifications:
    """Who is to be told, from the file beside `office` and the environment; perhaps nobody.

    Raises UsageError naming file and line, never an address, and for a file that others can read.
    """
    found = _from_file(notifications_path(office))
    extra = [
        {"name": f"{VARIABLE} {number}", "url": url}
        for number, url in enumerate(os.environ.get(VARIABLE, "").split(), start=1)
    ]
    if not extra:
        return found
    try:
        more = Notifications.model_validate({"targets": extra})
    except ValidationError as error:
        raise UsageError(f"{VARIABLE}: {_what(error.errors()[0]['msg'])}") from None
    return Notifications(targets=(*found.targets, *more.targets), details=found.details)


def _from_file(path: Path) -> Notifications:
    try:
        status = path.stat()
        text = path.read_bytes()[: MAX_BYTES + 1].decode("utf-8")
    except FileNotFoundError:
        return Notifications()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise UsageError(
            f"{path} holds secrets, and others can read it "
            f"(mode {stat.S_IMODE(status.st_mode):04o})",
            f"chmod 600 {path}",
        )
    located = load_located(text)
    problems = [f"{path}:{line}: {what}" for line, what in located.problems]
    if not problems:
        try:
            return Notifications.model_validate(located.value if located.value is not None else {})
        except ValidationError as error:
            for issue in error.errors(include_input=False):
                place = tuple(p for p in issue["loc"] if isinstance(p, str | int))
                where = ".".join(map(str, place))
                line = line_of(located, place)
                problems.append(f"{path}:{line}: {where}: {_what(issue['msg'])}")
    raise UsageError(
        f"{path} has {len(problems)} problem{'s' if len(problems) != 1 else ''}:\n  "
        + "\n  ".join(problems),
        "correct them (docs/how-to/notifications.md)",
    )


def _what(message: str) -> str:
    return message.removeprefix("Value error, ")
