"""The archive of real months: what lies in it, how it is audited anywhere, and the chain."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import bagit

from orchestrator.archive.audit import audit_archive
from orchestrator.archive.trust import read_trusted
from orchestrator.model.canonical import sha256_hex
from tests.cli import SOP_RUN, Called, sop_run
from tests.local.conftest import ROLES, LocalOffice
from tests.local.months import copy_of

MIDDLE = "2026-11"


def archive(office: LocalOffice, cycle: str = MIDDLE) -> Path:
    return office.home / "archive" / cycle[:4] / cycle


def officers_file(office: LocalOffice, path: Path, *, named: bool = True) -> Path:
    """The officers' public keys, as an auditor collects them."""
    lines = []
    for role in ROLES:
        public = office.key(role).with_suffix(".pub").read_text(encoding="utf-8").strip()
        lines.append(f"{role} {public}\n" if named else f"{public}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_everything_of_step_12_lies_in_the_archive(months: LocalOffice) -> None:
    bag = archive(months)
    bagit.Bag(str(bag)).validate()
    facts = json.loads((bag / "data/cycle.json").read_text(encoding="utf-8"))
    assert facts["schema"] == "sop-run/cycle/1" and facts["cycle"] == MIDDLE
    assert [s["state"] for s in facts["steps"]] == ["passed"] * 11 + ["open", "waiting"]
    assert all(s["standard_minutes"] for s in facts["steps"][1:12])
    assert facts["hosts"][0]["name"] == "localhost" and facts["hosts"][0]["verdict"]
    assert facts["plan_id"] == sha256_hex((bag / "data/plan.json").read_bytes())
    assert facts["plan"]["revision"] == facts["revision"] == 2
    assert {o["revision"] for o in facts["outcomes"]} == {1, 2}
    assert facts["order"]["wave"] == 10
    assert facts["classification"] == {
        "code": "000.0.0", "nature": "Terbatas", "retention_years": 5,
        "keep_until": f"{int(facts['journal']['last_at'][:4]) + 5}-12-31",
    }  # fmt: skip
    # Two gates were sent back and signed again: all of that is kept.
    names = sorted(p.name for p in (bag / "data/signatures").glob("*.json"))
    assert [n.split("-", 1)[1].removesuffix(".json") for n in names] == [
        "step-03-analis-return", "step-03-analis-sign", "step-04-kepala-sign",
        "step-08-pengelola-sign", "step-08-analis-sign", "step-10-jf-return", "step-10-jf-sign",
        "step-11-kepala-sign",
    ]  # fmt: skip
    assert [s["file"] for s in facts["signatures"]] == [f"signatures/{n[:-5]}" for n in names]
    earlier = {p.name[5:] for p in (bag / "data/earlier").iterdir()}
    assert earlier == {
        "laporan-hasil-pengecekan.xlsx", "laporan-hasil-pengecekan.pdf",
        "laporan-hasil-update-draf.pdf", "laporan-hasil-update-draf.docx",
    }  # fmt: skip
    assert {d["name"] for d in facts["documents"] if d["current"]} == {
        p.name for p in (bag / "data/documents").iterdir()
    }
    info = (bag / "bag-info.txt").read_text(encoding="utf-8")
    assert "Previous-Cycle: 2026-10\n" in info and "Keep-Until: " in info
    signers = (bag / "data/allowed_signers").read_text(encoding="utf-8")
    assert signers.count('namespaces="sop-run/gate/1"') == 4
    assert 'valid-after="20200101"' in signers and 'valid-before="' in signers


def test_an_audit_elsewhere_needs_the_folder_alone(months: LocalOffice, tmp_path: Path) -> None:
    """Another machine: no inventory, no home folder, a folder that nothing can be written to."""
    copy = tmp_path / "copy"
    shutil.copytree(archive(months), copy)
    keys = officers_file(months, tmp_path / "officers.pub")
    before = {p: p.stat().st_mtime_ns for p in [copy, *copy.rglob("*")]}
    words = [str(SOP_RUN), "audit", str(copy), "--keys", str(keys)]
    if os.geteuid() == 0:  # root writes where it likes, except on a read-only mount
        script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
        words = ["unshare", "--mount", "sh", "-c", script, "sh", str(copy), *words]
    else:
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o555)
    (tmp_path / "empty").mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "empty"), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        words, cwd=tmp_path / "empty", env=env, capture_output=True, text=True, check=False
    )
    called = Called(done.returncode, done.stdout, done.stderr)
    assert called.code == 0 and "Everything holds" in called.out, called.text
    assert "compare them with" not in called.out
    assert {p: p.stat().st_mtime_ns for p in [copy, *copy.rglob("*")]} == before
    assert not list((tmp_path / "empty").iterdir())


def test_an_audit_says_what_it_checked(months: LocalOffice) -> None:
    called = sop_run("audit", archive(months), "--json")
    assert called.code == 0, called.text
    checks = {c["name"]: c["detail"] for c in json.loads(called.out)}
    for wanted in (
        "bag: plain files only, each one listed",
        "journal: hash chain",
        "procedure: every entry is allowed where it stands",
        "plan: every item is in the evidence of its host's check",
        "work: all of it was done for the plan that was signed",
        "verdicts: each follows from the evidence",
        "journal.jsonl is the same journal",
        "cycle.json is what the journal says",
        "bag-info.txt is what the journal says",
        "bag: every file is there and unchanged",
    ):
        assert wanted in checks
    assert sum(name.startswith("signature: ") for name in checks) == 8
    plain = sop_run("audit", archive(months))
    assert "key SHA256:" in plain.out and "compare them with the officers' own" in plain.out


