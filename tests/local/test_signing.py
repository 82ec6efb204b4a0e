"""Orders, races and refusals at the gates, from the command line, on this machine, only read."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml
from pypdf import PdfReader

from orchestrator.journal.book import read_state
from orchestrator.journal.store import read_entries
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.statement import Statement
from tests.cli import SOP_RUN, make_key, sop_run
from tests.local.conftest import LocalOffice

CYCLE = "cycles/2026-11"


def kinds(office: LocalOffice) -> list[str]:
    return [e.kind for e in read_entries(office.home / CYCLE / "journal.db")]


def edit(office: LocalOffice, **parts: Any) -> None:
    """Change whole parts of office.yml."""
    path = office.inventory / "office.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, part in parts.items():
        document[name] = {**document.get(name, {}), **part} if isinstance(part, dict) else part
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def words_of(path: Path) -> str:
    return "".join("".join(p.extract_text() for p in PdfReader(path).pages).split())


def test_what_is_ordered_stands_in_the_document_that_is_signed(local_office: LocalOffice) -> None:
    assert local_office.sign("analis").code == 3
    document = local_office.home / CYCLE / "documents/disposisi.pdf"
    before = words_of(document)
    assert "1peladenujilebihdahulu" in before and "Segerasetelahdisposisi" in before
    stranger = make_key(local_office.folder / "keys" / "stranger")
    terms = ["--window", "2999-01-01 22:00/2999-01-02 02:00", "--canary", "off", "--wave", "50%",
             "--abort-limit", "unlimited", "--reboot", "never"]  # fmt: skip
    refused = local_office.run("sign", "2026-11", "--as", "kepala", "--key", stranger, *terms)
    assert refused.code == 2 and "gate.signed" not in kinds(local_office)[-1]
    assert local_office.sign("kepala", "--wave", "0").code == 2
    signed = local_office.sign("kepala", *terms)
    assert signed.code == 0, signed.text
    assert kinds(local_office).count("order.drafted") == 1, "the refused one had drafted the same"

    text = words_of(document)
    assert "palingbanyak50%(1peladen)setiapgelombang,tanpapeladenuji" in text
    assert "tidakdibatasi;gelombangberikutnyatetapdimulai" in text
    assert "1Januari2999" in text and "Tidakmelakukanreboot" in text
    state = read_state(local_office.home / CYCLE)
    statement = Statement.model_validate_json(state.signed(4)[0].statement)
    assert statement.documents["disposisi.pdf"] == sha256_hex(document.read_bytes())
    assert statement.order == state.order and state.order is not None
    assert (state.order.canary, state.order.wave, state.order.abort_limit) == (
        0,
        "50%",
        "unlimited",
    )
    assert {r.code for r in state.relaxed} == {"canary", "abort-limit"}
    document.unlink()
    assert local_office.run("documents", "2026-11").code == 0
    assert words_of(document) == text, "made again from the journal, with the ordered terms"
    assert local_office.run("audit", "2026-11").code == 0


def test_terms_of_a_refused_signature_do_not_stick(local_office: LocalOffice) -> None:
    """A first attempt names other terms and fails; who then signs plainly orders the rules."""
    assert local_office.sign("analis").code == 3
    stranger = make_key(local_office.folder / "keys" / "stranger")
    words = ("sign", "2026-11", "--as", "kepala", "--key", stranger, "--wave", "3")
    assert local_office.run(*words).code == 2
    assert local_office.sign("kepala").code == 0
    state = read_state(local_office.home / CYCLE)
    assert state.order is not None and state.order.wave == 10
    assert "palingbanyak10peladen" in words_of(
        local_office.home / CYCLE / "documents/disposisi.pdf"
    )


def test_orders_at_another_step_are_refused(local_office: LocalOffice) -> None:
    for option in (
        ["--canary", "1"],
        ["--wave", "5%"],
        ["--abort-limit", "1"],
        ["--reboot", "never"],
    ):
        called = local_office.sign("analis", *option)
        assert called.code == 2 and "at step 4 only" in called.err, called.text
    assert "gate.signed" not in kinds(local_office)


def test_what_an_office_relaxes_is_said_everywhere(local_office: LocalOffice) -> None:
    edit(local_office, rules={"separation_of_duties": False}, roles={"analis": "Analis Keamanan"},
         steps={10: {"role": "kepala"}})  # fmt: skip
    called = local_office.run("monthly", "--period", "2026-11")
    assert called.code == 3
    assert "relaxed, as the report will say: separation of duties is off" in called.err
    assert "Analis Keamanan signs with" in called.out
    entries = list(read_entries(local_office.home / CYCLE / "journal.db"))
    changed = next(e for e in entries if e.kind == "office.changed")
    assert [r["code"] for r in changed.body["relaxed"]] == ["duties", "gate-shared"]
    edit(local_office, rules={"separation_of_duties": True}, steps={10: {"role": "jf"}})
    assert local_office.sign("analis").code == 3
    facts = local_office.facts()["relaxed"]
    assert [(r["code"], bool(r["until"])) for r in facts] == [
        ("duties", True),
        ("gate-shared", True),
    ]
    assert "Relaxed in this cycle" in local_office.run("status", "2026-11").out


def test_nobody_signs_their_own_work(local_office: LocalOffice) -> None:
    """The office gives step 4 to the Pengelola's role: who then orders may not test."""
    second = make_key(local_office.key("second")).with_suffix(".pub").read_text(encoding="utf-8")
    path = local_office.inventory / "office.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["officers"].append(
        {"id": "second", "role": "pengelola", "name": "Contoh Kedua", "keys": [second.strip()]}
    )
    path.write_text(yaml.safe_dump({**document, "steps": {4: {"role": "pengelola"}}}), "utf-8")
    assert local_office.sign("analis", *local_office.defer_all()).code == 3
    assert local_office.sign("pengelola").code == 0
    assert local_office.run("monthly", "--period", "2026-11").code == 3
    own = local_office.sign("pengelola")
    assert own.code == 4 and "who orders the update does not execute or test it" in own.err
    assert local_office.sign("second").code == 3


