"""What each phase costs a host stands on the page as the guard on real hosts enforces it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.lab.costs import BOUNDS, ONCE, Bound, Cost, excess
from tests.unit.docs.test_docs import text

TITLE = "What each phase costs"
FITTING = Cost(tasks=1, commands=1, commits=1, evidence=1000, program=190_000)


def size(bytes_: int, each: int) -> str:
    return f"{bytes_:,} + {each} per item" if each else f"{bytes_:,}"


def row(phase: str, bound: Bound) -> list[str]:
    evidence = size(bound.evidence, bound.evidence_item)
    return [phase, "1", "1", "1", evidence, size(bound.program, bound.program_item)]


def test_the_page_shows_the_bounds_that_hold() -> None:
    section = text("docs/explanation/speed.md").split(f"\n## {TITLE}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert shown == [row(phase, bound) for phase, bound in BOUNDS.items()]


@pytest.mark.parametrize("phase", BOUNDS)
def test_one_more_of_anything_is_named(phase: str) -> None:
    assert excess(phase, FITTING, 0) == []
    for name in ONCE:
        assert excess(phase, replace(FITTING, **{name: 2}), 0) == [f"{phase}: 2 {name}, not 1"]
        assert excess(phase, replace(FITTING, **{name: 0}), 0) == [f"{phase}: 0 {name}, not 1"]
    limit = BOUNDS[phase].evidence + 3 * BOUNDS[phase].evidence_item
    assert excess(phase, replace(FITTING, evidence=limit), 3) == []
    assert "bytes of evidence" in excess(phase, replace(FITTING, evidence=limit + 1), 3)[0]
    limit = BOUNDS[phase].program + 3 * BOUNDS[phase].program_item
    assert "bytes of program" in excess(phase, replace(FITTING, program=limit + 1), 3)[0]
