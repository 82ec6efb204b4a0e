"""Every finding and every check type of the host programs is documented, and nothing else is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hostside import checks, findings
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.templates import SHIPPED

ROOT = Path(__file__).resolve().parents[3]
OTHERS = {"Code", "Fact"}


def page(name: str) -> str:
    return (ROOT / "docs/reference" / name).read_text(encoding="utf-8")


def first_cells(text: str) -> set[str]:
    rows = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    return {cell.strip("`") for cell in rows} - {"Key", "Code"}


def test_every_code_of_check_and_test_is_documented() -> None:
    tables = page("findings.md").split("## Where the facts come from")[0]
    assert first_cells(tables) == set(findings.HINTS)


CHECKING = ("check", "checkantivirus", "test", "apt", "aptstage", "dnf", "zypper", "rpmitems")
CHECKING += ("release", "clocksync", "doctor")


def test_every_code_is_used_and_none_is_used_unknown() -> None:
    text = "".join((ROOT / f"hostside/{n}.py").read_text(encoding="utf-8") for n in CHECKING)
    used = set(
        re.findall(
            r'(?:\.(?:note|fail)\(\s*|told\(answer, |decided\(answer, "\w+", |'
            r'return \(|append\(\()"([a-z-]+)"',
            text,
        )
    )
    assert used == set(findings.HINTS)
    assert ".problem(" not in text, "findings have their hint in hostside/findings.py"


CODE = re.compile(r"^[a-z]+(-[a-z0-9]+)*$")
SAYS = {"stop": 2, "problem": 1, "refusal": 2, "Stop": 2, "ask": 3}  # where its code may stand


def codes_of(module: str) -> set[str]:
    """The codes that a module of a changing phase may tell: in calls that say them, as `code` of
    an answer, first in a returned (code, message, hint), as a key of HINTS, or av-…"""
    words: list[ast.expr | None] = []
    for node in ast.walk(ast.parse((ROOT / f"hostside/{module}.py").read_text(encoding="utf-8"))):
        match node:
            case ast.Call():
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                words += node.args[SAYS[name] - 1 : SAYS[name]] if name in SAYS else []
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                words += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "code"]
            case ast.Return(value=ast.Tuple(elts=[first, _, _])):
                words.append(first)
            case ast.Assign(targets=[ast.Name(id="HINTS")], value=ast.Dict(keys=keys)):
                words += keys
            case ast.Constant(value=str(text)) if text.startswith("av-"):
                words.append(node)
    texts = {str(word.value) for word in words if isinstance(word, ast.Constant)}
    return {text for text in texts if CODE.match(text)}


MODULES = sorted(path.stem for path in (ROOT / "hostside").glob("*.py"))
CHANGING = [name for name in MODULES if name not in (*CHECKING, "findings") and codes_of(name)]
CHANGING += ["dnf"]  # it has no code of its own for the check, but one for its writer


def test_the_modules_that_change_hosts_are_looked_at() -> None:
    changing = {"backup", "restore", "update", "antivirus", "avproduct", "aptchange", "dnfchange"}
    changing |= {"dnfwriter", "zypperchange", "rpmmend", "preflight", "transaction", "worker"}
    assert changing - set(CHANGING) == set()


@pytest.mark.parametrize("module", CHANGING)
def test_every_code_of_a_change_is_documented_and_has_the_offices_words(module: str) -> None:
    codes, labels = codes_of(module), load_labels(SHIPPED)
    tables = page("findings.md") + page("../explanation/transactions.md")
    described = set(re.findall(r"`([a-z0-9-]+)`", tables))
    assert codes - described == set()
    assert {code for code in codes if not labels.known("problem", code, "")} == set()


def test_every_hint_is_a_sentence() -> None:
    for code, hint in findings.HINTS.items():
        assert hint[0].isupper(), code
        assert hint.endswith("."), code


def test_every_check_type_and_key_is_documented() -> None:
    sections = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", page("checks.md"), re.MULTILINE))
    assert first_cells(sections["Keys of every check"]) == set(checks.COMMON)
    for name, kind in checks.KINDS.items():
        assert first_cells(sections[name]) == set(kind.keys), name
        assert f"| `{kind.key}` | needed |" in sections[name], name
        assert f"type: {name}," in page("checks.md"), f"{name} has no example"