def test_a_gate_with_one_signature_instead_of_two_is_refused(new_office: LocalOffice) -> None:
    edit(new_office, steps={8: {"role": "analis"}})
    called = new_office.run("monthly", "--period", "2026-11")
    assert called.code == 2 and "step 8 is tested by two roles together" in called.err
    edit(new_office, steps={8: {"role": "analis", "partner": "pengelola"}, 3: {"partner": "jf"}})
    called = new_office.run("monthly", "--period", "2026-11")
    assert called.code == 2 and "only step 8 is done together" in called.err


def test_who_signs_first_wins(local_office: LocalOffice) -> None:
    """The first officer is still typing the passphrase when the second one signs."""
    key = local_office.key("analis")
    change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "geheim", "-f", str(key)]
    subprocess.run(change, check=True)
    asked, go = local_office.folder / "asked", local_office.folder / "go"
    typist = local_office.folder / "typist"
    typist.write_text(
        f"#!/bin/sh\ntouch '{asked}'\nwhile [ ! -e '{go}' ]; do sleep 0.1; done\necho geheim\n",
        encoding="utf-8",
    )
    typist.chmod(0o755)
    other = make_key(local_office.key("second"))
    path = local_office.inventory / "office.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    public = other.with_suffix(".pub").read_text(encoding="utf-8").strip()
    document["officers"].append(
        {"id": "second", "role": "analis", "name": "Contoh Kedua", "keys": [public]}
    )
    path.write_text(yaml.safe_dump(document), encoding="utf-8")

    words = [str(SOP_RUN), "sign", "2026-11", "--as", "analis", "--key", str(key),
             "--inventory", str(local_office.inventory)]  # fmt: skip
    env = {
        **os.environ,
        "SSH_ASKPASS": str(typist),
        "SSH_ASKPASS_REQUIRE": "force",
        "DISPLAY": ":0",
    }
    with subprocess.Popen(
        words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as first:
        try:
            deadline = time.monotonic() + 120
            while not asked.exists() and time.monotonic() < deadline:
                assert first.poll() is None
                time.sleep(0.05)
            late = local_office.sign("second")
            assert late.code == 2 and f"in use by process {first.pid}" in late.err, late.text
            go.touch()
            output, _ = first.communicate(timeout=120)
            assert first.returncode == 3, output
        finally:
            go.touch()
    again = local_office.sign("second")
    assert again.code == 2 and "waits for Kepala" in again.err
    state = read_state(local_office.home / CYCLE)
    assert [s.officer for s in state.signed(3)] == ["analis"]
    assert kinds(local_office).count("gate.signed") == 1


def test_two_signatures_at_the_same_moment(local_office: LocalOffice) -> None:
    """The officer presses return on two machines at once: never two signatures on one gate."""
    key, inventory = str(local_office.key("analis")), str(local_office.inventory)
    words = [str(SOP_RUN), "sign", "2026-11", "--as", "analis", "--key", key]
    words += ["--inventory", inventory]
    both = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [(p.communicate(timeout=120), p.returncode) for p in both]
    assert sorted(code for _, code in ended) == [2, 3], ended
    (_, error), _ = next(e for e in ended if e[1] == 2)
    assert "in use by process" in error or "waits for Kepala" in error
    assert kinds(local_office).count("gate.signed") == 1
    assert local_office.run("audit", "2026-11").code == 0


def test_the_end_of_a_journal_is_missed(local_office: LocalOffice) -> None:
    """Somebody takes the signature out of the journal again."""
    assert local_office.sign("analis").code == 3
    entries = list(read_entries(local_office.home / CYCLE / "journal.db"))
    seq = next(e.seq for e in entries if e.kind == "gate.signed")
    with sqlite3.connect(local_office.home / CYCLE / "journal.db") as db:
        db.execute("DROP TRIGGER entry_no_delete")
        db.execute("DELETE FROM entry WHERE seq >= ?", (seq,))
    for call in (("audit", "2026-11"), ("status", "2026-11"), ("monthly", "--period", "2026-11")):
        called = local_office.run(*call)
        assert called.code in (1, 4) and f"journal entry {seq}" in called.text, called.text


def test_the_procedure_is_printed_and_drawn(new_office: LocalOffice) -> None:
    edit(new_office, roles={"jf": "JF Ahli Madya"}, sop={"basis": ["Perwali Nomor 1"]},
         steps={4: {"minutes": 300}})  # fmt: skip
    plain = new_office.run("sop")
    assert plain.code == 0 and "JF Ahli Madya" in plain.out
    assert "step 4 may take 300 min, in the SOP 120" in plain.out
    full = new_office.run("sop", "--full").out
    assert "1. Perwali Nomor 1" in full and "Undang-Undang" not in full
    assert "Apabila SOP tidak dijalankan" in full and "ATK" in full
    facts = json.loads(new_office.run("sop", "--json").out)
    assert facts["roles"]["jf"] == "JF Ahli Madya" and len(facts["steps"]) == 13
    assert [r["code"] for r in facts["relaxed"]] == ["time"]
    for form, head in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        picture = new_office.folder / f"sop{form}"
        assert new_office.run("sop", "--picture", picture).code == 0
        assert picture.read_bytes().startswith(head)
    assert "JFAhliMadya" in words_of(new_office.folder / "sop.pdf")
    for wrong in ("sop.gif", "nowhere/sop.svg"):
        assert sop_run("sop", "--picture", new_office.folder / wrong).code == 2
