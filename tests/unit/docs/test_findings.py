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


def test_every_code_is_used_and_none_is_used_unknown() -> None:
    names = ["check", "checkantivirus", "test", "apt", "aptstage", "dnf", "zypper", "rpmitems"]
    names += ["release", "clocksync"]
    text = "".join((ROOT / f"hostside/{n}.py").read_text(encoding="utf-8") for n in names)
    used = set(
        re.findall(
            r'(?:\.(?:note|fail)\(\s*|told\(answer, |decided\(answer, "\w+", |'
            r'return \(|append\(\()"([a-z-]+)"',
            text,
        )
    )
    assert used == set(findings.HINTS)
    assert ".problem(" not in text, "findings have their hint in hostside/findings.py"


CHANGING = (
    *("main", "transaction", "worker", "preflight", "backup", "restore", "services"),
    *("update", "aptchange", "dnfchange", "dnfwriter", "wayin"),
)
CODE = re.compile(r"^[a-z]+(-[a-z0-9]+)*$")
SAYS = {"stop": 2, "problem": 1, "refusal": 2, "Stop": 2}  # function: where its code may stand


def codes_of(module: str) -> set[str]:
    """The codes that a module of a changing phase may tell."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / f"hostside/{module}.py").read_text(encoding="utf-8"))):
        words: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            words = node.args[SAYS[name] - 1 : SAYS[name]] if name in SAYS else []
        elif module == "preflight" and isinstance(node, ast.Return):
            words = getattr(node.value, "elts", [])[:1]
        for word in words:
            if isinstance(word, ast.Constant) and CODE.match(str(word.value)):
                found.add(str(word.value))
    return found


@pytest.mark.parametrize("module", CHANGING)
def test_every_code_of_a_change_is_documented_and_has_the_offices_words(module: str) -> None:
    codes, labels = codes_of(module), load_labels(SHIPPED)
    assert codes, f"hostside/{module}.py tells nothing: look there instead"
    described = set(re.findall(r"`([a-z0-9-]+)`", page("findings.md")))
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
