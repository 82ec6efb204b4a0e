"""The language of messages and helps: English, or that of the office or the environment.

English is in the code. What is shown to people is translated here, on its way out; what programs
read (JSON, JUnit, documents, the journal, commands, verdicts) never passes here.
"""

from __future__ import annotations

import gettext
import inspect
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from orchestrator.cli.catalogue import Catalogue, in_paragraphs, read_catalogue
from orchestrator.model.house import ROOT

LOCALE = Path(__file__).parents[1] / "locale"
LANGUAGES = ("en", "id")
VARIABLES = ("SOP_RUN_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Looked at in this order, the first that is set counts; ./sop-run fills the first."""
_KEY = re.compile(rb"^language:[ \t]*[\"']?(en|id)[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
MOST_BYTES = 1024 * 1024

_speaking: Catalogue | None = None


class Verbatim(str):
    """A line that is shown as it is: somebody else's words, or a table of them."""

    __slots__ = ()


def t(english: str) -> str:
    """A message in the chosen language, line by line; what the catalogue lacks stays English."""
    if _speaking is None or isinstance(english, Verbatim):
        return str(english)
    return _speaking.text(english)


def told(english: str) -> str:
    """An error's message in the chosen language, also where it stands behind a place: `FILE: …`."""
    return english if _speaking is None else _speaking.told(english)


def spoken(english: Iterable[str]) -> list[str]:
    """Lines in the chosen language; those that are Verbatim, and tables, as they are."""
    return [line if "\n" in line.strip("\n") else t(line) for line in english]


def say(english: str = "", *, err: bool = False) -> None:
    """Print a message in the chosen language."""
    click.echo(t(english), err=err)


def from_environment(environment: Mapping[str, str]) -> str:
    """The language of the environment: en, or another that there are translations for."""
    for name in VARIABLES:
        for wanted in environment.get(name, "").split(":"):
            language = re.split(r"[_.@-]", wanted)[0].lower()
            if language in LANGUAGES:
                return language
        if environment.get(name):
            return "en"
    return "en"


def from_office(arguments: Sequence[str]) -> str:
    """`language:` of the office.yml that the command line means; '' where it says nothing.

    The line is looked for as text, since even wrong use is told in the office's language; that the
    file is right is seen when it is read.
    """
    office = _option(arguments, "--office")
    if office is None:
        named = _option(arguments, "--inventory", "-i")
        inventory = Path(named or "inventory")
        if not named and not inventory.is_dir():
            inventory = ROOT / "inventory"
        office = str((inventory if inventory.is_dir() else inventory.parent) / "office.yml")
    try:
        with Path(office).open("rb") as file:
            found = _KEY.search(file.read(MOST_BYTES))
    except (OSError, ValueError):
        return ""
    return found.group(1).decode() if found else ""


def _option(arguments: Sequence[str], *names: str) -> str | None:
    for at, word in enumerate(arguments):
        if word in names and at + 1 < len(arguments):
            return arguments[at + 1]
        for name in names:
            if name.startswith("--") and word.startswith(f"{name}="):
                return word.removeprefix(f"{name}=")
    return None


def choose(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Speak the office's language from now on, or else the environment's."""
    language = from_office(arguments) or from_environment(environment)
    if language != "en":
        speak(language)


def speak(language: str) -> None:
    """Speak a language; click's own messages, too."""
    global _speaking  # noqa: PLW0603 - one process speaks one language
    folder = LOCALE / language / "LC_MESSAGES"
    _speaking = Catalogue(read_catalogue(folder / "sop-run.po"))
    own = read_catalogue(folder / "click.po")

    def one(message: str) -> str:
        return own.get(message, message)

    def many(singular: str, plural: str, n: int) -> str:
        return own.get(singular, singular if n == 1 else plural)

    # click takes these two from gettext, which knows the environment only, not office.yml.
    for name, module in list(sys.modules.items()):
        if name.startswith("click."):
            if getattr(module, "_", None) is gettext.gettext:
                module._ = one  # type: ignore[attr-defined]
            if getattr(module, "ngettext", None) is gettext.ngettext:
                module.ngettext = many  # type: ignore[attr-defined]


def translate_help(command: click.Command) -> click.Command:
    """The command, and those within it, with helps in the chosen language."""
    if _speaking is None:
        return command
    command.help = in_paragraphs(inspect.cleandoc(command.help or ""), _speaking) or None
    for option in command.params:
        if isinstance(option, click.Option) and option.help:
            option.help = _speaking.message(option.help) or option.help
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            translate_help(inner)
    return command
