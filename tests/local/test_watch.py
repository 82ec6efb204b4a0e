"""`sop-run watch` beside a real cycle: others work on it, it looks on and disturbs nobody."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pexpect
import pytest

from orchestrator.journal.book import read_state
from tests.cli import SOP_RUN
from tests.local.conftest import LocalOffice

PERIOD = ("monthly", "--period", "2026-11")
PATIENCE = 120  # seconds; nothing here takes more than a few, but machines may be busy
OTHER_SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"
CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"


def words(office: LocalOffice, *more: str) -> list[str]:
    watch = ["watch", "2026-11", "--interval", "0.2", *more]
    return [*watch, "--inventory", str(office.inventory)]


@contextmanager
def piped(office: LocalOffice, log: IO[str], *more: str) -> Iterator[subprocess.Popen[str]]:
    """watch as a job runs it: no terminal anywhere."""
    process = subprocess.Popen(
        [str(SOP_RUN), *words(office, *more)],
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def on_terminal(
    office: LocalOffice, *more: str, size: tuple[int, int] = (40, 100), **variables: str
) -> Iterator[pexpect.spawn]:
    """watch as a person sees it."""
    unwanted = ("NO_COLOR", "COLUMNS", "LINES")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted}
    environment |= {"TERM": "xterm-256color", **variables}
    child = pexpect.spawn(
        str(SOP_RUN), words(office, *more),
        env=environment, dimensions=size, timeout=PATIENCE, encoding="utf-8",
    )  # fmt: skip
    try:
        yield child
    finally:
        child.close(force=True)


def begun(office: LocalOffice, process: subprocess.Popen[str]) -> None:
    """Wait until a run has opened the cycle."""
    end = time.monotonic() + PATIENCE
    while not (office.home / "cycles/2026-11/journal.db").exists():
        assert process.poll() is None and time.monotonic() < end, "the run opened no cycle"
        time.sleep(0.02)


def test_looking_on_from_the_first_entry_to_the_gate(
    new_office: LocalOffice, tmp_path: Path
) -> None:
    run = subprocess.Popen(
        [str(SOP_RUN), *PERIOD, "--inventory", str(new_office.inventory)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    begun(new_office, run)
    log = tmp_path / "watch.log"
    with (
        log.open("w") as file,
        piped(new_office, file, "--until-gate") as watch,
        on_terminal(new_office, "--until-gate") as screen,
    ):
        screen.expect_exact(OTHER_SCREEN)
        screen.expect(r"0 of 1 hosts done in \d+ s")
        screen.expect(rf"process {run.pid} works on it")
        told, _ = run.communicate(timeout=PATIENCE)
        assert run.returncode == 3, told
        screen.expect_exact(BACK)
        screen.expect("waits for a signature: step 3, confirm the list")
        screen.expect(pexpect.EOF)
        assert watch.wait(PATIENCE) == 3
        screen.wait()
        assert screen.exitstatus == 3
    text = log.read_text()
    assert f"process {run.pid} works on it" in text
    assert re.search(r"\[ 1/1\] localhost check ok$", text, re.MULTILINE), text
    assert re.search(r"step 2, check: passed, took \S+ min, standard 120 min", text), text
    assert "\x1b" not in text, "a log gets no colours"
    assert "sign 2026-11 --as analis" in text
    state = read_state(new_office.home / "cycles/2026-11")
    assert [r.phase for r in state.runs] == ["check"], "the run was not disturbed"


def test_looking_on_while_others_bring_the_cycle_to_its_end(
    local_office: LocalOffice, tmp_path: Path
) -> None:
    log = tmp_path / "watch.log"
    with log.open("w") as file, piped(local_office, file) as watch:
        narrow = on_terminal(local_office, size=(24, 60))
        with narrow as screen:
            screen.expect("Waits for Analis")
            assert local_office.sign("analis", *local_office.defer_all()).code == 3
            screen.expect("Waits for Kepala")
            assert local_office.sign("kepala").code == 0
            assert local_office.run(*PERIOD).code == 3
            for officer, code in (("pengelola", 3), ("analis", 3), ("jf", 3), ("kepala", 0)):
                called = local_office.sign(officer)
                assert called.code == code, called.text
            assert local_office.run(*PERIOD).code == 0
            screen.expect_exact(BACK)
            screen.expect("Cycle 2026-11 is closed on ")
            screen.expect(pexpect.EOF)
            screen.wait()
            assert screen.exitstatus == 0
        assert watch.wait(PATIENCE) == 0
    text = log.read_text()
    for step in range(3, 14):
        assert re.search(rf"step {step}, [a-z ]+: passed", text), text
    for officer, step in (("analis", 3), ("kepala", 4), ("pengelola", 8), ("jf", 10)):
        assert f"step {step} signed by {officer}" in text
    assert re.search(r"localhost deferred: ", text)
    assert len(text.splitlines()) == len(set(text.splitlines())), "each change once"
    assert local_office.run("audit", "2026-11").code == 0


def test_ctrl_c_gives_the_terminal_back(local_office: LocalOffice) -> None:
    with on_terminal(local_office) as screen:
        screen.expect_exact(OTHER_SCREEN)
        screen.expect("Waits for")
        screen.sendcontrol("c")
        screen.expect(pexpect.EOF)
        screen.wait()
        assert screen.exitstatus == 130
        rest = str(screen.before)
    assert rest.count(BACK) == 1 and rest.rfind(CURSOR_SHOWN) > rest.rfind(CURSOR_HIDDEN)
    assert "Traceback" not in rest


def test_a_terminal_that_cannot_draw_gets_plain_lines(local_office: LocalOffice) -> None:
    with on_terminal(local_office, "--until-gate", TERM="dumb") as screen:
        screen.expect(pexpect.EOF)
        assert "\x1b" not in str(screen.before)
        assert "step 3, confirm the list: open" in str(screen.before)


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_only_where_they_are_wanted(
    local_office: LocalOffice, variables: dict[str, str], coloured: bool
) -> None:
    with on_terminal(local_office, "--until-gate", **variables) as screen:
        screen.expect(pexpect.EOF)
        assert bool(re.search(r"\x1b\[[0-9;]*3[0-7]", str(screen.before))) is coloured


def test_wrong_use(local_office: LocalOffice) -> None:
    unknown = local_office.run("watch", "2026-12")
    assert unknown.code == 2 and "cycles there: 2026-11" in unknown.err
    nonsense = local_office.run("watch", "../2026-11")
    assert nonsense.code == 2 and "is not a cycle" in nonsense.err
    assert local_office.run("watch", "2026-11", "--interval", "0").code == 2


def test_status_fits_a_narrow_terminal_and_is_whole_in_a_pipe(local_office: LocalOffice) -> None:
    command = ["status", "2026-11", "--inventory", str(local_office.inventory)]
    piped_ = local_office.run("status", "2026-11").out
    assert "STARTED (UTC)" in piped_ and "ROLE" in piped_
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    text, code = pexpect.run(
        f"{SOP_RUN} {' '.join(command)}", withexitstatus=True, timeout=PATIENCE,
        env={**environment, "TERM": "xterm"}, dimensions=(40, 60), encoding="utf-8",
    )  # fmt: skip
    assert code == 0
    table = text.split("\r\n")[:14]
    assert max(map(len, table)) <= 60 and "STARTED" not in table[0]
    assert [row.split()[0] for row in table[1:]] == [str(n) for n in range(1, 14)]


@pytest.mark.parametrize(
    ("called_as", "shown"), [("", "  sop-run sign"), ("./sop-run", "  ./sop-run sign")]
)
def test_advice_names_the_command_as_it_was_called(
    local_office: LocalOffice, monkeypatch: pytest.MonkeyPatch, called_as: str, shown: str
) -> None:
    monkeypatch.setenv("SOP_RUN_CALLED_AS", called_as)
    assert shown in local_office.run("status", "2026-11").out


def test_the_checkouts_own_command_says_how_it_was_called(
    local_office: LocalOffice, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOP_RUN_VENV", str(SOP_RUN.parents[1]))
    options = ["status", "2026-11", "--inventory", str(local_office.inventory)]
    done = subprocess.run(
        ["./sop-run", *options], cwd=root, capture_output=True, text=True, check=True, timeout=600
    )
    assert "  ./sop-run sign 2026-11" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("variables", "styled"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_a_run_is_styled_only_where_that_is_wanted(
    new_office: LocalOffice, variables: dict[str, str], styled: bool
) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | variables
    text, code = pexpect.run(
        f"{SOP_RUN} {' '.join(PERIOD)} --inventory {new_office.inventory}", withexitstatus=True,
        timeout=PATIENCE, env=environment, encoding="utf-8",
    )  # fmt: skip
    assert code == 3, text
    assert ("\x1b[" in text) is styled
