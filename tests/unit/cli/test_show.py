"""How the command line shows things: narrow terminals, colours, time left, its own name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestrator.cli.options import called_as
from orchestrator.cli.pace import Pace
from orchestrator.cli.table import fitted, hang, plain
from orchestrator.cli.times import span, time_left
from orchestrator.model.evidence import Evidence
from tests.unit.cycles import evidence

ROWS = [("NO", "WHAT", "WHEN", "WHO"), ("1", "check", "2026-11-02", "an office of many words")]
FORMS = (">2", "<5", "<10", "")


def test_without_a_terminal_nothing_is_cut_or_left_out() -> None:
    assert fitted(ROWS, FORMS, (2,), None).splitlines() == [
        "NO  WHAT   WHEN        WHO",
        " 1  check  2026-11-02  an office of many words",
    ]


def test_on_a_narrow_terminal_spare_columns_go_first_then_lines_go_on_below() -> None:
    assert fitted(ROWS, FORMS, (2,), 40).splitlines()[1] == " 1  check  an office of many words"
    assert fitted(ROWS, FORMS, (2,), 25).splitlines()[1:] == [
        " 1  check  an office of",
        "           many words",
    ]


@given(st.text("ab ホ", max_size=200), st.integers(0, 90), st.integers(20, 100))
def test_hanging_keeps_every_word(line: str, indent: int, columns: int) -> None:
    text = hang(line, indent, columns)
    assert text.replace(" ", "").replace("\n", "") == line.replace(" ", "")
    assert hang(line, indent, None) == line
    longest = max(map(cell_len, line.split()), default=0)
    assert max(map(cell_len, text.split("\n"))) <= max(columns, columns // 2 + longest)


@pytest.mark.parametrize(
    ("no_colour", "term", "wanted"),
    [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False), (None, None, True)],
)
def test_colours_are_wanted(
    monkeypatch: pytest.MonkeyPatch, no_colour: str | None, term: str | None, wanted: bool
) -> None:
    for name, value in (("NO_COLOR", no_colour), ("TERM", term)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert plain() is not wanted


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("", "sop-run"),
        ("./sop-run", "./sop-run"),
        ("/srv/sop run/sop-run", "'/srv/sop run/sop-run'"),
        ("./sop\x1b[2J-run", "sop-run"),
    ],
)
def test_advice_names_the_command_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, name: str, word: str
) -> None:
    monkeypatch.setenv("SOP_RUN_CALLED_AS", name)
    assert called_as() == word


def test_the_time_left_is_told_when_it_has_become_another() -> None:
    pace, host = Pace(), Evidence.model_validate(evidence("backup", seconds=100.0))
    said = [pace.words(host, done, 200) for done in range(1, 201)]
    told = [words for words in said if words]
    assert said[:2] == ["", ""] and told[0] == " · about 7 min left"
    assert told[1:] == [f" · about {n} min left" for n in (6, 5, 4, 3, 2, 1)] + [
        f" · about {n} s left" for n in range(55, 15, -5)
    ]


def test_few_hosts_need_no_time_left() -> None:
    pace, host = Pace(), Evidence.model_validate(evidence("backup", seconds=900.0))
    assert not any(pace.words(host, done, 9) for done in range(1, 10))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""), (0.0, "about 5 s left"), (41.0, "about 40 s left"), (58.0, "about 1 min left"),
        (600.0, "about 10 min left"), (7200.0, "about 2 h left"),
    ],
)  # fmt: skip
def test_time_left(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words


def test_spans() -> None:
    assert [span(s) for s in (0.4, 80, 7500)] == ["0 s", "1 min 20 s", "2 h 05 min"]
