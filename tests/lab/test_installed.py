"""The installed wheel does on a real host what a checkout does: its three uses, to the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.journal.book import read_state
from orchestrator.lab.lab import Lab
from orchestrator.lab.scenario import HostSpec
from tests.cli import Called, sop_run
from tests.lab.asked import sh
from tests.lab.left import left_overs

pytestmark = pytest.mark.lab
MONTH = "2026-11"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.up(
        tmp_path_factory.mktemp("installed") / "lab", [HostSpec("web01", "full", "clean")], print
    )
    try:
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def version(lab: Lab) -> str:
    return sh(lab, "web01", "dpkg-query -W -f '${Version}' lab-web")


def test_the_three_uses(lab: Lab, installed: Path, tmp_path: Path) -> None:
    """A dry run, one host now, and the month; called from a folder that is not the program's."""

    def run(*words: str | Path) -> Called:
        where = ("--inventory", lab.inventory, "--home", tmp_path / "home")
        return sop_run(*words, *where, program=installed, cwd=tmp_path)

    def sign(cycle: str, *officers: str) -> list[int]:
        words = [("sign", cycle, "--as", o, "--key", lab.officer_key(o)) for o in officers]
        return [run(*w).code for w in words]

    before = version(lab)
    rehearsed = run("monthly", "--period", MONTH, "--dry-run", "--json")
    assert rehearsed.code == 0, rehearsed.text
    assert json.loads(rehearsed.out)["hosts"] == {"web01": "ready"}
    assert version(lab) == before

    opened = run("remediate", "web01", "--package", "lab-web", "--reason", "uji coba")
    assert opened.code == 3, opened.text
    cycle = next(p.name for p in (tmp_path / "home/cycles").iterdir())
    assert sign(cycle, "analis", "kepala") == [3, 0]
    assert run("remediate", "--cycle", cycle).code == 3
    assert version(lab) != before
    assert sign(cycle, "pengelola", "analis", "jf", "kepala") == [3, 3, 3, 0]
    assert run("remediate", "--cycle", cycle).code == 0
    state = read_state(tmp_path / "home/cycles" / cycle)
    assert state.verdicts["web01"].verdict == "updated" and state.kind == "incidental"

    assert run("monthly", "--period", MONTH).code == 3
    assert sign(MONTH, "analis", "kepala") == [3, 0]
    assert run("monthly", "--period", MONTH).code == 3
    assert sign(MONTH, "pengelola", "analis", "jf", "kepala") == [3, 3, 3, 0]
    assert run("monthly", "--period", MONTH).code == 0
    assert read_state(tmp_path / "home/cycles" / MONTH).verdicts["web01"].verdict == "nothing-to-do"
    audit = sop_run("audit", tmp_path / "home/archive", program=installed, cwd=tmp_path)
    assert audit.code == 0 and "Everything holds" in audit.out, audit.text


def test_wrong_input(lab: Lab, installed: Path, tmp_path: Path) -> None:
    where = ("--inventory", lab.inventory, "--home", tmp_path / "home")
    for words, said in (
        (("remediate", "web99", "--reason", "x"), "web99"),
        (("remediate", "web01"), "--reason"),
        (("monthly", "--limit", "nobody"), "nobody"),
        (("monthly", "--period", "next month"), "YYYY-MM"),
        (("restore", MONTH, "web01", "--as", "kepala", "--reason", "x"), "no cycle"),
    ):
        called = sop_run(*words, *where, program=installed, cwd=tmp_path)
        assert called.code == 2 and said in called.err, (words, called.text)
    assert not (tmp_path / "home/cycles").exists()
