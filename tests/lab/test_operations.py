"""Everyday work on real hosts: dry runs, a few hosts at any hour, and going back by an order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from orchestrator.journal.book import read_state
from orchestrator.lab.lab import Lab
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict
from tests.lab.asked import ask, send, sh
from tests.lab.left import left_overs
from tests.lab.month import set_variables
from tests.lab.operations import DRY, HOSTS, I01, I02, I03, I04, KEPT, MONTH, TOOL, Story, tell
from tests.lab.trees import Tree, differences, tree

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A month as it may go, told once; the tests below look at what it left behind."""
    folder = tmp_path_factory.mktemp("operations")
    lab = Lab.up(folder / "lab", HOSTS, print)
    try:
        made = Story(lab, folder / "home")
        set_variables(lab, "kept01", backup_method="packages")
        sh(lab, "web01", TOOL)
        tell(made, folder)
        yield made
    finally:
        lab.down()
    assert left_overs(lab.state.prefix, lab.directory) == []


def test_exit_codes_tell_where_everything_stands(story: Story) -> None:
    codes = {n: c.code for n, c in story.calls.items() if "-" not in n}
    assert codes == {
        "dry": 0, "dry bad": 1, "check": 3, "urgent": 3, "urgent again": 3, "urgent locked": 4,
        "urgent change": 3, "urgent close": 0, "change": 3, "restore by analis": 2,
        "restore open": 3, "close": 0, "restore overtaken": 2, "restore closed": 3,
        "restore close": 0, "restore kept01": 3, "restore kept01 close": 0, "restore twice": 2,
        "restore gone": 3,
    }, "\n".join(c.text for c in story.calls.values())  # fmt: skip


# ---- dry runs


@pytest.mark.parametrize("host", DRY)
def test_a_dry_run_changes_nothing_on_a_host(story: Story, host: str) -> None:
    assert set(story.trees[f"dry {host}"]) == set()


def dry_run(story: Story) -> tuple[dict[str, Any], Path]:
    found = json.loads(story.calls["dry"].out)
    assert isinstance(found, dict)
    return found, Path(found["documents"][0]).parent


def test_a_dry_run_says_what_would_be_done_and_by_which_way_back(story: Story) -> None:
    facts, documents = dry_run(story)
    assert set(facts["hosts"].values()) == {"ready"}, facts["reasons"]
    assert (facts["dry_run"], facts["exit_code"], facts["cycle"]) == (True, 0, MONTH)
    state = read_state(documents.parent)
    ways = {}
    for host in state.hosts:
        outcome = state.last(host, Phase.REHEARSE)
        evidence = outcome.read() if outcome else None
        assert evidence is not None
        assert {p["part"]: p["result"] for p in evidence.facts["parts"]} == dict.fromkeys(
            ("preflight", "backup", "update", "baseline"), "passed"
        ), (host, evidence.problems)
        assert {i.result for i in evidence.items} == {"possible"}
        named = {(r["name"], r["to"]) for r in evidence.facts["simulation"]["upgrades"]}
        assert named == {(i.name, i.to_version) for i in state.items_of(host)}
        ways[host] = evidence.facts["backup"]["method"]
    assert ways == {
        "web01": "btrfs", "kept01": "packages", "snap01": "snapper", "sec01": "btrfs",
        "rpm01": "btrfs", "suse01": "btrfs",
    }  # fmt: skip


def test_a_dry_run_is_no_cycle(story: Story) -> None:
    facts, documents = dry_run(story)
    assert documents.parent.parent == story.home / "dry-runs"
    assert story.state(MONTH).previous_cycle == "" and not facts["archive_manifest"]
    listed = json.loads(story.call("status", "status", "--json").out)
    assert next(c["cycle"] for c in listed) == MONTH


def test_documents_of_a_dry_run_are_marked(story: Story) -> None:
    _, documents = dry_run(story)
    assert {p.name for p in documents.iterdir()} == {
        "laporan-hasil-pengecekan.xlsx", "lembar-pemantauan.pdf",
    }  # fmt: skip
    for page in PdfReader(documents / "lembar-pemantauan.pdf").pages:
        text = page.extract_text()
        assert "UJI COBA" in text and "TIDAK BERLAKU" in text
    for sheet in load_workbook(documents / "laporan-hasil-pengecekan.xlsx"):
        assert "UJI COBA" in str(sheet.oddHeader.center.text)
        cells = " ".join(str(c.value) for row in sheet.iter_rows(max_row=9) for c in row)
        assert "DOKUMEN UJI COBA" in cells, sheet.title
    real = story.home / "cycles" / MONTH / "documents"
    for page in PdfReader(real / "lembar-pemantauan.pdf").pages:
        assert "UJI COBA" not in page.extract_text()


