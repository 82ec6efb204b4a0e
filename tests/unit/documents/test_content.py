"""The content says what the journal holds, in plain words, and nothing that is not known."""

from __future__ import annotations

import dataclasses
import re

import pytest

from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.names import DocumentName
from orchestrator.documents.templates import SHIPPED
from orchestrator.journal.state import StepState
from orchestrator.model.evidence import Phase
from orchestrator.signature.ssh import key_fingerprint
from tests.unit.documents.sample import (
    DEBIAN,
    STATES,
    all_failed,
    answer,
    at,
    checked,
    empty,
    normal,
)

LABELS = load_labels(SHIPPED)


def content(name=DocumentName.REPORT, state=None):
    return build_content(name, state or normal(), LABELS)


def by_name(rows, name):
    return next(r for r in rows if r.name == name)


def test_items_have_versions_before_approved_and_after():
    items = content().items
    assert [i.number for i in items] == list(range(1, 14))
    done = by_name(items, "openssl")
    assert (done.before, done.approved, done.after) == (
        "3.0.14-1~deb12u2",
        "3.0.17-1~deb12u3",
        "3.0.17-1~deb12u3",
    )
    assert (done.result, done.decision, done.priority) == ("Berhasil", "Setuju", "Tinggi")
    back = by_name(items, "demo-layanan")
    assert (back.after, back.result) == ("2.3-1", "Dikembalikan ke versi semula")
    put_off = by_name(items, "tzdata")
    assert (put_off.approved, put_off.after, put_off.decision) == ("–", "–", "Tunda")
    assert put_off.remark == "Menunggu jendela pemeliharaan Desember"
    virus = by_name(items, "clamav-db (daily)")
    assert (virus.before, virus.approved, virus.after) == ("27410", "terbaru", "27461")


def test_every_host_has_its_verdict_in_words():
    hosts = {h.name: h for h in content().hosts}
    assert hosts["web-01"].verdict == "Berhasil diperbarui"
    assert hosts["layanan-03"].verdict == "Dikembalikan ke versi semula"
    assert hosts["cadangan-04"].verdict == "Tidak dapat dihubungi"
    assert hosts["arsip-06"].verdict == "Tidak ada yang perlu diperbarui"
    assert hosts["cadangan-04"].os == "–"
    assert hosts["portal-02"].check == "Selesai dengan catatan"
    assert hosts["portal-02"].rebooted == "Ya"
    assert hosts["berkas-05"].eicar.startswith("Berkas uji EICAR terdeteksi")


def test_totals_add_up():
    totals = content().totals
    assert (totals.hosts, totals.reached, totals.items) == (7, 6, 13)
    assert totals.system + totals.security + totals.antivirus == totals.items
    assert totals.approved + totals.deferred == totals.items
    parts = totals.succeeded + totals.restored + totals.failed + totals.not_done
    assert parts == totals.approved
    assert (totals.succeeded, totals.restored, totals.bad_hosts) == (11, 1, 2)
    assert (totals.tests, totals.tests_normal, totals.tests_recovered) == (15, 15, 2)


def test_steps_show_time_against_the_standard():
    steps = {s.number: s for s in content().steps}
    assert steps[3].actual == "12"
    assert steps[3].punctual == "Tepat"
    assert steps[3].officer == "Contoh Analis, S.Kom."
    assert steps[5].punctual == "Lewat 33"
    assert steps[2].actual == "<1"  # 41 seconds of the program's own work
    assert steps[6].actual == "31"  # 1830 s: a begun minute counts
    assert steps[8].actual == "55"  # a gate: from opening to signature
    assert steps[10].punctual == "Lewat 1.229"
    assert steps[10].date == "19/11/2026–20/11/2026"
    assert (steps[12].span, steps[12].actual, steps[12].punctual) == ("–", "–", "–")
    assert (steps[13].standard, steps[13].role) == ("–", "–")


def test_a_second_over_the_standard_is_late_by_one():
    state = normal()
    state.steps[3] = StepState("passed", at(100), at(115.02), actor="analis")
    step = next(s for s in content(state=state).steps if s.number == 3)
    assert (step.actual, step.punctual) == ("16", "Lewat 1")


def test_tests_that_failed_first_are_told_with_both_evidences():
    tests = [t for t in content().tests if t.host == "layanan-03"]
    assert [t.result for t in tests] == ["Normal setelah dikembalikan"] * 2 + ["Normal"]
    assert "Semula gagal" in tests[0].evidence
    assert tests[0].evidence.endswith("active (running)")


def test_findings_name_host_phase_and_cause():
    findings = content().findings
    told = {(f.host, f.code) for f in findings}
    assert ("cadangan-04", "unreachable") in told
    assert ("berkas-05", "eicar-found") in told
    assert ("layanan-03", "test-failed") in told
    assert {("portal-02", c) for c in ("withheld", "new-packages", "removals")} <= told
    assert len(findings) == len(set(findings))


