"""The screen and the lines of `sop-run watch`: what they show, and that they always fit."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestrator.cli import words
from orchestrator.cli.catalogue import Catalogue, read_catalogue
from orchestrator.cli.watchlines import Changes
from orchestrator.cli.watchview import Sight, counted, pick, screen, times_now
from orchestrator.journal.fold import step_forward
from orchestrator.model.evidence import Phase
from orchestrator.model.plan import Order
from orchestrator.workflow.survey import HostView, Seen, Watched
from tests.unit.cycles import Chain, evidence, item

HOSTS = (*(f"web{n:03d}" for n in range(200)), "ホスト" * 6, "x" * 200)
HOSTILE = "disk\x1b[2J full \u202e\n" + "w " * 300


@cache
def month() -> Chain:
    """Two hundred hosts in the middle of the second wave's backup."""
    chain = Chain(hosts=HOSTS)
    chain.check(*[item(n, host=h) for n, h in enumerate(HOSTS, 1)])
    chain.sign(3, "budi")
    chain.sign(4, "rina", order=Order(canary=2, wave=50))
    chain.run("backup", {h: {"evidence": evidence("backup", seconds=60)} for h in HOSTS[:2]})
    chain.add("phase.started", {"phase": "backup", "wave": 1, "hosts": list(HOSTS[2:52])})
    problem = {"code": "no-space", "message": HOSTILE, "hint": ""}
    for host in HOSTS[2:6]:
        bad = {"status": "refused", "problems": [problem]} if host == "web003" else {"seconds": 60}
        body = {"phase": "backup", "kind": "evidence", "evidence": evidence("backup", **bad)}
        chain.add("host.outcome", body, host=host)
    return chain


def told(chain: Chain) -> tuple[list[str], Sight]:
    """The lines of all changes, and the sight one second after the last."""
    watched, changes, state, lines = Watched(), Changes(), None, list[str]()
    for entry in chain.entries:
        state = step_forward(state, entry)
        watched.see(entry, state)
        lines += changes.entry(entry, state, watched)
    assert state is not None
    second = int(state.last_at[17:19]) + 1
    now = f"{state.last_at[:17]}{second:02d}{state.last_at[19:]}"
    return lines, Sight(state, watched, now, worker=4711)


def shown(sight: Sight, columns: int = 100, rows: int = 40) -> list[str]:
    return [line.text for line in screen(sight, columns, rows)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 250), st.integers(1, 80))
def test_a_screen_never_outgrows_the_terminal(columns: int, rows: int) -> None:
    lines = shown(SIGHT, columns, rows)
    assert len(lines) <= rows
    assert all(cell_len(line) <= columns for line in lines)
    assert not any(c in "".join(lines) for c in "\x1b\u202e\n")


def test_a_screen_says_who_works_where_it_stands_and_how_long_it_takes() -> None:
    head, phase, *rest = shown(SIGHT)
    assert head.endswith("Cycle 2026-11 (monthly), 202 hosts; process 4711 works on it")
    assert phase.startswith("backup, wave 1 of 4: 4 of 50 hosts done in 5 s, about ")
    assert any(line.split()[:4] == ["3", "confirm", "the", "list"] for line in rest)
    hosts = rest[next(n for n, line in enumerate(rest) if line.startswith("HOST")) + 1 :]
    assert hosts[0].startswith("web003") and "backup refused: disk[2J full w w" in hosts[0]
    assert hosts[1].split() == ["web006", "backup", "check", "ok"]
    assert hosts[-1].startswith("and ") and hosts[-1].endswith("backup ok")


def test_a_small_screen_keeps_the_open_steps_and_room_for_hosts() -> None:
    lines = shown(SIGHT, 60, 24)
    assert len(lines) == 24
    steps = [line.split()[0] for line in lines[3:5]]
    assert steps == ["5", "6"] and "4 steps passed, 7 to come" in lines[5]
    assert sum(line.startswith("web") for line in lines) >= 10


