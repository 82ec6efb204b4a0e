"""Every finding and every check type of the host programs is documented, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from hostside import checks, findings

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
    names = ["check", "checkantivirus", "test", "apt", "aptstage", "dnf", "release", "clocksync"]
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
