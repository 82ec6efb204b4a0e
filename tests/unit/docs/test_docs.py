"""The documentation is whole and true: what the program has is documented, and what is documented
exists."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel

from orchestrator.cli import cli
from orchestrator.journal.fold import APPLY
from orchestrator.lab.demo import HOSTS
from orchestrator.model.office import (
    Letterhead,
    Letters,
    Office,
    Officer,
    Role,
    Rules,
    StepOverride,
    Wording,
)
from orchestrator.model.schedule import Schedule
from orchestrator.model.verdict import GOOD, Verdict
from orchestrator.model.working_time import Season, WorkingTime
from orchestrator.sop.procedure import DEFAULT

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    ROOT / "README.md",
    ROOT / "README.id.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"^(?:\./)?sop-run (.+?)(?: *#.*)?$")
EXIT_CODES = {"0", "1", "2", "3", "4"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    """The cells of all table rows of a page, without back quotes."""
    found = []
    for line in text(name).splitlines():
        if line.startswith("|") and not line.startswith(("|--", "|:-")):
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            found.append([c.strip().strip("`") for c in cells])
    return found


def first_cells(name: str) -> set[str]:
    return {row[0] for row in rows(name)}


def commands(
    group: click.Group = cli, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*words, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


COMMANDS = dict(commands())


def test_generated_parts_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, (
        f"run .venv/bin/python docs/generate.py\n{done.stdout}{done.stderr}"
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_is_documented(words: str) -> None:
    page = text("docs/reference/commands.md")
    _, found, rest = page.partition(f"\n## sop-run {words}\n")
    assert found, f"sop-run {words} is not documented"
    section = rest.split("\n## ")[0]
    command = COMMANDS[words]
    assert re.search(r"```sh\n(\./)?sop-run ", section), f"{words}: its help has no Example:"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[-1] in section, f"{words} {parameter.opts[-1]}"
            assert parameter.help, f"{words} {parameter.opts[-1]} has no help"


def test_every_step_is_documented() -> None:
    for name in ("README.md", "docs/explanation/sop.md"):
        numbers = [row[0] for row in rows(name) if row[0].isdigit()]
        for step in DEFAULT:
            assert str(step.number) in numbers, f"{name}: step {step.number}"
    tables = [row for row in rows("docs/explanation/sop.md") if row[0].isdigit()]
    assert len(tables) == 2 * len(DEFAULT), "each step stands in both tables"


def test_every_verdict_is_documented() -> None:
    table = {row[0]: row[1:] for row in rows("docs/reference/verdicts.md")}
    del table["Verdict"]
    assert set(table) == {str(v) for v in Verdict}
    for verdict in Verdict:
        assert table[verdict][0] == ("no" if verdict in GOOD else "yes"), verdict
        assert all(table[verdict]), f"{verdict}: a cell is empty"


def office_keys() -> dict[str, str]:
    """Every key of office.yml with its default as the page writes it."""
    parts: dict[str, type[BaseModel]] = {
        "office": Letterhead,
        "letters": Letters,
        "officers": Officer,
        "sop": Wording,
        "steps": StepOverride,
        "rules": Rules,
        "working_time": WorkingTime,
        "working_time.seasons": Season,
        "schedule": Schedule,
    }
    assert {p for p in parts if "." not in p} | {"roles"} == set(Office.model_fields), (
        "a section of office.yml is new"
    )
    return {
        f"{section}.{name}": default_words(section, field)
        for section, model in parts.items()
        for name, field in model.model_fields.items()
    }


def default_words(section: str, field: Any) -> str:
    if field.is_required():
        return "required"
    if section in ("steps", "sop"):
        return "as in the SOP"
    if section == "working_time.seasons":
        return "as usual"
    if field.default in ("", (), {}):
        return "empty"
    if isinstance(field.default, tuple):
        return f"[{', '.join(field.default)}]"
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def test_every_key_of_office_yml_is_documented() -> None:
    table = {row[0]: row[1] for row in rows("docs/reference/office.md") if "." in row[0]}
    assert table == office_keys()
    for role in Role.__args__:  # type: ignore[attr-defined]
        assert role in first_cells("docs/reference/office.md")


def test_every_role_variable_is_documented() -> None:
    documented = first_cells("docs/reference/variables.md")
    for path in sorted(ROOT.glob("roles/*/defaults/main.yml")):
        for name in yaml.safe_load(path.read_text(encoding="utf-8")) or {}:
            assert name in documented, f"{path.relative_to(ROOT)}: {name}"


def test_every_kind_of_entry_is_documented() -> None:
    kinds = {cell for cell in first_cells("docs/reference/journal.md") if "." in cell}
    assert kinds == {"cycle.opened", *APPLY}


def test_exit_codes_are_documented() -> None:
    for name in ("README.md", "docs/reference/exit-codes.md"):
        assert first_cells(name) >= EXIT_CODES, name


def test_every_host_of_the_demo_stands_in_the_readme() -> None:
    assert first_cells("README.md") >= {spec.name for spec in HOSTS}


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    linked = {
        (index.parent / target.split("#")[0]).resolve() for target in LINK.findall(text(str(index)))
    }
    for page in (ROOT / "docs").rglob("*.md"):
        assert page == index or page in linked, f"docs/README.md does not link to {page.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    plain = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(plain):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), f"{target} does not exist"
        assert found.is_relative_to(ROOT), f"{target} lies outside"
        if anchor:
            assert anchor in anchors(found), f"{target}: no such heading"


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    plain = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def calls(page: Path) -> Iterator[str]:
    """Every call of sop-run in the page's blocks of shell, without comment."""
    for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "sh":
            for line in block.splitlines():
                match = CALL.match(line.strip())
                if match:
                    yield match[1].split(" || ")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_shown_commands_exist(page: Path) -> None:
    for call in calls(page):
        if call == "--version":
            continue
        words = call.split()
        name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
        assert name in COMMANDS, f"sop-run {call}"
        known = {o for p in COMMANDS[name].params for o in p.opts}
        for option in re.findall(r"(?<!\S)--[a-z-]+", call):
            assert option in known | {"--help"}, f"sop-run {call}: {option}"


def test_the_readme_shows_commands() -> None:
    shown = {call.split()[0] for call in calls(ROOT / "README.md")}
    assert shown >= {"demo", "monthly", "sign", "status"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_name_no_machine(page: Path) -> None:
    plain = page.read_text(encoding="utf-8")
    for word in (str(ROOT), "PRIVATE KEY-----"):
        assert word not in plain
