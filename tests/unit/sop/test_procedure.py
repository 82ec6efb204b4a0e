"""The SOP as data: whole by default, changed where an office says so, never without its gates."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.office import ROLE_NAMES, Role, Wording
from orchestrator.sop.procedure import DEFAULT, procedure, whole
from orchestrator.sop.relaxed import relaxations
from tests.unit.cycles import office

ROLES = get_args(Role)
GATES = {3: ("analis",), 4: ("kepala",), 8: ("pengelola", "analis"), 10: ("jf",), 11: ("kepala",)}


def test_the_shipped_sop() -> None:
    steps = procedure(office())
    assert steps[:7] == DEFAULT[:7], "an office that changes nothing runs the SOP as it is"
    assert [s.number for s in steps] == list(range(1, 14))
    assert {s.number: s.signers for s in steps if s.is_gate} == GATES
    assert {s.number: s.returns_to for s in steps if s.returns_to} == {3: 2, 4: 2, 10: 9, 11: 9}
    assert sum(s.minutes or 0 for s in steps) == 16 * 60 + 15
    assert steps[5].needs[-1] == "Disposisi" and steps[3].outputs == ("Disposisi",)
    assert steps[7].remark == "Bersama dengan Analis Sistem Informasi dan Jaringan"
    for step in steps[1:12]:
        assert step.minutes and step.needs and step.outputs and step.role


def test_an_office_changes_words_times_and_roles() -> None:
    changed = office(
        roles={"analis": "Analis Keamanan Siber"},
        sop={"basis": ["Perwali Nomor 1 Tahun 2026"], "title": "Pemutakhiran Peladen"},
        steps={
            4: {"minutes": 60, "outputs": ["Nota dinas"], "needs": ["Daftar"]},
            8: {"role": "jf", "partner": "analis"},
            9: {"name": "Menulis laporan", "remark": "Paling lambat hari berikutnya"},
        },
    )
    sop = whole(changed)
    assert (sop.title, sop.basis) == ("Pemutakhiran Peladen", ("Perwali Nomor 1 Tahun 2026",))
    assert sop.warnings == whole(office()).warnings, "what is left out stays as in the SOP"
    four, eight, nine = sop.steps[3], sop.steps[7], sop.steps[8]
    assert (four.minutes, four.output, four.needs) == (60, "Nota dinas", ("Daftar",))
    assert eight.signers == ("jf", "analis") and eight.remark == "Bersama dengan " + (
        "Analis Keamanan Siber"
    )
    assert (nine.kegiatan, nine.remark) == ("Menulis laporan", "Paling lambat hari berikutnya")


def test_every_part_of_the_sop_has_a_key_and_a_default() -> None:
    sop = whole(office())
    for name in Wording.model_fields:
        assert getattr(sop, name)


CHANGES = st.dictionaries(
    st.integers(2, 12),
    st.fixed_dictionaries(
        {},
        optional={
            "role": st.sampled_from(ROLES),
            "minutes": st.integers(1, 500),
            "name": st.text("abc ", max_size=5),
        },
    ),
)


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.one_of(st.none(), st.sampled_from(ROLES)))
def test_no_gate_is_removed_and_no_other_signer_comes_unsaid(
    changes: dict[int, dict[str, Any]], partner: Role | None
) -> None:
    if partner:
        changes.setdefault(8, {})["partner"] = partner
    changed = office(steps=changes)
    said = {r.facts["step"] for r in relaxations(changed) if r.code.startswith("gate")}
    for step in procedure(changed):
        assert step.is_gate == (step.number in GATES)
        assert (str(step.number) in said) == (step.signers != GATES.get(step.number, ()))


RELAXED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, []),
    ({"rules": {"separation_of_duties": False}}, [("duties", "")]),
    (
        {"rules": {"relaxed_duties": ["draft-verify", "order-test"]}},
        [("duty-order-test", ""), ("duty-draft-verify", "")],
    ),
    ({"rules": {"canary": "off"}}, [("canary", "")]),
    ({"rules": {"abort_limit": "unlimited"}}, [("abort-limit", "")]),
    ({"rules": {"abort_limit": "100%"}}, [("abort-limit", "")]),
    ({"rules": {"restore_by": ["kepala", "jf"]}}, [("restore", "")]),
    ({"rules": {"restore_by": ["kepala"]}}, []),
    ({"rules": {"abort_limit": 5, "wave": "100%", "canary": "50%"}}, []),
    ({"steps": {4: {"role": "jf"}}}, [("gate-shared", "4")]),
    ({"steps": {10: {"role": "kepala"}}}, [("gate-shared", "10")]),
    ({"steps": {3: {"role": "pengelola"}}}, [("gate", "3")]),
    ({"steps": {8: {"partner": "kepala"}}}, [("gate-shared", "8")]),
    ({"steps": {8: {"role": "analis"}}}, [("gate-single", "8"), ("work-unsigned", "7"),
                                         ("work-unsigned", "9")]),
    ({"steps": {9: {"role": "jf"}}}, [("work-unsigned", "9")]),
    ({"steps": {4: {"minutes": 121}}}, [("time", "4")]),
    ({"steps": {4: {"minutes": 20, "name": "X"}}}, []),
    ({"roles": {"jf": "JF Ahli Madya"}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), RELAXED, ids=lambda v: str(v)[:60])
def test_what_counts_as_relaxed(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = relaxations(office(**changes))
    assert [(r.code, r.facts.get("step", "")) for r in found] == expected
    assert all(r.words and "{" not in r.words for r in found)


def test_role_names_are_the_offices_own() -> None:
    named = office(roles={"jf": "JF Ahli Madya"})
    assert named.role_name("jf") == "JF Ahli Madya"
    assert named.role_name("kepala") == ROLE_NAMES["kepala"]