def test_keys_of_the_officers_themselves(months: LocalOffice, tmp_path: Path) -> None:
    bag = archive(months)
    for named in (True, False):
        keys = officers_file(months, tmp_path / "keys", named=named)
        assert audit_archive(bag, read_trusted(keys)).ok
    text = keys.read_text(encoding="utf-8").splitlines()
    keys.write_text("\n".join(text[1:]) + "\n", encoding="utf-8")
    called = sop_run("audit", bag, "--keys", keys)
    assert called.code == 1 and "not among the trusted ones" in called.out
    # Each key is trusted, but as another officer's.
    lines = [f"{r} {k}" for r, k in zip(ROLES, reversed(text), strict=True)]
    keys.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert not audit_archive(bag, read_trusted(keys)).ok
    for bad in ("", "nonsense\n"):
        keys.write_text(bad, encoding="utf-8")
        called = sop_run("audit", bag, "--keys", keys)
        assert called.code == 2 and "no public key" in called.err


def test_a_chain_of_months_holds(months: LocalOffice) -> None:
    called = sop_run("audit", months.home / "archive")
    assert called.code == 0, called.text
    for wanted in (
        "chain: what 2026-10 says of the archive before it: it names none: the chain begins here",
        "chain: what 2026-11 says of the archive before it: 2026-10, manifest ",
        "chain: what 2026-12 says of the archive before it: 2026-11, manifest ",
    ):
        assert wanted in called.out
    both = sop_run("audit", archive(months, "2026-12"), archive(months), "--json")
    assert both.code == 0
    checks = json.loads(both.out)
    assert {c["archive"] for c in checks} == {"2026-11", "2026-12", ""}
    assert any("2026-10 is older than the archives given" in c["detail"] for c in checks)
    nothing = sop_run("audit", months.inventory, archive(months))
    assert nothing.code == 2 and "is no archive folder and holds none" in nothing.err


def test_a_missing_month_is_named(months: LocalOffice, tmp_path: Path) -> None:
    year = tmp_path / "archive/2026"
    shutil.copytree(months.home / "archive/2026", year)
    shutil.rmtree(year / MIDDLE)
    called = sop_run("audit", tmp_path / "archive")
    assert called.code == 1
    assert "2026-12 says of the archive before it: 2026-11 is missing" in called.out


def test_a_replaced_month_is_named(
    months: LocalOffice, forged_month: LocalOffice, tmp_path: Path
) -> None:
    """The forger made a whole cycle of the same name, which is in order by itself."""
    year = tmp_path / "archive/2026"
    shutil.copytree(months.home / "archive/2026", year)
    shutil.rmtree(year / MIDDLE)
    copy_of(archive(forged_month), year)
    assert audit_archive(year / MIDDLE).ok
    called = sop_run("audit", tmp_path / "archive")
    assert called.code == 1 and "2026-11 was replaced: its manifest has" in called.out
    keys = officers_file(months, tmp_path / "officers.pub")
    called = sop_run("audit", year / MIDDLE, "--keys", keys)
    assert called.code == 1 and "not among the trusted ones" in called.out


def test_swapped_archives_are_named(months: LocalOffice, tmp_path: Path) -> None:
    one, other = archive(months, "2026-10"), archive(months, "2026-12")
    shutil.copytree(one, tmp_path / "2026/2026-12")
    shutil.copytree(other, tmp_path / "2026/2026-10")
    called = sop_run("audit", tmp_path)
    assert called.code == 1
    assert "the folder 2026-10 holds the archive of cycle 2026-12" in called.out
    # In place, the journal of the cycle knows better, too.
    office = tmp_path / "office"
    shutil.copytree(months.folder, office)
    place = LocalOffice(office)
    shutil.rmtree(archive(place, "2026-10"))
    shutil.copytree(other, archive(place, "2026-10"))
    called = place.run("audit", "2026-10")
    assert called.code == 1 and "First failure: archive: manifest hash is the one" in called.out


def test_the_same_archive_is_made_again(months: LocalOffice, tmp_path: Path) -> None:
    shutil.copytree(months.folder, tmp_path / "office")
    office = LocalOffice(tmp_path / "office")
    shutil.rmtree(archive(office))
    called = office.run("archive", MIDDLE)
    assert called.code == 0 and "made again, the same as recorded" in called.out, called.text
    assert office.run("audit", MIDDLE).code == 0


def test_a_document_that_was_changed_is_not_archived(months: LocalOffice, tmp_path: Path) -> None:
    shutil.copytree(months.folder, tmp_path / "office")
    office = LocalOffice(tmp_path / "office")
    shutil.rmtree(archive(office))
    path = office.home / "cycles" / MIDDLE / "documents/notulensi.pdf"
    path.write_bytes(path.read_bytes() + b"x")
    called = office.run("archive", MIDDLE)
    assert called.code == 4 and "notulensi.pdf is not the document on record" in called.err
    assert not archive(office).exists()
