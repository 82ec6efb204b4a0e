"""Every word that the program itself chooses has an Indonesian wording, and no more than one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hostside.checks import KINDS
from hostside.findings import HINTS
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.templates import SHIPPED, template_folder
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict

LABELS = load_labels(SHIPPED)


@pytest.mark.parametrize("section", ["verdict", "verdict_meaning"])
def test_every_verdict_has_a_wording(section):
    words = [LABELS.word(section, verdict.value) for verdict in Verdict]
    assert all(words)
    assert len(set(words)) == len(words)


def test_no_wording_is_left_over_from_a_verdict_that_is_gone():
    assert set(LABELS.sections["verdict"]) == {v.value for v in Verdict} | {"none"}


def test_the_wordings_of_the_brief():
    assert LABELS.word("verdict", "updated") == "Berhasil diperbarui"
    assert LABELS.word("verdict", "rolled-back") == "Dikembalikan ke versi semula"
    assert LABELS.word("verdict", "unreachable") == "Tidak dapat dihubungi"
    assert LABELS.word("verdict", "needs-human") == "Perlu penanganan petugas"


def test_every_phase_class_decision_and_step_has_a_word():
    for phase in Phase:
        assert LABELS.word("phase", phase)
    for kind in ("system", "security", "antivirus"):
        assert LABELS.word("class", kind)
        assert LABELS.word("priority", LABELS.word("class_priority", kind))
    assert [LABELS.word("decision", k) for k in ("approved", "deferred")] == ["Setuju", "Tunda"]
    assert [LABELS.word("step_short", str(n)) for n in range(1, 14)]
    for severity in LABELS.sections["severity_priority"].values():
        assert LABELS.word("priority", severity)


def test_a_missing_word_names_its_key():
    with pytest.raises(CannotRunError, match=r"verdict\.nothing-known"):
        LABELS.word("verdict", "nothing-known")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "must be a mapping"),
        ("verdict: {updated: x}\n", "sections are missing"),
        ("a: [", "cannot be read"),
    ],
)
def test_broken_labels_are_named(tmp_path, text, words):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "id.yml").write_text(text, encoding="utf-8")
    with pytest.raises(CannotRunError, match=words):
        load_labels(tmp_path)


def test_a_folder_without_templates_is_refused(tmp_path):
    with pytest.raises(CannotRunError, match="not a folder of document templates"):
        template_folder(tmp_path)


def test_sentences_of_host_programs_are_put_into_the_offices_words():
    assert LABELS.phrase("17 of 18 units that were active before are active") == (
        "17 dari 18 unit yang semula aktif tetap aktif"
    )
    assert LABELS.phrase("no sentence {0} that {} we know") == "no sentence {0} that {} we know"


def test_an_update_that_ran_out_of_room_is_told_in_the_offices_words():
    said = "/var has only 9 MB free: the update was ended before that was full"
    assert LABELS.phrase(said).endswith("pemutakhiran dihentikan sebelum penuh")


@pytest.mark.parametrize("evil", ["{0.__class__} is active", "{} is active", "{5} is active"])
def test_what_fills_a_sentence_is_not_looked_at(evil):
    assert LABELS.phrase(evil) == evil.replace(" is active", " aktif")


def test_every_sentence_can_be_filled():
    for pattern, words in LABELS.sections["phrase"].items():
        filled = LABELS.phrase(pattern.replace("{}", "x"))
        assert filled == words.format(*"x" * pattern.count("{}"))


@pytest.mark.parametrize("code", sorted(HINTS))
def test_every_finding_of_a_check_has_the_offices_words(code: str) -> None:
    assert LABELS.known("problem", code, "") != "", f"{code} has no wording under problem:"
    assert LABELS.phrase(HINTS[code]) != HINTS[code], f"the hint of {code} is not translated"


def test_every_kind_of_check_has_the_offices_words() -> None:
    kinds = {*KINDS, "unit", "failed-units", "packages", "mount", "disk"}
    missing = sorted(kind for kind in kinds if not LABELS.known("test_kind", kind, ""))
    assert not missing


PLAIN = {"Liberation Sans", "ID", "QR"}  # a font, a region, the name of a code in pictures' words
SPOKEN = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}|^[A-Z][A-Za-z]|[A-Za-z]{2,} $")


@pytest.mark.parametrize("path", sorted((SHIPPED / "typst").glob("*.typ")), ids=lambda p: p.name)
def test_fixed_words_stand_in_the_labels_not_in_the_typst_files(path: Path) -> None:
    source = re.sub(r"(?m)//.*$", "", path.read_text(encoding="utf-8"))
    literals = re.findall(r'"([^"\n]*)"', source)
    assert [w for w in literals if SPOKEN.search(w) and w not in PLAIN] == []
    # Outside of strings: what stands in [ ] and is no call, name or argument.
    markup = re.findall(r"\[([^\[\]{}#]*)\]", re.sub(r'"[^"\n]*"', "", source))
    assert [w for w in markup if re.search(r"[A-Za-z]{2,}", w)] == []


def test_every_label_that_a_typst_file_names_is_there() -> None:
    for path in sorted((SHIPPED / "typst").glob("*.typ")):
        for section, key in re.findall(r"\bt\.(\w+)\.(\w+)", path.read_text(encoding="utf-8")):
            if section in LABELS.sections and key not in ("at", "replace"):
                assert key in LABELS.sections[section], (path.name, section, key)