def test_the_step_under_work_counts_the_phase_that_is_under_way() -> None:
    time = times_now(SIGHT)[6]
    assert time.seconds == pytest.approx(1.5 + 5.0)  # the canary's backup, then this one
    idle = Sight(SIGHT.state, SIGHT.watched, SIGHT.now, worker=0)
    assert times_now(idle)[6].seconds == 1.5, "nobody works, so no work is counted"


def view(n: int, *, finding: bool = False, doing: bool = False) -> HostView:
    seen = Seen(Phase.CHECK, "ok", good=True)
    return HostView(f"h{n}", Phase.CHECK if doing else None, seen, finding=finding)


@settings(max_examples=200)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(-2, 60))
def test_findings_and_hosts_at_work_come_first(bad: int, busy: int, other: int, room: int) -> None:
    hosts = [view(n) for n in range(other)]
    hosts += [view(100 + n, doing=True) for n in range(busy)]
    hosts += [view(200 + n, finding=True) for n in range(bad)]
    found = pick(hosts, room)
    assert len(found) == min(len(hosts), max(room, 0)) == len({h.host for h in found})
    if len(found) < len(hosts):
        findings, at_work = sum(h.finding for h in found), sum(h.doing is not None for h in found)
        assert findings == bad or findings >= len(found) // 2
        assert at_work == busy or findings + at_work == len(found)


def test_what_is_not_shown_is_counted() -> None:
    done = HostView("a", None, None, "updated")
    hosts = [done, done, view(1, doing=True), view(2), HostView("b", None, None)]
    assert counted(hosts) == "2 updated, 1 at work, 1 check ok, 1 waiting"


def test_each_change_is_one_line() -> None:
    text = "\n".join(LINES)
    assert "check: 202 hosts\n" in text
    assert "step 2, check: passed, took <1 min, standard 120 min" in text
    assert "step 4 signed by rina\n" in text
    assert "backup, canary wave (4 more follow): 2 hosts\n" in text
    assert "[ 2/2] web001 backup ok\n" in text
    assert "backup: ended after 1 s\n" in text
    assert "[ 4/50] web005 backup ok · about 55 s left" in text or "about 1 min left" in text
    refused = [line for line in LINES if "web003 backup refused" in line]
    assert len(refused) == 1 and "\x1b" not in refused[0] and len(refused[0]) < 320


def test_lines_begin_with_where_everything_stands() -> None:
    changes = Changes()
    lines = list(changes.begin(SIGHT))
    assert lines[0].endswith("202 hosts; process 4711 works on it")
    assert any("step 6, back up: open" in line for line in lines)
    assert any("web003 backup refused" in line for line in lines)
    assert list(changes.look(SIGHT)) == [], "nothing has changed since"
    gone = Sight(SIGHT.state, SIGHT.watched, SIGHT.now, worker=0)
    (line,) = changes.look(gone)
    assert line.endswith("no process of this machine works on it")


LINES, SIGHT = told(month())


@pytest.mark.parametrize("said", ["it is not now", "2 hosts", "waits for web01: step 3, x"])
def test_what_hosts_say_is_shown_as_they_said_it(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """In every language: a part of it may read like a message of ours."""
    messages = read_catalogue(words.LOCALE / "id/LC_MESSAGES/sop-run.po")
    monkeypatch.setattr(words, "_speaking", Catalogue(messages))
    chain = Chain()
    chain.check(item(1))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    bad = {"status": "refused", "problems": [{"code": "x", "message": said, "hint": ""}]}
    chain.run("backup", {"web1": {"evidence": evidence("backup", **bad)}})
    lines, sight = told(chain)
    assert [line for line in lines if line.endswith(f"web1 backup refused: {said}")]
    assert [line for line in screen(sight, 200, 50) if line.text.endswith(f"refused: {said}")]
    assert "Siklus 2026-11" in screen(sight, 200, 50)[0].text
