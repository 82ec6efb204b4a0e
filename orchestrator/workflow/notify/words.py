"""News → subject and body, by the words in report_templates/notifications.yml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from orchestrator.documents.templates import SHIPPED
from orchestrator.model.errors import UsageError
from orchestrator.model.text import printable

FILE = "notifications.yml"


def message(
    kind: str, values: Mapping[str, str], own: Path | None, details: str = ""
) -> tuple[str, str]:
    """Subject and body; `own` is the office's folder of templates, which need not have the file.

    Values are put in as they are: they are no templates. Raises UsageError for words that are none.
    """
    path = own / FILE if own is not None and (own / FILE).is_file() else SHIPPED / FILE
    try:
        words: Any = yaml.safe_load(path.read_text(encoding="utf-8"))[kind]
        subject, body = Template(words["subject"]), Template(words["body"])
        told = subject.safe_substitute(values), body.safe_substitute(values)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        wrong = f"{path}: {kind}: {printable(error)}"
        raise UsageError(wrong, "it needs subject: and body:") from error
    return printable(told[0], 200), told[1].rstrip() + (f"\n\n{details}" if details else "") + "\n"
