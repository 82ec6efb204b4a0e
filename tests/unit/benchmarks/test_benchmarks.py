"""The benchmark's own sums, tables and comparisons, without hosts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import run
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import results
from benchmarks.compare import changes_agree, checks_agree
from benchmarks.contenders import CHANGE, CHECK
from benchmarks.documents import DOCUMENTS
from benchmarks.main import due
from benchmarks.plot import Series, bars, lines, picture
from benchmarks.report import PAGE, put, targets_table
from benchmarks.results import Measurement
from benchmarks.targets import Judged, judge_change, judge_check, judge_documents
from orchestrator.model.errors import CannotRunError

ROOT = Path(__file__).resolve().parents[3]


def cost(wall: float, kb: float = 80_000) -> dict[str, float]:
    return {"wall_s": wall, "cpu_s": 1.0, "controller_kb": kb, "largest_kb": kb}


def test_a_part_measured_again_replaces_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "machine", lambda: {"processor": "x"})
    results.keep("check", [Measurement("ssh", 10, cost(3)), Measurement("sop-run", 10, cost(4))])
    results.keep("change", [Measurement("ssh", 3, cost(5))])
    results.keep("check", [Measurement("ssh", 10, cost(w)) for w in (7, 9, 8)])
    assert results.medians("check")["ssh", 10]["wall_s"] == 8
    assert results.medians("check")["ssh", 10]["runs"] == 3
    assert results.medians("check")["sop-run", 10]["wall_s"] == 4
    assert results.medians("change")["ssh", 3]["wall_s"] == 5
    monkeypatch.setattr(results, "machine", lambda: {"processor": "y"})
    results.keep("check", [Measurement("ssh", 50, cost(6))])
    assert set(results.medians("check")) == {("ssh", 50)}, "another machine's are dropped"
    assert ("ssh", 3) in results.medians("change")


def test_targets_are_judged_by_ratios_of_one_run() -> None:
    found = {
        ("sop-run", 50): cost(10), ("ssh", 50): cost(8), ("tuned", 50): cost(110),
        ("sop-run", 500): cost(120, 190_000),
    }  # fmt: skip
    judged = {(one.target, one.hosts): one for one in judge_check(found)}
    assert judged["check, beside bare SSH", "50"].met
    slow = judged["check, faster than a tuned playbook", "50"]
    assert (slow.met, round(slow.by)) == (False, 8)
    assert not judged["check, cost per host", "500 beside 50"].met
    assert not judged["check, memory of the largest process", "500"].met
    change = {("sop-run", 3): cost(14), ("ssh", 3): cost(3), ("tuned", 3): cost(20)}
    assert [one.met for one in judge_change(change)] == [False, True]


def test_a_missed_target_is_said_plainly() -> None:
    text = targets_table([Judged("t", "3", 14, 13.75, " s"), Judged("u", "3", 1.1, 1.3, "×")])
    assert text.startswith("1 of 2 are met.")
    assert "| t | 3 | 14.0 s | ≤ 13.8 s | **missed** by 2 % |" in text
    assert "| u | 3 | 1.10× | ≤ 1.30× | met |" in text


def test_the_page_has_a_place_for_every_part() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in ("targets", "check", "change"):
        assert "new words" in put(page, name, "new words")
    with pytest.raises(ValueError, match="no markers for other"):
        put(page, "other", "")


def test_long_runs_are_done_less_often() -> None:
    ours, tuned = CHECK[0], next(c for c in CHECK if c.id == "tuned")
    assert [due(ours, 50, n, 3) for n in (1, 2, 3)] == [True, True, True]
    assert [due(ours, 500, n, 3) for n in (1, 2)] == [True, False]
    assert [due(tuned, n, 1, 3) for n in (100, 200)] == [True, False]
    assert {c.id for c in CHANGE} >= {c.id for c in CHECK}


def test_pictures_are_sound() -> None:
    series = [
        Series("a <b>", "#111111", {10: 300.0, 500: 250.0}),
        Series("c", "#222222", {10: 4000.0}),
    ]
    text = picture(
        "words & more", [lines("l", series), bars("b", series, logarithmic=False)], series
    )
    ElementTree.fromstring(text)  # raises where it is not well-formed
    assert "a &lt;b&gt;" in text


def evidence(**more: Any) -> dict[str, Any]:
    items = [{"name": "p", "from": "1", "to": "2", "size": 3, "sha256": "ab"}]
    facts: dict[str, Any] = {
        "hostname": "h", "os": {"id": "debian", "version": "12"}, "kernel": "6", "arch": "x86_64",
        "boot_id": "b", "addresses": ["10.0.0.1", "fe80::1"], "withheld": [], "failed_units": [],
        "without_source": [], "half_configured": [], "reboot_required": False,
        "restart_pending": [], "antivirus": {"engine": ""}, "staged": {"files": 1},
    }  # fmt: skip
    return {"status": "ok", "items": items, "problems": [], "facts": {**facts, **more}}


PYINFRA = {
    "hostname": "h", "os": {"name": "Debian", "major": 12}, "kernel_version": "6", "arch": "x86_64",
    "boot_id": "b\n", "addresses": {"lo": "127.0.0.1", "eth0": "10.0.0.1"}, "reboot": False,
    "pending": "Inst p [1] (2 Debian:12/stable [all])\nConf p (2 Debian:12/stable [all])",
    "offered": "Package: p\nVersion: 2\nSize: 3\nSHA256: ab\n",
    "sources": "", "held": "", "unfinished": "", "failed_units": "", "outdated": None,
    "antivirus": None, "staged": "The following … download only mode",
}  # fmt: skip


def test_documents_are_judged_at_the_size_of_their_targets() -> None:
    spent = {"fold_s": 20.0, "render_s": 30.0, "fold_mb": 90, "peak_mb": 201, "file_mb": 28.2}
    runs = [
        {"contender": name, "hosts": hosts, **spent}
        for hosts in (1000, 10_000)
        for name in DOCUMENTS
    ]
    assert [(j.target, j.measured, j.met) for j in judge_documents(runs)] == [
        ("journal to check list", 50.0, True),
        ("check list, memory", 201, False),
        ("report", 30.0, False),
    ]


def test_contenders_must_find_the_same() -> None:
    checks_agree("pyinfra", {"h": PYINFRA}, {"h": evidence()}, ["h"])
    with pytest.raises(CannotRunError, match="pyinfra and sop-run differ on h: held packages"):
        checks_agree("pyinfra", {"h": {**PYINFRA, "held": "q"}}, {"h": evidence()}, ["h"])
    failed = {**evidence(), "status": "failed", "problems": ["why"]}
    with pytest.raises(CannotRunError, match="why"):
        checks_agree("ssh", {"h": failed}, {"h": evidence()}, ["h"])


def test_hosts_must_be_the_same_after_a_change() -> None:
    changes_agree("ssh", {"a": ["p 2 ii"]}, ["p 2 ii"])
    with pytest.raises(CannotRunError, match="after ssh, a differs"):
        changes_agree("ssh", {"a": ["p 1 ii"]}, ["p 2 ii"])


def test_what_a_command_leaves_running_counts_and_ends(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nopen('burnt', 'w')\ntime.sleep(60)"
    script = f'setsid {sys.executable} -c "{burn}" & while ! test -e burnt; do sleep 0.05; done'
    script += "; echo said; exit 3"
    program = ROOT / "benchmarks/process_tree.py"
    command = [sys.executable, "-I", program, "20", tmp_path / "said", "sh", "-c", script]
    done = run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (found["code"], (tmp_path / "said").read_text()) == (3, "said\n")
    assert found["cpu_s"] >= 0.3
    assert found["wall_s"] < 20
