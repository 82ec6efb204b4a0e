"""Gates from the command line, on this machine, which is only read."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator.journal.book import CycleBook
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.store import read_entries
from orchestrator.model.canonical import canonical_json
from tests.cli import SOP_RUN, make_key, sop_run
from tests.local.conftest import LocalOffice

PERIOD = ("monthly", "--period", "2026-11")


def packages() -> str:
    """The installed packages of this machine, and the folders that a refresh would change."""
    status = Path("/var/lib/dpkg/status").read_bytes()
    lists = sorted((p.name, p.stat().st_mtime_ns) for p in Path("/var/lib/apt/lists").glob("*"))
    return hashlib.sha256(status + repr(lists).encode()).hexdigest()


def test_a_check_waits_for_step_3_and_changes_nothing(new_office: LocalOffice) -> None:
    before = packages()
    first = new_office.run(*PERIOD)
    assert first.code == 3, first.text
    assert "step 3, confirm the list" in first.out
    assert "sop-run sign 2026-11 --as analis" in first.out
    check_list = new_office.home / "cycles/2026-11/documents/laporan-hasil-pengecekan.xlsx"
    assert check_list.read_bytes()[:2] == b"PK"
    again = new_office.run(*PERIOD)
    assert again.code == 3 and "localhost " not in again.err, "a second call checks nothing twice"
    assert packages() == before


def test_a_whole_cycle_with_every_item_put_off(local_office: LocalOffice) -> None:
    before = packages()
    assert local_office.sign("analis", *local_office.defer_all()).code == 3
    assert local_office.sign("kepala").code == 0
    assert local_office.run(*PERIOD).code == 3
    assert local_office.sign("analis").code == 3
    assert local_office.sign("pengelola").code == 3
    assert local_office.sign("jf").code == 3
    assert local_office.sign("kepala").code == 0
    closed = local_office.run(*PERIOD)
    assert closed.code in (0, 1) and "Cycle 2026-11 is closed" in closed.out
    assert packages() == before

    audit = local_office.run("audit", "2026-11")
    assert audit.code == 0 and "Everything holds" in audit.out, audit.text
    moved = local_office.folder / "elsewhere"
    shutil.copytree(local_office.home / "archive/2026/2026-11", moved)
    by_folder = sop_run("audit", moved)
    assert by_folder.code == 0, by_folder.text
    check = ["sha256sum", "--check", "--quiet", "manifest-sha256.txt", "tagmanifest-sha256.txt"]
    subprocess.run(check, cwd=moved, check=True)

    following = local_office.run("monthly", "--period", "2026-12")
    assert following.code == 3
    from orchestrator.journal.book import read_state

    state = read_state(local_office.home / "cycles/2026-12")
    assert state.previous_cycle == "2026-11"
    assert state.previous_manifest == local_office.facts()["archive_manifest"]


def test_wrong_signers_are_refused_and_nothing_is_recorded(local_office: LocalOffice) -> None:
    head = local_office.facts()["journal_head"]
    stranger = make_key(local_office.folder / "keys" / "stranger")
    cases = [
        (("sign", "2026-11", "--as", "nobody"), "no officer 'nobody'"),
        (("sign", "2026-11", "--as", "kepala"), "waits for Analis"),
        (("sign", "2026-11", "--as", "analis", "--key", stranger), "is not a valid key of officer"),
        (
            ("sign", "2026-11", "--as", "analis", "--key", local_office.key("kepala")),
            "is not a valid key of officer",
        ),
        (("sign", "2026-11", "--as", "analis", "--key", "/nonexistent"), "no key file"),
        (("sign", "2026-11", "--as", "analis", "--defer", "x"), "is not NO=REASON"),
        (("sign", "2026-11", "--as", "analis", "--defer", "99999=x"), "no item 99999"),
        (("sign", "2026-10", "--as", "analis"), "there is no cycle 2026-10"),
        (("sign", "../..", "--as", "analis"), "is not a cycle"),
        (("return", "2026-11", "--as", "analis", "--reason", " "), "needs a reason"),
    ]
    for words, message in cases:
        called = local_office.run(*words)
        assert (called.code, message in called.err) == (2, True), (words, called.text)
    assert local_office.facts()["journal_head"] == head


def test_signing_when_no_gate_is_open(local_office: LocalOffice) -> None:
    assert local_office.sign("analis", *local_office.defer_all()).code == 3
    assert local_office.sign("kepala").code == 0
    called = local_office.sign("kepala")
    assert called.code == 2 and "no gate of cycle 2026-11 waits" in called.err


def test_a_document_changed_after_it_was_made_cannot_be_signed(local_office: LocalOffice) -> None:
    path = local_office.home / "cycles/2026-11/documents/laporan-hasil-pengecekan.xlsx"
    good = path.read_bytes()
    path.write_bytes(good + b" ")
    called = local_office.sign("analis")
    assert called.code == 2 and "changed since" in called.err
    assert local_office.run("documents", "2026-11").code == 0
    assert path.read_bytes() == good, "made again from the journal, byte for byte"
    assert local_office.sign("analis").code == 3


def test_english_courtesy_copies_are_no_records(local_office: LocalOffice) -> None:
    documents = local_office.home / "cycles/2026-11/documents"
    called = local_office.run("documents", "2026-11", "--language", "en")
    assert called.code == 0
    made = sorted(path.name for path in (documents / "en").iterdir())
    records = sorted(path.name for path in documents.iterdir() if path.is_file())
    assert made == [name for name in records if not name.endswith(".docx")]
    assert sorted(called.out.split()) == [str(documents / "en" / name) for name in made]
    assert local_office.run("audit", "2026-11").code == 0
    called = local_office.run("documents", "2026-11", "--language", "../../x")
    assert called.code == 2 and "the templates have: en" in called.err


def test_sent_back_to_the_check(local_office: LocalOffice) -> None:
    words = ("return", "2026-11", "--as", "analis", "--key", local_office.key("analis"))
    assert local_office.run(*words, "--reason", "a host is missing").code == 0
    assert local_office.facts()["steps"]["2"]["state"] == "open"
    assert local_office.run("audit", "2026-11").code == 0


def test_a_second_run_at_the_same_time_is_refused(local_office: LocalOffice) -> None:
    with (local_office.home / "cycles/2026-11/journal.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for called in (local_office.run(*PERIOD), local_office.sign("analis")):
            assert called.code == 2 and "in use by process" in called.err
        assert local_office.run("status", "2026-11").code == 0, "reading is always possible"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("hosts.yml", "", "has no hosts"),
        ("hosts.yml", "all:\n  hosts:\n    a:\n   b: 1\n", "hosts.yml:4:"),
        ("hosts.yml", "all:\n  hosts:\n    a:\n    a:\n", "Found duplicate mapping key"),
        ("office.yml", "", "it is empty"),
        ("office.yml", "office: [", "not valid YAML"),
    ],
)
def test_malformed_files(new_office: LocalOffice, name: str, text: str, message: str) -> None:
    (new_office.inventory / name).write_text(text, encoding="utf-8")
    called = new_office.run(*PERIOD)
    assert called.code == 2 and message in called.err, called.text
    assert not new_office.home.exists(), "nothing was opened"


def test_all_errors_of_office_yml_at_once(new_office: LocalOffice) -> None:
    path = new_office.inventory / "office.yml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("Asia/Jakarta", "Mars/Base").replace("role: jf", "role: boss")
    path.write_text(text + "extra: 1\n", encoding="utf-8")
    called = new_office.run(*PERIOD)
    assert called.code == 2 and "3 problems" in called.err, called.text
    for words in ("office.timezone", "officers.2.role", "extra", f"{path}:"):
        assert words in called.err


def test_unknown_host_in_limit(new_office: LocalOffice) -> None:
    called = new_office.run(*PERIOD, "--limit", "localhost,nosuch")
    assert called.code == 2 and "nosuch" in called.err
    assert not new_office.home.exists()


def flipped(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x01
    path.write_bytes(bytes(data))


def test_audit_names_what_was_changed(local_office: LocalOffice) -> None:
    assert local_office.sign("analis", *local_office.defer_all()).code == 3
    cycle = local_office.home / "cycles/2026-11"
    document = cycle / "documents/laporan-hasil-pengecekan.xlsx"
    good = document.read_bytes()
    flipped(document, len(good) // 2)
    called = local_office.run("audit", "2026-11")
    assert called.code == 1
    assert "First failure: document: laporan-hasil-pengecekan.xlsx (journal entry" in called.out
    document.write_bytes(good)

    journal = cycle / "journal.db"
    data = journal.read_bytes()
    flipped(journal, data.index(b"this is a test") if b"this is a test" in data else 9000)
    called = local_office.run("audit", "2026-11", "--json")
    assert called.code == 1
    failed = [c for c in json.loads(called.out) if not c["ok"]]
    assert "journal entry" in failed[0]["detail"]


def test_a_window_in_the_future_holds_the_work_back(local_office: LocalOffice) -> None:
    assert local_office.sign("analis", "--window", "2999-01-01 22:00/2999-01-02 02:00").code == 2
    assert local_office.sign("analis", *local_office.defer_all()).code == 3
    assert local_office.sign("kepala", "--window", "tonight").code == 2
    assert local_office.sign("kepala", "--window", "2999-01-01 22:00/2999-01-02 02:00").code == 0
    called = local_office.run(*PERIOD)
    assert called.code == 4 and "begins at 2999-01-01T22:00+07:00" in called.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_a_safe_boundary(
    new_office: LocalOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    words = [str(SOP_RUN), *PERIOD, "--inventory", str(new_office.inventory)]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    while "check: 1 host" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(number)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 4 and "stopped at a safe boundary" in errors, errors
    assert " ok " in errors, "the phase was brought to its end"
    again = new_office.run(*PERIOD)
    assert again.code == 3 and "localhost " not in again.err, "nothing is checked twice"
    assert list((tmp_path / "tmp").iterdir()) == [], "no temporary file is left by either"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_amid_documents_leaves_no_temporary_files(
    local_office: LocalOffice, tmp_path: Path, number: signal.Signals
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = ["documents", "2026-11", "--language", "en", "--inventory", str(local_office.inventory)]
    running = subprocess.Popen(
        [str(SOP_RUN), *words],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    while not list(temporary.glob("sop-run-*/sop-run-*")):
        assert running.poll() is None
    running.send_signal(number)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 128 + number and "run the same command again" in errors, errors
    assert list(temporary.iterdir()) == []


def test_expired_and_revoked_keys_are_refused(local_office: LocalOffice) -> None:
    public = local_office.key("analis").with_suffix(".pub").read_text(encoding="utf-8").strip()
    cases: list[tuple[dict[str, object], str]] = [
        ({"valid_until": "2020-01-01"}, "may not sign today"),
        ({"valid_until": "", "valid_from": "2999-01-01"}, "may not sign today"),
        ({"valid_from": "", "revoked_keys": [public]}, "no public key that is not revoked"),
    ]
    for fields, message in cases:
        local_office.edit_officer("analis", **fields)
        called = local_office.sign("analis")
        assert called.code == 2 and message in called.err, called.text
    new = make_key(local_office.folder / "keys" / "analis-new")
    replaced = [public, new.with_suffix(".pub").read_text(encoding="utf-8").strip()]
    local_office.edit_officer("analis", keys=replaced)
    called = local_office.sign("analis")
    assert called.code == 2 and "not a valid key" in called.err, "the revoked key itself"
    words = ("sign", "2026-11", "--as", "analis", "--key", new)
    assert local_office.run(*words).code == 3
    assert local_office.run("audit", "2026-11").code == 0


def test_signing_through_an_agent(
    local_office: LocalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = local_office.folder / "agent"
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL
    ) as agent:
        try:
            deadline = time.monotonic() + 10
            while not socket.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
            called = local_office.run("sign", "2026-11", "--as", "analis")
            assert called.code == 2 and "could not sign" in called.err, "the agent has no key yet"
            key = str(local_office.key("analis"))
            subprocess.run(["ssh-add", "-q", key], check=True)
            called = local_office.run("sign", "2026-11", "--as", "analis")
            assert called.code == 3, called.text
        finally:
            agent.terminate()


def test_a_signature_from_elsewhere_is_worth_nothing(local_office: LocalOffice) -> None:
    """A real signature, replayed in another cycle: refused by the fold, found by the audit."""
    assert local_office.sign("analis").code == 3
    taken = local_office.home / "cycles/2026-11"
    assert local_office.run("monthly", "--period", "2026-12").code == 3
    other = local_office.home / "cycles/2026-12"
    signed = next(e for e in read_entries(taken / "journal.db") if e.kind == "gate.signed")
    with CycleBook(other) as book, pytest.raises(IllegalEntry, match="for cycle 2026-11"):
        book.record("gate.signed", signed.body, step=3, actor="analis")
    statement = json.loads(signed.body["statement"]) | {"cycle": "2026-12"}
    with CycleBook(other) as book:
        statement |= {"plan_id": book.state.plan.id if book.state.plan else ""}
        shown = {n: r.sha256 for n, r in book.state.documents.items()}
        statement |= {"journal_head": book.state.head, "documents": shown}
        forged = {"statement": canonical_json(statement), "signature": signed.body["signature"]}
        book.record("gate.signed", forged, step=3, actor="analis")
    audit = local_office.run("audit", "2026-12")
    assert audit.code == 1 and "signature: step 3 by analis (journal entry" in audit.out
    assert local_office.run("monthly", "--period", "2026-12").code == 3
    assert local_office.sign("kepala", cycle="2026-12").code == 0
    changed = local_office.run("monthly", "--period", "2026-12")
    assert changed.code == 4 and "step 3 has no valid signature" in changed.err


def test_trusted_keys_are_the_ones_that_signed(local_office: LocalOffice) -> None:
    """An officer with two keys signs with the one that the auditor does not trust."""
    public = local_office.key("analis").with_suffix(".pub")
    other = make_key(local_office.folder / "keys" / "other")
    words = [p.read_text(encoding="utf-8").strip() for p in (public, other.with_suffix(".pub"))]
    local_office.edit_officer("analis", keys=words)
    assert local_office.run("sign", "2026-11", "--as", "analis", "--key", other).code == 3
    assert local_office.run("audit", "2026-11").code == 0
    trusted = local_office.run("audit", "2026-11", "--keys", other.with_suffix(".pub"))
    assert trusted.code == 0, trusted.text
    called = local_office.run("audit", "2026-11", "--keys", public)
    assert called.code == 1 and "signature: step 3 by analis" in called.out


def test_an_office_that_cannot_keep_duties_apart_is_told_at_once(new_office: LocalOffice) -> None:
    path = new_office.inventory / "office.yml"
    text = path.read_text(encoding="utf-8") + "steps:\n  10:\n    role: kepala\n"
    path.write_text(text, encoding="utf-8")
    called = new_office.run(*PERIOD)
    assert called.code == 2 and "steps: 11 and 10 both fall to the one officer" in called.err


def test_monthly_opens_no_incidental_cycle(new_office: LocalOffice) -> None:
    """It would be for every host, and nobody would have said why."""
    called = new_office.run("monthly", "--period", "2026-11-i07")
    assert called.code == 2 and "sop-run remediate" in called.err
    assert not (new_office.home / "cycles").exists()