@pytest.mark.parametrize("phase", ["backup", "update", "antivirus", "restore", "test"])
def test_hosts_refuse_to_be_changed_by_a_dry_run(story: Story, phase: str) -> None:
    before = tree(story.lab, "snap01")
    request: dict[str, Any] = {"transaction": "0" * 32, "rehearsal": True}
    answer = ask(story.lab, "snap01", phase, {}, **request)
    assert (answer["status"], answer["problems"][0]["code"]) == ("refused", "rehearsal-only")
    assert differences(before, tree(story.lab, "snap01")) == set()
    assert send(story.lab, "snap01", phase, {}, **{**request, "rehearsal": "no"}).returncode == 0
    assert differences(before, tree(story.lab, "snap01")) == set()


def cases(path: Path) -> dict[tuple[str, str], str]:
    """(host, name) → passed, failure, error or skipped."""
    suite = Xml.parse(path).getroot()[0]
    found = {
        (case.get("classname", ""), case.get("name", "")): next(iter(case)).tag
        if len(case)
        else "passed"
        for case in suite
    }
    counted = {
        kind: str(list(found.values()).count(kind)) for kind in ("failure", "error", "skipped")
    }
    assert counted == {
        k: suite.get(a)
        for k, a in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped"))
    }
    assert suite.get("tests") == str(len(found))
    return found


def test_junit_has_one_case_for_each_host_and_phase(story: Story) -> None:
    dry = cases(story.home.parent / "dry.xml")
    names = [
        "check",
        *(f"rehearse {p}" for p in ("preflight", "backup", "update", "baseline")),
        "verdict",
    ]
    assert dry == {(host, name): "passed" for host in DRY for name in names}
    bad = cases(story.home.parent / "bad.xml")
    assert bad == {
        **{("kept01", name): "passed" for name in names},
        **{("kept01", name): "failure" for name in ("rehearse backup", "verdict")},
        **{("far01", name): "skipped" for name in names},
        ("far01", "check"): "error",
        ("far01", "verdict"): "failure",
    }
    assert "backup_method is lvm, but" in story.calls["dry bad"].out
    real = cases(story.home.parent / "month.xml")
    assert {name for host, name in real if host == "web01"} == {
        "check", "backup", "update", "test", "verdict",
    }  # fmt: skip
    assert set(real.values()) == {"passed"}


# ---- a few hosts at once


def test_a_remediation_holds_what_was_asked_for_and_counts_the_rest(story: Story) -> None:
    state = story.state(I01)
    assert {(i.host, i.name) for i in state.plan.items} == {  # type: ignore[union-attr]
        ("kept01", "lab-web"), ("web01", "lab-web"),
    }  # fmt: skip
    assert (state.kind, state.reason) == ("incidental", "CVE-2026-1 dipakai")
    assert story.verdict(I01, "web01") == ("updated", "1 items, tests passed")
    book = load_workbook(story.home / "cycles" / I01 / "documents/laporan-hasil-pengecekan.xlsx")
    cells = {str(c.value) for row in book.worksheets[0].iter_rows() for c in row if c.value}
    assert "Butir di luar lingkup siklus ini: 1" in cells
    assert "Lingkup butir: paket lab-web" in cells
    assert "Alasan kegiatan insidental: CVE-2026-1 dipakai" in cells
    report = PdfReader(story.home / "cycles" / I01 / "documents/laporan-hasil-update.pdf")
    text = " ".join(" ".join(p.extract_text() for p in report.pages).split())
    assert "KEGIATAN INSIDENTAL KE-1" in text and "CVE-2026-1 dipakai" in text


def test_the_same_call_goes_on_with_its_cycle(story: Story) -> None:
    assert "going on with cycle" in story.calls["urgent again"].err
    assert "is being changed by" in story.calls["urgent locked"].err


def test_a_month_that_waited_tells_the_truth_about_what_was_remediated(story: Story) -> None:
    """Its plan still has lab-web 1.1: that was there before, and only lab-tool was left to do."""
    assert story.verdict(MONTH, "kept01")[0] == "nothing-to-do"
    assert story.verdict(MONTH, "web01") == (
        "updated", "2 items, tests passed; 1 of them were in place before",
    )  # fmt: skip
    outcome = story.state(MONTH).last("web01", Phase.UPDATE)
    evidence = outcome.read() if outcome else None
    assert evidence is not None
    assert {i.name: i.result for i in evidence.items} == {
        "lab-web": "unchanged", "lab-tool": "updated",
    }  # fmt: skip


def test_what_the_chosen_updates_need_is_put_forward_with_them(story: Story) -> None:
    """Debian's own packages: one of Python's needs its siblings at the very same version."""
    words = (
        "remediate",
        "sec01",
        "--package",
        "libpython3.11-stdlib",
        "--reason",
        "uji",
        "--dry-run",
    )
    facts = json.loads(story.call("closure", *words, "--json").out)
    assert facts["items"] > 1 and facts["hosts"] == {"sec01": "ready"}, facts


def test_a_cve_that_no_pending_update_names(story: Story) -> None:
    words = (
        "remediate",
        "rpm01",
        "--cve",
        "cve-1999-0001",
        "--reason",
        "uji",
        "--dry-run",
        "--json",
    )
    facts = json.loads(story.call("cve", *words).out)
    assert facts["hosts"] == {"rpm01": "nothing-to-do"} and facts["exit_code"] == 0
    assert facts["selection"]["cves"] == ["CVE-1999-0001"]
    assert "out of this cycle's scope" in facts["reasons"]["rpm01"]


