"""Prose templates can read the content and nothing else; what they insert is inert."""

from __future__ import annotations

import dataclasses

import pytest

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.names import DocumentName
from orchestrator.documents.pdf.prose import paragraphs, write_prose
from orchestrator.documents.templates import SHIPPED
from orchestrator.model.errors import CannotRunError
from tests.unit.documents.sample import STATES, all_failed, empty, normal

LABELS = load_labels(SHIPPED)
FOLDER = SHIPPED / "prose" / "id"


def prose(state):
    return write_prose(FOLDER, build_content(DocumentName.REPORT, state, LABELS))


@pytest.mark.parametrize("kind", STATES)
def test_every_passage_can_be_written(kind):
    passages = prose(STATES[kind]())
    assert len(passages) == len(list(FOLDER.glob("[!_]*.j2")))
    assert all(passages.values())


def test_the_relaxed_rule_is_stated():
    assert len(prose(normal())["laporan-kegiatan"]) == 1
    stated = prose(normal(separation_of_duties=False, canary=0))["laporan-kegiatan"]
    assert "terdapat ketentuan SOP yang dilonggarkan" in stated[1]
    assert "pemisahan tugas tidak diberlakukan" in stated[2] and stated[2].endswith(";")
    assert stated[3] == "2) pemutakhiran dilaksanakan tanpa peladen uji."


def test_an_unreached_cycle_does_not_claim_that_nothing_was_due():
    assert "tidak satu pun peladen" in prose(all_failed())["laporan-hasil"][0]
    assert "tidak menemukan butir" in prose(empty())["laporan-hasil"][0]


def test_data_is_not_looked_at_again(tmp_path):
    (tmp_path / "a.j2").write_text("{{ cycle }}", encoding="utf-8")
    content = build_content(DocumentName.REPORT, normal(), LABELS)
    hostile = dataclasses.replace(content, cycle="{{ 7*7 }}{% raw %}")
    assert write_prose(tmp_path, hostile) == {"a": ["{{ 7*7 }}{% raw %}"]}


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycle.format.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{% include '../../labels/id.yml' %}",
        "{{ not_known }}",
        "{% if %}",
    ],
)
def test_a_template_cannot_leave_its_box(tmp_path, template):
    (tmp_path / "bad.j2").write_text(template, encoding="utf-8")
    content = build_content(DocumentName.REPORT, normal(), LABELS)
    with pytest.raises(CannotRunError, match=r"bad\.j2"):
        write_prose(tmp_path, content)


def test_paragraphs_are_split_at_blank_lines():
    assert paragraphs("a\nb\n\n\n  c \r\n\r\n d") == ["a b", "c", "d"]
