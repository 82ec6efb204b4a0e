"""The glossary and the labels use the same words."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.templates import SHIPPED

PAGE = (Path(__file__).resolve().parents[3] / "docs/reference/glossary.md").read_text("utf-8")
ROWS = [[c.strip() for c in x.strip("|").split("|")] for x in PAGE.splitlines() if x[:2] == "| "]
LABELS = {language: load_labels(SHIPPED, language) for language in ("id", "en")}


def test_every_verdict_stands_with_both_its_wordings() -> None:
    rows = {key.strip("`"): [ours, theirs] for ours, theirs, key in ROWS if key[:1] == "`"}
    ours, theirs = (LABELS[x].sections["verdict"] for x in ("id", "en"))
    assert rows == {key: [word, theirs[key]] for key, word in ours.items() if key != "none"}


def test_a_term_stands_once() -> None:
    terms = [row[0] for row in ROWS if row[0] not in ("Indonesian",)]
    assert len(terms) == len(set(terms))
    assert len(terms) > 60


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("column", "host"), ("column", "before"), ("column", "offered"), ("decision", "approved"),
        ("decision", "deferred"), ("sheet", "schedule"), ("text", "draft"), ("title", "items"),
        ("class", "security"), ("priority", "critical"), ("withheld", "held"),
    ],
)  # fmt: skip
def test_the_words_of_the_documents_are_those_of_the_glossary(section: str, key: str) -> None:
    word = LABELS["id"].word(section, key).casefold()
    assert any(word in row[0].casefold() for row in ROWS), word
