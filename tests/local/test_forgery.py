"""A forger at an archive of real months: every attack is found, and named."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestrator.archive.audit import audit_archive
from orchestrator.archive.chain import archives_in, audit_chain
from orchestrator.archive.report import Report
from orchestrator.journal.store import INSERT
from orchestrator.model.canonical import canonical_json
from orchestrator.model.plan import Whole
from tests.cli import sop_run
from tests.local.conftest import LocalOffice
from tests.local.months import copy_of, forge, journal_of, retag

Entries = list[dict[str, Any]]


@pytest.fixture
def bag(months: LocalOffice, tmp_path: Path) -> Path:
    """A copy of the second month's archive, to be attacked."""
    return copy_of(months.home / "archive/2026/2026-11", tmp_path)


def files_of(bag: Path) -> list[Path]:
    return sorted(p for p in bag.rglob("*") if p.is_file())


def failure(report: Report) -> str:
    """Name and detail of the first check that failed."""
    assert report.failed is not None, "the forgery was not found"
    return f"{report.failed.name}: {report.failed.detail}"


def test_one_changed_byte_in_any_file(months: LocalOffice, bag: Path) -> None:
    for path in files_of(bag):
        good = path.read_bytes()
        for place in {0, len(good) // 2, len(good) - 1}:
            bad = bytearray(good)
            bad[place] ^= 0x01
            path.write_bytes(bytes(bad))
            words = failure(audit_archive(bag))
            named = path.name in words or "journal entry" in words
            assert named or path.name == "tagmanifest-sha256.txt", words
        path.write_bytes(good)
    assert audit_archive(bag).ok


def test_one_changed_byte_with_all_hashes_made_right(months: LocalOffice, bag: Path) -> None:
    """Only the page of instructions follows from nothing; the next month's word protects it."""
    unseen = []
    for path in files_of(bag / "data"):
        good = path.read_bytes()
        bad = bytearray(good)
        bad[len(good) // 2] ^= 0x01
        path.write_bytes(bytes(bad))
        retag(bag)
        if audit_archive(bag).ok:
            unseen.append(path.name)
            following = months.home / "archive/2026/2026-12"
            assert "2026-11 was replaced" in failure(audit_chain([bag, following]))
        path.write_bytes(good)
    assert unseen == ["VERIFY.txt"]


def test_any_removed_file(bag: Path) -> None:
    for path in files_of(bag):
        if path == bag / "bagit.txt":
            continue  # then it is no archive at all, and wrong use
        good = path.read_bytes()
        path.unlink()
        assert path.name in failure(audit_archive(bag))
        if path.is_relative_to(bag / "data") and "earlier" not in path.parts:
            retag(bag)
            assert not audit_archive(bag).ok, path
        path.write_bytes(good)
        retag(bag)
    assert audit_archive(bag).ok
    (bag / "bagit.txt").unlink()
    assert sop_run("audit", bag).code == 2


@pytest.mark.parametrize(
    "name", ["note.txt", "data/note.txt", "data/documents/x.pdf", "data/new/x", "data/.hidden"]
)
def test_an_added_file(bag: Path, name: str) -> None:
    (bag / name).parent.mkdir(exist_ok=True)
    (bag / name).write_text("x", encoding="utf-8")
    assert f"{name!r} is in no manifest" in failure(audit_archive(bag))
    retag(bag)
    words = failure(audit_archive(bag))
    assert name in words, words


def test_links_and_special_files(bag: Path, tmp_path: Path) -> None:
    documents = bag / "data/documents"
    shutil.move(documents / "notulensi.pdf", tmp_path / "outside.pdf")
    (documents / "notulensi.pdf").symlink_to(tmp_path / "outside.pdf")
    assert "'data/documents/notulensi.pdf' is a symbolic link" in failure(audit_archive(bag))
    (documents / "notulensi.pdf").unlink()
    os.mkfifo(documents / "notulensi.pdf")  # reading it would never end
    assert "'data/documents/notulensi.pdf' is a special file" in failure(audit_archive(bag))
    (documents / "notulensi.pdf").unlink()
    shutil.move(tmp_path / "outside.pdf", documents / "notulensi.pdf")
    assert audit_archive(bag).ok
    shutil.move(documents, tmp_path / "elsewhere")
    documents.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "'data/documents' is a symbolic link" in failure(audit_archive(bag))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("data/../../outside", "no hash and plain path"),
        ("/etc/passwd", "no hash and plain path"),
        ("data//outside", "no hash and plain path"),
        ("data/./journal.db", "no hash and plain path"),
        ("~root/x", "no hash and plain path"),
        ("data/a b", "no hash and plain path"),
        ("data/a%0Ab", "no hash and plain path"),
        ("data/\u202efdp.x", "no hash and plain path"),
        ("bagit.txt", "which is not in data/"),
        ("data/journal.db", "a second time"),
    ],
)
def test_paths_in_the_manifest_that_lead_elsewhere(bag: Path, path: str, words: str) -> None:
    manifest = bag / "manifest-sha256.txt"
    with manifest.open("a", encoding="utf-8") as file:
        file.write(f"{'0' * 64}  {path}\n")
    assert words in failure(audit_archive(bag))


