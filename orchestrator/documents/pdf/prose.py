"""Running text of the documents: sandboxed Jinja2 over the content, one file per passage.

A template can only read the content: no file, no code, no network. What it inserts is data and is
not looked at again, so a package named `{{ 7*7 }}` stays that name. A blank line ends a paragraph.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.numbers import format_decimal
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orchestrator.documents.content.records import Content
from orchestrator.model.errors import CannotRunError

FOREIGN = ("\ue000", "\ue001")
"""Marks around foreign words, which typst sets in italics; data can not hold these characters."""


def counted(value: Any, locale: str) -> Any:
    """What a template inserts: whole numbers with the language's separators, all else as it is."""
    return format_decimal(value, locale=locale) if type(value) is int else value


def write_prose(folder: Path, content: Content, locale: str = "id") -> dict[str, list[str]]:
    """All passages by file name without `.j2`, each a list of paragraphs; numbers as in `locale`.

    Raises CannotRunError naming the template and what is wrong in it.
    """
    env = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: counted(value, locale),
    )
    env.filters["asing"] = lambda word: f"{FOREIGN[0]}{word}{FOREIGN[1]}"
    facts = {name: getattr(content, name) for name in content.__dataclass_fields__}
    passages = {}
    for path in sorted(folder.glob("[!_]*.j2")):  # _name.j2 is for others to import
        try:
            text = env.get_template(path.name).render(facts)
        except (TemplateError, TypeError, ValueError) as error:
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else str(path)
            raise CannotRunError(f"{where}: {error}", hint="correct the template") from error
        passages[path.stem] = paragraphs(text)
    return passages


def paragraphs(text: str) -> list[str]:
    """Paragraphs of a text: split at blank lines, each on one line."""
    blocks = text.replace("\r\n", "\n").split("\n\n")
    return [" ".join(block.split()) for block in blocks if block.strip()]
