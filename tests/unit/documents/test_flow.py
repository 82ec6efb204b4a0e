"""The flowchart: the arrows are those of the state machine, and every office gets its picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.flow import build_flow, duration, edges
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.flowchart import flowchart
from orchestrator.documents.templates import SHIPPED
from orchestrator.office.load import load_office
from orchestrator.sop.machine import OPENS_AFTER, PASSES_AFTER, RETURNS
from orchestrator.sop.procedure import DEFAULT
from orchestrator.sop.relaxed import relaxations
from tests.unit.cycles import office
from tests.unit.documents.sample import normal
from tests.unit.sop.test_procedure import RELAXED

ROOT = Path(__file__).resolve().parents[3]
LABELS = load_labels(SHIPPED)
SHUFFLED: dict[str, Any] = {
    "steps": {
        2: {"role": "kepala"},
        3: {"role": "pengelola"},
        5: {"role": "pengelola"},
        8: {"role": "analis", "partner": "kepala"},
        9: {"role": "jf"},
        12: {"role": "kepala", "name": "Mengarsipkan " * 25, "minutes": 75},
    },
    "rules": {"separation_of_duties": False, "canary": 0},
}


def test_the_arrows_of_the_sop() -> None:
    found = [(e.source, e.target, e.kind) for e in edges(DEFAULT)]
    assert sorted(found) == [
        (1, 2, "next"), (2, 3, "next"), (3, 2, "no"), (3, 4, "yes"), (4, 5, "next"),
        (4, 6, "next"), (5, 9, "next"), (6, 7, "next"), (7, 8, "next"), (8, 9, "next"),
        (9, 10, "next"), (10, 9, "no"), (10, 11, "yes"), (11, 9, "no"), (11, 12, "yes"),
        (12, 13, "next"),
    ]  # fmt: skip


def test_no_arrow_says_more_than_the_state_machine() -> None:
    for edge in edges(DEFAULT):
        if edge.kind == "no":
            assert RETURNS[edge.source] == edge.target
        else:
            after = (*OPENS_AFTER[edge.target], *PASSES_AFTER.get(edge.target, ()))
            assert edge.source in after
    by_words = {n for n, r in ((s.number, s.returns_to) for s in DEFAULT) if r} - {3, 10, 11}
    assert by_words == {4}, "a return without a diamond stands in the remarks"
    assert build_flow(office(), LABELS).steps[3].remark == "Dapat dikembalikan ke langkah 2"


def test_what_stands_in_the_picture() -> None:
    flow = build_flow(office(roles={"jf": "JF Ahli Madya"}), LABELS)
    assert flow.roles[2] == "JF Ahli Madya"
    assert [(s.shape, s.column) for s in flow.steps if s.shape != "process"] == [
        ("terminator", 0), ("decision", 1), ("decision", 2), ("decision", 3), ("terminator", 0),
    ]  # fmt: skip
    assert flow.steps[7].partner == 1, "step 8 is done by two together"
    assert "16 jam 15 menit" in flow.total and "13 jam 15 menit" in flow.total
    assert flow.relaxed == ()
    assert duration(75, LABELS) == "1 jam 15 menit" and duration(None, LABELS) == ""


def test_the_picture_in_the_docs_is_this_one() -> None:
    made = flowchart(load_office(ROOT / "inventory/office.yml"), "svg")
    assert (ROOT / "docs/pictures/sop.svg").read_bytes() == made


@pytest.mark.parametrize("changes", [{}, SHUFFLED], ids=["default", "shuffled"])
def test_every_office_gets_its_picture(changes: dict[str, Any]) -> None:
    made = flowchart(office(**changes), "svg").decode("utf-8")
    width, height = map(float, re.findall(r'(?:width|height)="([\d.]+)pt"', made)[:2])
    assert 800 < width < 950 and height > 850
    assert flowchart(office(**changes), "png").startswith(b"\x89PNG")
    assert flowchart(office(**changes), "pdf").startswith(b"%PDF")


def test_hostile_words_are_drawn_as_words() -> None:
    words = '#panic("x") {{ 7*7 }} $x$ *a* \u202e 😀 ' + "x" * 300
    assert flowchart(office(steps={9: {"name": words}}, roles={"jf": words}), "svg")


@pytest.mark.parametrize(("changes", "expected"), RELAXED, ids=lambda v: str(v)[:60])
def test_every_relaxed_rule_has_its_words_in_the_report(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = build_flow(office(**changes), LABELS).relaxed
    assert len(found) == len(expected) == len(set(found))
    english = {r.words for r in relaxations(office(**changes))}
    assert not english & set(found) and not any("{" in words for words in found)


def test_the_report_names_what_is_relaxed_and_how_long() -> None:
    state = normal(canary=0)
    rows = build_content(DocumentName.REPORT, state, LABELS).relaxed
    assert [(r.code, r.until) for r in rows] == [("canary", "–")]
    assert rows[0].text == LABELS.word("relaxed", "canary")