def test_a_file_that_would_be_fetched_is_none(bag: Path) -> None:
    (bag / "fetch.txt").write_text("http://192.0.2.1/x 1 data/x\n", encoding="utf-8")
    assert "'fetch.txt' is in no manifest" in failure(audit_archive(bag))


@pytest.mark.parametrize("name", ["data/documents/notulensi.pdf", "data/VERIFY.txt", "bagit.txt"])
def test_huge_files_are_not_read(bag: Path, name: str) -> None:
    with (bag / name).open("r+b") as file:
        file.truncate(1 << 40)  # a terabyte of nothing: reading it would take an hour
    words = failure(audit_archive(bag))
    assert "not opened" in words or "is larger than" in words, words


# What follows needs a forger who makes the whole chain of hashes right again.


def cut(count: int) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        del entries[-count:]

    return change


@pytest.mark.parametrize("count", [1, 2, 3, 6, 12, 20])
def test_a_journal_cut_short(bag: Path, count: int) -> None:
    forge(bag, cut(count))
    report = audit_archive(bag)
    assert any("cut short" in c.detail for c in report.checks if not c.ok), report.checks


def evidence_changed(entries: Entries) -> None:
    chosen = next(e for e in reversed(entries) if e["kind"] == "host.outcome")
    chosen["body"]["evidence"]["facts"]["kernel"] = "9.9.9"


def statement_without_documents(entries: Entries) -> None:
    chosen = next(e for e in reversed(entries) if e["kind"] == "gate.signed")
    said = json.loads(chosen["body"]["statement"]) | {"documents": {}}
    chosen["body"]["statement"] = canonical_json(said)


def statement_with_a_key_twice(entries: Entries) -> None:
    body = next(e for e in reversed(entries) if e["kind"] == "gate.signed")["body"]
    body["statement"] = body["statement"].replace('{"', '{"cycle":"2026-11","', 1)


def document_elsewhere(entries: Entries) -> None:
    chosen = next(e for e in reversed(entries) if e["kind"] == "document.rendered")
    chosen["body"]["name"] = "../../outside.pdf"


def verdict_changed(entries: Entries) -> None:
    chosen = next(e for e in entries if e["kind"] == "host.verdict")
    chosen["body"]["verdict"] = "updated"


def signature_removed(entries: Entries) -> None:
    entries.remove(next(e for e in entries if e["kind"] == "gate.signed" and e["step"] == 10))


def gate_passed_without(entries: Entries) -> None:
    place = next(n for n, e in enumerate(entries) if e["kind"] == "gate.signed" and e["step"] == 4)
    entries[place] |= {"kind": "step.passed", "body": {}}


def entries_swapped(entries: Entries) -> None:
    place = next(n for n, e in enumerate(entries) if e["kind"] == "phase.started")
    entries[place], entries[place + 1] = entries[place + 1], entries[place]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (evidence_changed, "(replay)"),
        (statement_without_documents, "does not name laporan-hasil-update-draf.pdf"),
        (statement_with_a_key_twice, "the statement is not canonical"),
        (document_elsewhere, "no plain file name"),
        (verdict_changed, "(replay)"),
        (signature_removed, "the open gate is step 10"),
        (gate_passed_without, "step 4 passes by signature only"),
        (entries_swapped, "is not allowed"),
    ],
)
def test_a_journal_made_anew(bag: Path, change: Callable[[Entries], None], words: str) -> None:
    forge(bag, change)
    found = failure(audit_archive(bag))
    assert words in found and "journal entry" in found, found


def test_facts_that_do_not_follow_from_the_evidence(bag: Path) -> None:
    """Even where every signature were the forger's own, verdicts and plan must follow."""

    def change(entries: Entries) -> None:
        after_verdicts = next(n for n, e in enumerate(entries) if e["kind"] == "host.verdict")
        entries[after_verdicts]["body"] = {"verdict": "updated", "reason": "all is well"}
        del entries[after_verdicts + 1 :]

    forge(bag, change)
    found = {c.name: c for c in audit_archive(bag).checks}
    check = found["verdicts: each follows from the evidence"]
    assert not check.ok and "is recorded as updated (all is well), the evidence says" in (
        check.detail
    )


def test_a_plan_with_an_item_that_no_check_found(bag: Path) -> None:
    def change(entries: Entries) -> None:
        made = next(n for n, e in enumerate(entries) if e["kind"] == "plan.made")
        part = entries[made - 1]
        assert (part["kind"], part["host"]) == ("plan.part", "localhost")
        extra = {"class": "system", "name": "backdoor", "number": 1, "host": "localhost"}
        body = part["body"]
        body["items"] = [extra, *({**i, "number": n} for n, i in enumerate(body["items"], 2))]
        plan = entries[made]["body"]["plan"]
        whole = Whole.model_validate({**plan, "items": body["items"]})
        entries[made]["body"]["id"] = whole.plan().id
        del entries[made + 1 :]

    forge(bag, change)
    found = {c.name: c for c in audit_archive(bag).checks}
    check = found["plan: every item is in the evidence of its host's check"]
    assert not check.ok and "backdoor on localhost" in check.detail


