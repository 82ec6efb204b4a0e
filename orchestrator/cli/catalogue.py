"""Translations: a catalogue (.po) read as it is, and messages found again in it by their form.

Messages are written in the code as English texts, most with values in them. The catalogue has
them as templates: `there is no {path}`. A message is translated where it is shown: the template is
found that it was made from, and its values are put into the translation. No regular expression and
no format is ever made of them, for values may be hostile; the work grows with the text's length.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

PLACE = re.compile(r"\{(\w+)\}")
LONGEST = 4000
"""Characters of a line; a longer one stays as it is."""
DEPTH = 3
"""How deep messages may stand within messages."""
WITHIN = frozenset(
    ["COUNTED", "WEEKDAYS", "broken_promises", "command", "conflict", "day", "detail", "error",
     "facts", "has", "hosts", "ordinal", "problem", "problems", "time", "title", "trouble",
     "unable", "verb", "what", "where", "why", "words"]
)  # fmt: skip
"""Placeholders whose values are messages themselves. Other values stay as they are: texts of
officers and hosts are never translated."""


def read_catalogue(path: Path) -> dict[str, str]:
    """msgid → msgstr of a .po file as docs/words.py writes it; plurals have one form."""
    found: dict[str, str] = {}
    fields: dict[str, str] = {}
    field = ""

    def keep() -> None:
        text = fields.get("msgstr")
        if text and fields["msgid"]:
            found[fields["msgid"]] = text
            found[fields.get("msgid_plural") or fields["msgid"]] = text

    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word in ("msgid", "msgid_plural", "msgstr", "msgstr[0]"):
            if word == "msgid":
                keep()
                fields.clear()
            field = word.removesuffix("[0]")
            fields[field] = json.loads(rest)
        elif line.startswith('"'):
            fields[field] += json.loads(line)
    keep()
    return found


@dataclass(frozen=True)
class Template:
    """A message of the catalogue: its fixed parts, the names of its places, its translation."""

    fixed: tuple[str, ...]
    names: tuple[str, ...]
    translation: str

    @property
    def weight(self) -> tuple[bool, int]:
        """Of two templates that fit, the one that begins with a fixed part is meant, then the one
        with more fixed characters."""
        return bool(self.fixed[0]), sum(map(len, self.fixed))

    def values(self, text: str) -> list[str] | None:
        """The values of a text that was made from this template; None where it was not.

        Every value is as short as can be, the last one takes the rest: where a text could be read
        in several ways, no part of it is lost in any of them.
        """
        head, *rest = self.fixed
        if not rest:
            return [] if text == head else None
        *middle, tail = rest
        end = len(text) - len(tail)
        if len(head) > end or not (text.startswith(head) and text.endswith(tail)):
            return None
        at, found = len(head), []
        for part in middle:
            here = text.find(part, at, end)
            if here < 0:
                return None
            found.append(text[at:here])
            at = here + len(part)
        return [*found, text[at:end]]


class Catalogue:
    """A language's messages."""

    def __init__(self, messages: dict[str, str]) -> None:
        self._whole = {m: t for m, t in messages.items() if not PLACE.search(m)}
        templates = [
            Template(tuple(parts[::2]), tuple(parts[1::2]), translation)
            for parts, translation in ((PLACE.split(m), t) for m, t in messages.items())
            if len(parts) > 1
        ]
        self._templates = sorted(templates, key=lambda one: one.weight, reverse=True)

    def text(self, english: str) -> str:
        """Every line of a text translated, where the catalogue has it."""
        return "\n".join(map(self._line, english.split("\n")))

    def told(self, english: str) -> str:
        """As `text`, also for messages behind a place, as `FILE:LINE: KEY: message`."""
        return "\n".join(map(self._behind, english.split("\n")))

    def _behind(self, line: str) -> str:
        parts = line.split(": ")
        for at in range(min(len(parts), DEPTH + 1)):
            message = self.message(": ".join(parts[at:]).strip())
            if message is not None:
                place = ": ".join([*parts[:at], ""])
                return (place or line[: len(line) - len(line.lstrip())]) + message
        return line

    def _line(self, line: str) -> str:
        bare = line.strip()
        if not bare:
            return line
        translated = self.message(bare)
        if translated is None and "  " in bare and bare.isupper():
            translated = self._heads(bare)
        return line if translated is None else line.replace(bare, translated, 1)

    def _heads(self, line: str) -> str:
        """The head of a table: each heading keeps its column."""
        parts = re.split(r"( {2,})", line)
        row = ""
        for heading, gap in zip(parts[::2], [*parts[1::2], ""], strict=True):
            mine = self._whole.get(heading, heading)
            row += mine + " " * (max(len(heading) + len(gap) - len(mine), 1) if gap else 0)
        return row

    def message(self, english: str, depth: int = DEPTH) -> str | None:
        """A message translated; None where the catalogue does not have it."""
        if english in self._whole:
            return self._whole[english]
        if len(english) > LONGEST or not depth:
            return None
        for template in self._templates:
            values = template.values(english)
            if values is not None:
                named = dict(zip(template.names, values, strict=True))
                for name in named.keys() & WITHIN:
                    value = self.message(named[name], depth - 1)
                    named[name] = named[name] if value is None else value
                parts = PLACE.split(template.translation)
                parts[1::2] = [named.get(name, "") for name in parts[1::2]]
                return "".join(parts)
        return None


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help, each on one line; '' for examples, which are commands."""
    return ["" if _example(p) else " ".join(p.split()) for p in text.split("\n\n")]


def in_paragraphs(text: str, catalogue: Catalogue) -> str:
    """A help translated, its examples as they are."""
    found = []
    for paragraph, bare in zip(text.split("\n\n"), paragraphs(text), strict=True):
        if bare:
            found.append(catalogue.message(bare) or paragraph)
        else:
            found.append(paragraph.replace("Example: ", "Contoh:  "))
    return "\n\n".join(found)


def _example(paragraph: str) -> bool:
    return paragraph.lstrip("\b\n ").startswith("Example:")
