"""Options that several commands share."""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orchestrator.model.house import INSTALLED, ROOT
from orchestrator.model.text import printable
from orchestrator.workflow.settings import Settings, resolve


@dataclass(frozen=True)
class Given:
    """The shared options as they were typed, to repeat them in advice."""

    settings: Settings
    typed: str

    def command(self, words: str) -> str:
        """A command that works on the same files, by the name that the program was called by."""
        return f"{called_as()} {words}{self.typed}"

    def told(self, words: str) -> str:
        """The same for people elsewhere, who know the program by its name."""
        return f"sop-run {words}{self.typed}"


def called_as() -> str:
    """`sop-run`, or how the checkout's own ./sop-run was called, as a shell's word."""
    name = os.environ.get("SOP_RUN_CALLED_AS", "")
    return shlex.quote(name) if name and name == printable(name) else "sop-run"


def shared_options(function: Callable[..., int]) -> Callable[..., int]:
    """Adds --inventory, --office and --home; the command gets them resolved, as `options`."""

    @functools.wraps(function)
    def command(inventory: Path | None, office: Path | None, home: Path | None, **own: Any) -> int:
        return function(options=given(inventory, office, home), **own)

    return path_options(command)


def path_options(command: Callable[..., int]) -> Callable[..., int]:
    """Adds --inventory, --office and --home as they are, for a command that may need none."""
    for option in (
        click.option(
            "--home",
            type=click.Path(path_type=Path),
            help="Folder of cycles and archive [default: var/ beside the inventory].",
        ),
        click.option(
            "--office",
            type=click.Path(path_type=Path),
            help="The office's letterhead, officers and rules [default: office.yml there].",
        ),
        click.option(
            "--inventory",
            "-i",
            type=click.Path(path_type=Path),
            help="Ansible inventory [default: inventory/ here, else the shipped one].",
        ),
    ):
        command = option(command)
    return command


def given(inventory: Path | None, office: Path | None, home: Path | None) -> Given:
    """Resolve the shared options; raises UsageError when there is no inventory."""
    typed = ""
    for name, value in (("--inventory", inventory), ("--office", office), ("--home", home)):
        if value is not None:
            typed += f" {name} {shlex.quote(str(value))}"
    if inventory is None:
        here = Path("inventory")
        inventory = here if here.is_dir() else ROOT / "inventory"
        if INSTALLED and home is None and not here.is_dir():
            home = Path("var")  # the program's own folder is no place for cycles
    return Given(resolve(inventory, office, home), typed)
