"""The fixed words of the documents, from report_templates/labels/<language>.yml."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import yaml

from orchestrator.documents.templates import OFFICIAL
from orchestrator.model.errors import CannotRunError

REQUIRED = frozenset(
    {
        "verdict",
        "verdict_meaning",
        "check",
        "class",
        "priority",
        "severity_priority",
        "class_priority",
        "result",
        "decision",
        "phase",
        "test_kind",
        "test_result",
        "backup_method",
        "backup_status",
        "eicar",
        "withheld",
        "reboot_policy",
        "problem",
        "kind",
        "yesno",
        "punctual",
        "counting",
        "step_short",
        "order",
        "relaxed",
        "check_fact",
        "update_fact",
        "test_words",
        "progress",
        "flow",
        "title",
        "sheet_order",
        "sheet_minutes",
        "sheet_report",
        "chart",
        "translation",
        "sheet",
        "column",
        "text",
    }
)


@dataclass(frozen=True)
class Labels:
    """Words by section and key."""

    locale: str  # Babel's, for dates and numbers
    sections: Mapping[str, Mapping[str, str]]
    language: str = OFFICIAL  # names labels/<language>.yml and prose/<language>/

    @property
    def is_translation(self) -> bool:
        """Whether these words make a courtesy copy, not a document of record."""
        return self.language != OFFICIAL

    def translated(self, text: str) -> str:
        """An Indonesian term (a position, a step's name, a law) in this language, where known."""
        return self.sections.get("translation", {}).get(text, text)

    def word(self, section: str, key: str) -> str:
        """The word for a key that the program itself chose; raises CannotRunError when missing."""
        try:
            return self.sections[section][key]
        except KeyError:
            raise CannotRunError(
                f"labels: {section}.{key} is missing", hint="copy it from the shipped labels"
            ) from None

    def known(self, section: str, key: str, otherwise: str) -> str:
        """The word for a key that came from a host, or `otherwise`."""
        return self.sections.get(section, {}).get(key, otherwise)

    def phrase(self, text: str) -> str:
        """A sentence of a host program in the office's words; an unknown one stays as it is."""
        return self._said_once(text)

    @cached_property
    def _said_once(self) -> Callable[[str], str]:
        return lru_cache(maxsize=4096)(self._phrase)  # most hosts say the same

    def _phrase(self, text: str) -> str:
        for pattern, words in self._phrases:
            match = pattern.fullmatch(text)
            if match is not None:
                return words.format(*match.groups())
        return text

    @cached_property
    def _phrases(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        phrases = self.sections.get("phrase", {})
        return tuple(
            (re.compile("(.+?)".join(re.escape(part) for part in pattern.split("{}"))), words)
            for pattern, words in phrases.items()
        )

    def yes_no(self, value: bool | None) -> str:
        """Ya, Tidak, or '–' for None."""
        return self.word("yesno", "unknown" if value is None else "yes" if value else "no")


def load_labels(templates: Path, language: str = OFFICIAL) -> Labels:
    """Read the labels; raises CannotRunError naming the file and what is wrong in it."""
    path = templates / "labels" / f"{language}.yml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CannotRunError(f"{path}: cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise CannotRunError(f"{path}: must be a mapping of sections")
    missing = sorted(REQUIRED - set(raw))
    if missing:
        raise CannotRunError(f"{path}: sections are missing: {', '.join(missing)}")
    sections = {
        str(name): {str(k): str(v) for k, v in section.items()}
        for name, section in raw.items()
        if isinstance(section, dict)
    }
    return Labels(str(raw.get("locale", language)), sections, language)
