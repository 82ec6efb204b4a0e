"""Faults 1, 2, 18 and 23: whatever ends the program or cuts the line, nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.journal.book import read_state
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.evidence import OutcomeKind, Phase
from orchestrator.model.verdict import Verdict
from tests.cli import SOP_RUN, Called, sop_run

pytestmark = pytest.mark.lab
CYCLE = "2026-11"
TRANSACTIONS = "/var/lib/sop-run/transactions"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab.up(
        tmp_path / "lab",
        [HostSpec("web01", "full", "clean"), HostSpec("sec01", "full", "security")],
        print,
    )
    try:
        yield made
    finally:
        made.down()


def ordered(lab: Lab, home: Path) -> list[str]:
    """A cycle up to the order; returns the words of the command that goes on."""
    words = ["monthly", "--period", CYCLE, "--inventory", str(lab.inventory), "--home", str(home)]
    assert sop_run(*words).code == 3
    for officer in ("analis", "kepala"):
        sign(lab, home, officer)
    return words


def sign(lab: Lab, home: Path, officer: str) -> Called:
    called = sop_run(
        "sign", CYCLE, "--as", officer, "--key", lab.officer_key(officer),
        "--inventory", lab.inventory, "--home", home,
    )  # fmt: skip
    assert called.code in (0, 3), called.text
    return called


def wait_for(condition: str, lab: Lab, host: str, seconds: float = 60) -> None:
    """Wait until a shell condition holds on the host."""
    deadline = time.monotonic() + seconds
    while lab.run(host, ["sh", "-c", condition]).returncode != 0:
        assert time.monotonic() < deadline, f"{host}: {condition} never came true"
        time.sleep(0.1)


def upgrades(lab: Lab, host: str) -> list[str]:
    """The upgrades that dpkg did since the host was made, each package as often as it was done."""
    log = lab.run(host, ["grep", "-h", " upgrade ", "/var/log/dpkg.log"]).stdout
    return [line.split()[3] for line in log.splitlines()]


def begun(words: list[str], lab: Lab) -> subprocess.Popen[str]:
    """The command, in the middle of sec01's update."""
    running = subprocess.Popen(
        [str(SOP_RUN), *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    wait_for("grep -qs ' upgrade ' /var/log/dpkg.log", lab, "sec01")
    return running


def test_killed_in_the_middle_of_an_update_and_run_again(lab: Lab, tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = ordered(lab, home)
    (tmp_path / "tmp").mkdir()
    running = subprocess.Popen(
        [str(SOP_RUN), *words], start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for("grep -qs ' upgrade ' /var/log/dpkg.log", lab, "sec01")
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    again = sop_run(*words)
    assert again.code == 3, again.text
    verdicts = read_state(home / "cycles" / CYCLE).verdicts
    assert {v.verdict for v in verdicts.values()} == {Verdict.UPDATED}, verdicts
    for host in ("web01", "sec01"):
        done = upgrades(lab, host)
        assert done and len(done) == len(set(done)), f"{host}: installed twice: {done}"


def test_asked_to_stop_in_the_middle_of_an_update(lab: Lab, tmp_path: Path) -> None:
    """Fault 35: the phase is brought to its end and recorded, then the program stops."""
    home = tmp_path / "home"
    words = ordered(lab, home)
    running = begun(words, lab)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 4 and "stopped at a safe boundary" in output, output
    state = read_state(home / "cycles" / CYCLE)
    update = state.last("sec01", Phase.UPDATE)
    assert update is not None and update.kind is OutcomeKind.EVIDENCE, "it was not cut short"
    assert state.last("sec01", Phase.TEST) is None
    again = sop_run(*words)
    assert again.code == 3, again.text
    verdicts = read_state(home / "cycles" / CYCLE).verdicts
    assert {v.verdict for v in verdicts.values()} == {Verdict.UPDATED}, verdicts


def test_line_cut_in_the_middle_of_an_update(lab: Lab, tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = ordered(lab, home)
    running = begun(words, lab)
    lab.cut("sec01")
    wait_for(f"ls {TRANSACTIONS}/*/receipt.json | grep -c . | grep -qv '^1$'", lab, "sec01")
    lab.mend("sec01")
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 3, output
    verdicts = read_state(home / "cycles" / CYCLE).verdicts
    assert verdicts["sec01"].verdict is Verdict.UPDATED, output
    done = upgrades(lab, "sec01")
    assert done and len(done) == len(set(done))


def test_another_journal_of_the_same_month_does_its_own_work(lab: Lab, tmp_path: Path) -> None:
    """The host keeps receipts; set back since, it must not answer a new journal with an old one."""
    for home in (tmp_path / "first", tmp_path / "second"):
        words = ordered(lab, home)
        assert sop_run(*words).code == 3
        state = read_state(home / "cycles" / CYCLE)
        assert state.verdicts["web01"].verdict is Verdict.UPDATED, state.verdicts
        assert state.items_of("web01"), "there was something to do in both"
        version = lab.run("web01", ["dpkg-query", "-W", "-f=${Version}", "lab-web"]).stdout
        assert version == "1.1"
        back = ["apt-get", "-y", "-q", "--allow-downgrades", "install", "lab-web=1.0"]
        assert lab.run("web01", back, timeout=120).returncode == 0
    assert upgrades(lab, "web01") == ["lab-web:all"] * 4  # up and, in dpkg's word too, back, twice