def test_every_package_that_comes_or_goes_is_named():
    state = normal(4)
    new = [{"name": f"lib{n}", "version": "1", "arch": "amd64"} for n in range(60)]
    gone = [f"old{n}" for n in range(60)]
    state.outcomes["web-01"] = [checked("web-01", DEBIAN, new_packages=new, removals=gone)]
    told = {
        f.code: f.text for f in content(DocumentName.ORDER, state).findings if f.host == "web-01"
    }
    assert told["new-packages"].endswith(", lib59 1")
    assert told["removals"].endswith(", old59")


def test_backups_carry_proof_size_and_hash():
    backups = {b.host: b for b in content().backups}
    assert backups["web-01"].status == "Terbukti"
    assert backups["web-01"].size == "812 MB"
    assert len(backups["web-01"].sha256) == 64
    assert "Snapshot dapat dibaca" in backups["web-01"].proof
    assert backups["arsip-06"].status_key == "not-needed"


def test_an_officer_is_named_only_when_known():
    people = content(state=all_failed()).people
    assert not people.confirmer.known  # two analysts, and none of them signed
    assert set(people.confirmer.name) == {"."}
    assert content().people.confirmer.nip == "19900202 201903 2 002"


def test_a_document_does_not_look_past_its_step():
    for name in (DocumentName.ORDER, DocumentName.MINUTES, DocumentName.DRAFT_REPORT):
        until = {DocumentName.ORDER: 3, DocumentName.MINUTES: 7}.get(name, 8)
        early, late = content(name, normal(until)), content(name, normal(13))
        assert dataclasses.replace(early, order=late.order) == late


def test_the_check_list_shows_the_confirmation_when_made_again():
    early = content(DocumentName.CHECK_LIST, normal(2))
    late = content(DocumentName.CHECK_LIST, normal(3))
    assert [i.decision for i in early.items[:2]] == ["Setuju", "Setuju"]
    assert [i.decision for i in late.items[:2]] == ["Setuju", "Tunda"]


def test_the_order_before_signing_takes_the_rules():
    order = content(DocumentName.ORDER, normal(3, canary=2, wave=5, abort_limit=3)).order
    assert (order.canary, order.wave, order.abort_limit) == (2, 5, 3)
    assert order.window == "Segera setelah disposisi ini ditandatangani"


def test_signatures_can_be_found_again():
    rows = content().signatures
    assert [r.step for r in rows] == [3, 4, 8, 8, 10, 11]
    assert all(re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", r.fingerprint) for r in rows)
    assert key_fingerprint("no signature") == key_fingerprint("") == ""


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("name", DocumentName)
def test_no_cell_is_empty_none_or_nan(kind, name):
    data = build_content(name, STATES[kind](11), LABELS).as_data()
    optional = {"address", "contact", "logo", "started_at", "ended_at"}

    def walk(value, key=""):
        if isinstance(value, dict):
            for inner_key, inner in value.items():
                walk(inner, inner_key)
        elif isinstance(value, list | tuple):
            for inner in value:
                walk(inner, key)
        elif isinstance(value, str):
            assert value or key in optional, key
            assert value not in ("None", "nan", "null")
            assert value.isprintable(), (key, value)
        else:
            assert value is not None or key in ("standard_minutes", "actual_minutes")

    walk(data)


def test_nothing_to_do_and_nothing_reached_are_told_apart():
    assert content(state=empty()).totals.reached == 2
    assert content(state=all_failed()).totals.reached == 0


def test_a_test_of_everything_speaks_for_what_failed_before():
    """Real host programs tell failures one by one, and good news in one line with `*`."""
    state = normal()

    def told(result, target, evidence):
        return {"name": "units", "kind": "unit", "target": target, "required": True,
                "result": result, "evidence": evidence}  # fmt: skip

    failed, passed = (
        answer("web-01", Phase.TEST, minute, facts={"tests": rows})
        for minute, rows in (
            (210, [told("failed", "web.service", "failed since the update")]),
            (212, [told("passed", "*", "17 of 17 units that were active before are active")]),
        )
    )
    state.outcomes["web-01"] = [failed, passed]
    rows = [t for t in content(state=state).tests if t.host == "web-01"]
    assert [(t.target, t.result_key) for t in rows] == [
        ("web.service", "recovered"),
        ("semua", "passed"),
    ]
    assert rows[0].evidence == (
        "Semula gagal: gagal sejak update. "
        "Setelah dikembalikan: 17 dari 17 unit yang semula aktif tetap aktif"
    )


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"product": "none"}, "Tidak terpasang"),
        ({"product": "none", "decided": True}, "Ditetapkan tanpa antivirus"),
        ({"product": "clamav", "engine": "1.4.3", "daemon": "active"}, "ClamAV 1.4.3"),
        ({"product": "Acme", "daemon": "", "databases": [{"version": "build 9"}]}, "Acme build 9"),
        ({"product": "Acme", "daemon": "", "databases": []}, "Acme"),
        ({}, "–"),
    ],
)
def test_the_antivirus_of_a_host_in_words(fact, words):
    state = normal()
    for outcome in state.outcomes["web-01"]:
        if outcome.phase is Phase.CHECK:
            outcome.evidence["facts"]["antivirus"] = fact
    hosts = {h.name: h for h in content(state=state).hosts}
    found = hosts["web-01"].antivirus_engine
    assert found == words or found.startswith(f"{words}, layanan"), found