def insert(bag: Path, change: Callable[[list[Any]], None]) -> None:
    """Write the rows of journal.db anew, after `change` of the second one."""
    path = bag / "data/journal.db"
    with closing(sqlite3.connect(path)) as db:
        rows = [list(r) for r in db.execute("SELECT * FROM entry ORDER BY seq")]
        schema = [r[0] for r in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    change(rows[1])
    path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        for statement in schema:
            db.execute(statement)
        db.executemany(INSERT, rows)
    retag(bag)


def key_twice(row: list[Any]) -> None:
    row[6] = row[6].replace("{", '{"phase":"check",', 1)


def not_a_number(row: list[Any]) -> None:
    row[6] = '{"a":NaN}'


def deep(row: list[Any]) -> None:
    row[6] = "[" * 200_000


def binary(row: list[Any]) -> None:
    row[1] = b"2026"


def no_object(row: list[Any]) -> None:
    row[6] = "[]"


@pytest.mark.parametrize("change", [key_twice, not_a_number, deep, binary, no_object])
def test_rows_that_are_no_entries(bag: Path, change: Callable[[list[Any]], None]) -> None:
    insert(bag, change)
    assert "journal: hash chain: journal entry 2: unreadable" in failure(audit_archive(bag))


def test_a_database_that_would_never_end(bag: Path) -> None:
    path = bag / "data/journal.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "CREATE VIEW entry AS WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 "
            "FROM n) SELECT seq, '' at, '' kind, 1 step, '' actor, '' host, '' body, '' prev, "
            "'' hash FROM n"
        )
    retag(bag)
    assert "another structure than a journal" in failure(audit_archive(bag))


@pytest.mark.parametrize("name", ["cycle.json", "office.json", "plan.json"])
def test_a_key_that_stands_twice_in_the_data(bag: Path, name: str) -> None:
    path = bag / "data" / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{", '{"cycle":"2026-11",', 1), encoding="utf-8")
    retag(bag)
    assert f"{name} is what the journal says" in failure(audit_archive(bag))


def test_a_line_more_in_bag_info(bag: Path) -> None:
    with (bag / "bag-info.txt").open("a", encoding="utf-8") as file:
        file.write("Retention-Years: 1\n")
    retag(bag)
    assert "bag-info.txt is what the journal says" in failure(audit_archive(bag))


def test_two_archives_of_one_cycle(months: LocalOffice, bag: Path) -> None:
    with (bag / "data/VERIFY.txt").open("a", encoding="utf-8") as file:
        file.write("x")
    retag(bag)
    both = audit_chain([bag, months.home / "archive/2026/2026-11"])
    assert "two different archives of this cycle" in failure(both)


def test_an_archive_that_names_none_before_it(months: LocalOffice, bag: Path) -> None:
    def change(entries: Entries) -> None:
        entries[0]["body"] |= {"previous_cycle": "", "previous_manifest": ""}

    forge(bag, change)
    assert "another cycle's plan" in failure(audit_archive(bag)), "the plan names the first entry"


def test_interrupted_archives_are_not_looked_at(months: LocalOffice, tmp_path: Path) -> None:
    shutil.copytree(months.home / "archive", tmp_path / "archive")
    shutil.copytree(tmp_path / "archive/2026/2026-11", tmp_path / "archive/2026/.2026-11.partial")
    assert [p.name for p in archives_in([tmp_path / "archive"])] == [
        "2026-10", "2026-11", "2026-12",
    ]  # fmt: skip


def test_whatever_stands_in_a_journal_the_audit_ends_with_a_word(bag: Path) -> None:
    """Values of every kind at random places, the chain made right: no surprise, and found."""
    chance = random.Random(4)
    values = [None, True, -1, 10**30, 1.5, "", "x" * 5000, [], {}, [[]], {"a": {}}, "\ud800"]
    good = journal_of(bag)
    for _ in range(60):
        entries = json.loads(json.dumps(good))
        entry = chance.choice(entries)
        place: Any = chance.choice([entry, entry["body"], entry["body"]])
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = chance.choice(keys)
            if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.6:
                place = place[key]
                continue
            if key not in ("seq", "prev", "hash"):
                place[key] = chance.choice(values)
            break
        last = max(n for n, e in enumerate(good) if e["kind"] == "gate.signed")
        covered = entries[: last + 1] != good[: last + 1]  # by signatures
        try:
            forge(bag, lambda old, new=entries: old.__setitem__(slice(None), new))  # type: ignore[misc]
        except (OverflowError, sqlite3.Error, ValueError):
            continue  # it cannot even be written
        report = audit_archive(bag)
        assert not (covered and report.ok)