# ---- back by an order


def test_a_host_goes_back_while_its_cycle_is_open(story: Story) -> None:
    assert "a restore is ordered by Kepala" in story.calls["restore by analis"].err
    assert story.verdict(MONTH, "rpm01")[0] == Verdict.RESTORED
    state = story.state(MONTH)
    signed = [(s.step, s.officer) for s in state.signatures if s.step == 8]
    assert signed == [(8, "pengelola"), (8, "analis")], "both signed what is true now"
    assert [o.signature.officer for o in state.restores] == ["kepala"]
    assert set(state.verdicts) == set(state.hosts)
    assert story.rpm("rpm01", "rlab-web") == "1.0"


def test_hosts_go_back_after_their_cycle_was_closed(story: Story) -> None:
    """web01 by its btrfs snapshot: as it was before the month's change, remediation included."""
    assert {h: str(v.verdict) for h, v in story.state(I02).verdicts.items()} == {
        "web01": "restored", "suse01": "restored",
    }  # fmt: skip
    assert story.deb("web01", "lab-tool").startswith("1.0 ii")
    assert story.deb("web01", "lab-web").startswith("1.1 ii")
    report = PdfReader(story.home / "cycles" / I02 / "documents/laporan-hasil-update.pdf")
    text = " ".join(" ".join(p.extract_text() for p in report.pages).split())
    assert f"siklus {MONTH}" in text and "Dikembalikan atas perintah" in text
    state = story.state(I02)
    assert state.source is not None and state.source.cycle == MONTH
    assert state.source.manifest == story.state(MONTH).archive_manifest
    before, after = story.trees["before web01"], story.trees["after web01"]
    changed = {p for p in differences(contents(before), contents(after)) if not p.startswith(KEPT)}
    assert changed == set()


def contents(found: Tree) -> Tree:
    """Without the kernel's times of change: files that are put back are written anew."""
    return {path: facts[:-1] if len(facts) > 4 else facts for path, facts in found.items()}


def test_a_host_goes_back_by_kept_packages(story: Story) -> None:
    assert story.verdict(I03, "kept01")[0] == "restored"
    assert story.deb("kept01", "lab-web").startswith("1.0 ii")
    assert "lab-web 1.0" in sh(story.lab, "kept01", "curl -s http://127.0.0.1:8080/")


def test_the_closed_cycle_and_its_archive_stay_as_they_are(story: Story) -> None:
    for cycle in (MONTH, I01, I02, I03):
        audit = story.call(f"audit-{cycle}", "audit", cycle)
        assert audit.code == 0 and "Everything holds" in audit.out, audit.text
    assert story.verdict(MONTH, "web01")[0] == "updated", "what was true when it was closed"
    archive = story.home / story.state(I02).archive_path / "data/signatures"
    assert [p.name[5:] for p in archive.glob("*-restore.sig")] == ["step-04-kepala-restore.sig"]


def test_what_cannot_be_undone_alone_is_refused(story: Story) -> None:
    assert f"cycle {MONTH} has changed web01 since" in story.calls["restore overtaken"].err
    assert "there is nothing to restore on rpm01" in story.calls["restore twice"].err
    verdict, reason = story.verdict(I04, "suse01")
    assert verdict == "needs-human" and "it was not restored" in reason


def test_wrong_use(story: Story) -> None:
    before = sorted(p.name for p in (story.home / "cycles").iterdir())
    reason = ("--reason", "x")
    wrong = [
        (("remediate",), "name at least one HOST"),
        (("remediate", "web01"), "needs a reason"),
        (("remediate", "nosuch", *reason), "nosuch"),
        (("remediate", "web01", "--cve", " ", *reason), "--cve is empty"),
        (("remediate", "--cycle", "x"), "is not a cycle"),
        (("remediate", "--cycle", MONTH), "is a monthly cycle"),
        (("remediate", "--cycle", f"{MONTH}-i77"), "there is no cycle"),
        (("remediate", "web01", "--cycle", I01), "leave out HOST"),
        (("remediate", "--cycle", I01, "--dry-run"), "is no dry run"),
        (("restore", MONTH, "--as", "kepala", *reason), "name at least one HOST"),
        (("restore", MONTH, "sec01", "--as", "kepala", *reason), "is not in cycle"),
        (("restore", MONTH, "web01", "--as", "nobody", *reason), "no officer 'nobody'"),
        (("restore", MONTH, "web01", "--as", "kepala", "--reason", " "), "needs a reason"),
        (("restore", "2020-01", "web01", "--as", "kepala", *reason), "there is no cycle"),
    ]
    for words, message in wrong:
        called = story.call("wrong-" + " ".join(words), *words)
        assert (called.code, message in called.err) == (2, True), (words, called.text)
    assert sorted(p.name for p in (story.home / "cycles").iterdir()) == before
