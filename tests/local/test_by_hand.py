"""What the documentation says of an archive is true of a real one: files, fields, commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.local.conftest import LocalOffice

FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def archives(months: LocalOffice, tmp_path: Path) -> Path:
    """A copy of three months' archives."""
    shutil.copytree(months.home / "archive", tmp_path / "archive")
    return tmp_path / "archive" / "2026"


def shell(commands: str, bag: Path) -> subprocess.CompletedProcess[str]:
    """What a person pastes into a shell that stands in the bag."""
    return subprocess.run(
        ["bash", "-c", commands], cwd=bag, capture_output=True, text=True, check=False
    )


def of_the_page(root: Path) -> list[str]:
    """The blocks of shell of `By hand`, in their order."""
    text = (root / "docs/how-to/verify-an-archive.md").read_text(encoding="utf-8")
    return FENCE.findall(text.split("## By hand")[1])


@pytest.mark.parametrize("cycle", ["2026-11", "2026-12"])
def test_the_page_on_a_real_archive(archives: Path, root: Path, cycle: str) -> None:
    blocks = of_the_page(root)
    assert len(blocks) == 5
    done = [shell(block, archives / cycle) for block in blocks]
    assert [(d.returncode, d.stderr) for d in done] == [(0, "")] * 5
    files, signatures, plan, journal, before = (d.stdout for d in done)
    assert files == "files ok\nno other files\n"
    count = 8 if cycle == "2026-11" else 6
    assert signatures.count('Good "sop-run/gate/1" signature for ') == count
    assert "NOT VALID" not in signatures
    assert plan.count("signed this plan and these documents") == 6
    if cycle == "2026-11":
        assert "step 3 analis earlier: return a host is missing (documents kept)" in plan
        assert "step 10 jf earlier: return part C is wrong (documents kept)" in plan
    assert journal.startswith("journal ok: ")
    told, found = before.splitlines()
    assert found.split()[0] == told


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (0, "data/documents/notulensi.pdf"),
        (1, "data/signatures/*-kepala-sign.sig"),
        (2, "data/documents/notulensi.pdf"),
        (2, "data/plan.json"),
        (3, "data/journal.jsonl"),
    ],
)
def test_the_page_finds_what_was_changed(
    archives: Path, root: Path, number: int, what: str
) -> None:
    bag = archives / "2026-11"
    damage(next(bag.glob(what)))
    done = shell(of_the_page(root)[number], bag)
    said = "FAILED" in done.stdout or "NOT VALID" in done.stdout
    assert said or done.returncode, done.stdout


def test_verify_txt_on_its_own_archive(archives: Path) -> None:
    bag = archives / "2026-11"
    lines = (bag / "data/VERIFY.txt").read_text(encoding="utf-8").splitlines()
    code = textwrap.dedent("\n".join(x for x in lines if x.startswith("     ") or not x))
    done = shell("set -e\n" + code, bag)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    counts = done.stdout.splitlines()[:2]
    assert counts[0] == counts[1]
    assert done.stdout.count("Good ") == 8 and "NOT VALID" not in done.stdout
    assert "journal ok: " in done.stdout
    damage(bag / "data/journal.jsonl")
    assert shell("set -e\n" + code, bag).returncode


def cells(root: Path, heading: str) -> list[str]:
    """The first column of the table under a heading of the reference page."""
    text = (root / "docs/reference/archive.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert found, heading
    return found


def test_every_file_of_the_bag_is_documented(archives: Path, root: Path) -> None:
    words = {"NNNN": r"\d{4}", "SS": r"\d{2}", "OFFICER": r"[a-z]+", "NAME": r"[a-z.-]+"}
    patterns = []
    for cell in cells(root, "Files"):
        pattern = re.escape(cell).replace(r"\-sign\.", r"\-(sign|return)\.")
        for word, meaning in words.items():
            pattern = pattern.replace(word, meaning)
        patterns.append(re.compile(pattern))
    bag = archives / "2026-11"
    used = set()
    for path in bag.rglob("*"):
        if path.is_file():
            name = path.relative_to(bag).as_posix()
            fitting = [p for p in patterns if p.fullmatch(name)]
            assert len(fitting) == 1, f"{name} is not documented"
            used.add(fitting[0])
    assert used == set(patterns), "a documented file is not there"


def test_every_field_is_documented(archives: Path, root: Path) -> None:
    bag = archives / "2026-11"
    info = (bag / "bag-info.txt").read_text(encoding="utf-8").splitlines()
    assert {line.partition(": ")[0] for line in info} == set(cells(root, "bag-info.txt"))
    facts = json.loads((bag / "data/cycle.json").read_text(encoding="utf-8"))
    assert set(facts) == set(cells(root, "cycle.json"))
    text = (root / "docs/reference/archive.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))
    for name in ("classification", "journal", "hosts", "decisions", "steps", "phases", "outcomes",
                 "signatures", "returns", "notes", "documents"):  # fmt: skip
        one = facts[name][0] if isinstance(facts[name], list) and facts[name] else facts[name]
        for key in one if isinstance(one, dict) else ():
            assert f"`{key}`" in rows[name], f"{name}.{key}"
