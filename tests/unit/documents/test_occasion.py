"""Incidental cycles and dry runs say what they are, in every document's content."""

from __future__ import annotations

from typing import Any

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.records import Content
from orchestrator.documents.names import DocumentName
from orchestrator.documents.templates import SHIPPED
from tests.unit.cycles import Chain


def content(**opened: Any) -> Content:
    chain = Chain()
    body = {**chain.entries[0].body, **opened}
    chain.entries, chain._state = [], None
    chain.add("cycle.opened", body, step=1)
    return build_content(DocumentName.CHECK_LIST, chain.state, load_labels(SHIPPED))


def test_an_incidental_cycle_names_number_reason_and_scope() -> None:
    chosen = {"security": True, "packages": ["nano", "vim"], "cves": ["CVE-2026-1"]}
    found = content(cycle="2026-11-i07", kind="incidental", reason="dipakai", selection=chosen)
    assert found.letter.period == "November 2026 (kegiatan insidental ke-7)"
    assert found.kind == "Insidental"
    assert found.occasion.reason == "dipakai"
    assert found.occasion.selection == (
        "hanya pembaruan keamanan; paket nano, vim; rujukan CVE-2026-1"
    )
    assert not found.occasion.trial


def test_a_monthly_cycle_says_nothing_of_the_kind() -> None:
    found = content()
    assert found.letter.period == "November 2026"
    said = found.occasion
    assert (said.reason, said.selection, said.source, said.trial) == ("–", "–", "–", False)


def test_a_dry_run_and_a_cycle_that_restores() -> None:
    source = {"cycle": "2026-10", "plan_id": "0" * 64, "manifest": "1" * 64}
    assert content(rehearsal=True).occasion.trial
    assert content(source=source).occasion.source == "2026-10"


def test_hostile_words_stay_text() -> None:
    found = content(reason="=1+1\n\x1b[31m{{ 7 }}", selection={"packages": ["{0.x}", "a\u202eb"]})
    assert found.occasion.reason == "=1+1 [31m{{ 7 }}"
    assert found.occasion.selection == "paket {0.x}, ab"
