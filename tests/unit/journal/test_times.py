"""Times of steps as the journal tells them: working time, machine time, notes, a wrong clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.journal.fold import IllegalEntry, fold
from orchestrator.journal.times import StepTime, reasons_wanted, return_seconds, step_times
from orchestrator.model.note import NoteStatement, StepReason
from orchestrator.model.statement import Statement
from tests.unit.cycles import HOSTS, Chain, item

RECORD: dict[str, Any] = {
    "schema": "sop-run/holidays/1",
    "source": "test",
    "national": True,
    "collective": True,
    "first_year": 2026,
    "last_year": 2027,
    "days": {"2026-11-24": "Hari libur", "2027-01-01": "Tahun Baru"},
}


def counted(**office: Any) -> Chain:
    """A cycle with a working calendar, checked on Monday 23 November 2026 at 08.00 in Jakarta."""
    chain = Chain(**office)
    chain.add("calendar.recorded", RECORD)
    at(chain, "2026-11-23 08:00")
    chain.check(item())
    return chain


def at(chain: Chain, local: str) -> None:
    """Set the clock of the next entries, in Jakarta's time."""
    chain.clock = f"{local.replace(' ', 'T')}:00.000000+07:00"


def time_of(chain: Chain, step: int, now: str = "") -> StepTime:
    return step_times(chain.state, now)[step]


def minutes(chain: Chain, step: int, now: str = "") -> float | None:
    seconds = time_of(chain, step, now).seconds
    return None if seconds is None else seconds / 60


def drafted(chain: Chain) -> None:
    """On to gate 10; each host's work takes 1.5 s."""
    chain.sign(4, "rina")
    for phase in ("backup", "update", "test"):
        chain.run(phase, {"web1": {"evidence": {**EVIDENCE, "phase": phase}}})
    for host in HOSTS:
        chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.add("step.passed", step=9)


EVIDENCE = {
    "schema": "sop-run/evidence/1", "status": "ok", "transaction": "t", "attached": False,
    "started": "2026-11-23T01:00:00Z", "ended": "2026-11-23T01:00:01Z", "seconds": 1.0,
    "facts": {}, "items": [], "problems": [],
}  # fmt: skip


def note(chain: Chain, step: int | None, text: str = "alasan", **more: Any) -> None:
    chain.add("note.added", {"text": text, "officer": "budi", **more}, step=step)


def test_a_gate_counts_working_time_only() -> None:
    chain = counted()
    at(chain, "2026-11-25 08:10")  # Wednesday; Tuesday is a holiday
    chain.sign(3, "budi")
    assert minutes(chain, 3) == 7 * 60 + 40
    assert time_of(chain, 3).late and time_of(chain, 3).lacks_reason
    at(chain, "2026-11-25 18:00")
    chain.sign(4, "rina")
    assert minutes(chain, 4) == 3 * 60 + 50 + 3 * 60
    chain = counted()
    at(chain, "2026-11-23 08:15")
    chain.sign(3, "budi")
    assert not time_of(chain, 3).late, "exactly the standard is not longer"


def test_machine_work_counts_by_its_own_clock_also_at_night() -> None:
    chain = counted()
    assert minutes(chain, 2) == 1.5 / 60
    chain.sign(3, "budi")
    at(chain, "2026-11-25 22:00")
    drafted(chain)
    assert [round((time_of(chain, n).seconds or 0), 1) for n in (5, 6, 7, 8)] == [
        4.5,
        1.5,
        1.5,
        1.5,
    ]
    assert time_of(chain, 6).counting == "machine" and time_of(chain, 8).counting == "work"


def test_the_test_step_is_the_tests_and_then_the_officers() -> None:
    chain = counted()
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    chain.run("test", {"web1": {"evidence": {**EVIDENCE, "phase": "test"}}})
    for host in HOSTS:
        chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
    at(chain, "2026-11-23 11:00")  # a later wave took until now
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    at(chain, "2026-11-23 11:30")
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    assert time_of(chain, 8).seconds == 30 * 60 + 1.5


def test_a_journal_without_calendar_counts_by_the_clock() -> None:
    chain = Chain()
    at(chain, "2026-11-23 08:00")
    chain.check(item())
    at(chain, "2026-11-24 08:00")
    chain.sign(3, "budi")
    assert (minutes(chain, 3), time_of(chain, 3).counting) == (24 * 60, "elapsed")


def test_an_open_step_counts_until_now() -> None:
    chain = counted()
    open_now = time_of(chain, 3, "2026-11-23T01:20:00+00:00")
    assert open_now.running and open_now.seconds == 20 * 60 and open_now.late
    assert time_of(chain, 3).seconds is None, "without a now nothing is claimed"
    wanted = reasons_wanted(chain.state, "2026-11-23T01:20:00+00:00")
    assert [t.step for t in wanted] == [3]


def test_a_clock_that_went_back_gives_no_duration() -> None:
    chain = counted()
    at(chain, "2026-11-23 07:00")
    chain.sign(3, "budi")
    assert time_of(chain, 3).uncertain and time_of(chain, 3).seconds is None
    assert not time_of(chain, 3).late
    assert [(j.seq, j.after[:16]) for j in chain.state.jumps] == [
        (len(chain.entries), "2026-11-23T07:00")
    ]
    at(chain, "2026-11-23 07:40")
    chain.sign(4, "rina")
    assert minutes(chain, 4) == 10, "what came after it is told"


def test_a_clock_that_ran_ahead_and_was_mended_gives_no_duration() -> None:
    chain = counted()
    at(chain, "2031-01-06 08:00")
    chain.sign(3, "budi")
    assert (minutes(chain, 3) or 0) > 100_000, "nobody can know yet"
    at(chain, "2026-11-23 08:20")
    chain.sign(4, "rina")
    assert time_of(chain, 3).uncertain and time_of(chain, 4).uncertain
    assert not time_of(chain, 2).uncertain


def test_a_jump_before_a_gate_opened_does_not_touch_it() -> None:
    chain = counted()
    at(chain, "2026-11-23 07:40")  # set back by 20 minutes while step 3 is open
    chain.sign(3, "budi")
    at(chain, "2026-11-23 07:50")
    chain.sign(4, "rina", decision="return", reason="again")
    assert return_seconds(chain.state, chain.state.returns[0]) == 600
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    chain.run("test", {"web1": {"evidence": {**EVIDENCE, "phase": "test"}}})
    at(chain, "2026-11-23 07:30")  # while other waves are at work
    for host in HOSTS:
        chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    at(chain, "2026-11-23 07:35")
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    assert time_of(chain, 8).seconds == 300 + 1.5


def test_a_clock_adjusted_by_seconds_changes_nothing() -> None:
    chain = counted()
    chain.clock = "2026-11-23T07:59:30.000000+07:00"
    chain.sign(3, "budi")
    assert time_of(chain, 3).seconds == 0 and not time_of(chain, 3).uncertain
    assert len(chain.state.jumps) == 1


def test_reasons_belong_to_the_step_as_it_was_opened_last() -> None:
    chain = counted()
    at(chain, "2026-11-23 09:00")
    note(chain, 3, kind="overrun")
    chain.sign(3, "budi")
    assert [n.text for n in time_of(chain, 3).reasons] == ["alasan"]
    chain.sign(4, "rina", decision="return", reason="again")
    chain.check(item())
    at(chain, "2026-11-23 10:00")
    chain.sign(3, "budi")
    assert time_of(chain, 3).lacks_reason
    assert len(chain.state.notes) == 1


def test_a_reason_is_signed_with_the_gate() -> None:
    chain = counted()
    at(chain, "2026-11-23 09:00")
    chain.sign(3, "budi", reasons=(StepReason(step=3, text="dinas luar"),))
    (reason,) = time_of(chain, 3).reasons
    assert (reason.actor, reason.signed, reason.text) == ("budi", True, "dinas luar")
    with pytest.raises(IllegalEntry, match="step 9 is not before this gate"):
        chain.sign(4, "rina", reasons=(StepReason(step=9, text="x"),))


def test_statements_without_reasons_keep_their_bytes() -> None:
    text = Statement(
        schema="sop-run/statement/1", cycle="2026-11", step=3, decision="sign", officer="budi",
        role="analis", at="2026-11-23T01:00:00+00:00", plan_id="p", journal_head="h",
    ).canonical()  # fmt: skip
    assert "reasons" not in text and Statement.model_validate_json(text).canonical() == text


@pytest.mark.parametrize(
    ("step", "body", "words"),
    [
        (3, {"text": " "}, "says something"),
        (3, {"text": "x" * 1001}, "at most 1000"),
        (3, {"text": ["x"]}, "says something"),
        (3, {"kind": "poem"}, "no kind of note"),
        (14, {}, "no such step"),
        (4, {"kind": "overrun"}, "has not begun"),
        (3, {"officer": "mallory"}, "unknown officer"),
    ],
)
def test_notes_that_are_refused(step: int, body: dict[str, Any], words: str) -> None:
    with pytest.raises(IllegalEntry, match=words):
        note(counted(), step, **body)


def test_an_unsigned_note_has_no_officer_for_actor() -> None:
    chain = counted()
    with pytest.raises(IllegalEntry, match="an officer's note is signed"):
        chain.add("note.added", {"text": "x", "officer": "budi"}, step=3, actor="budi")
    note(chain, 3)
    assert (chain.state.notes[0].actor, chain.state.notes[0].signed) == ("root@test", False)


def statement(chain: Chain, **changes: Any) -> dict[str, Any]:
    """The body of a note that Budi signs now."""
    fields = {
        "schema": "sop-run/note/1",
        "cycle": "2026-11",
        "journal_head": chain.state.head,
        "step": 3,
        "kind": "remark",
        "text": "x",
        "officer": "budi",
        "at": "2026-11-23T01:00:00+00:00",
        **changes,
    }
    text = NoteStatement.model_validate(fields).canonical()
    return {"text": "x", "kind": "remark", "officer": "budi", "statement": text, "signature": "s"}


def test_a_signed_note_says_what_was_signed() -> None:
    chain = counted()
    for changes, words in (
        ({"cycle": "2026-10"}, "for cycle 2026-10"),
        ({"journal_head": "0" * 64}, "replay"),
        ({"text": "y"}, "something else"),
        ({"step": 4}, "something else"),
        ({"officer": "rina"}, "something else"),
    ):
        with pytest.raises(IllegalEntry, match=words):
            chain.add("note.added", statement(chain, **changes), step=3, actor="budi")
    good = statement(chain)
    chain.add("note.added", good, step=3, actor="budi")
    assert chain.state.notes[0].signed
    with pytest.raises(IllegalEntry, match="replay"):
        chain.add("note.added", good, step=3, actor="budi")


def test_what_the_draft_says_is_noted_before_it_is_made() -> None:
    chain = counted()
    chain.sign(3, "budi")
    drafted(chain)
    for kind in ("remark", "suggestion"):
        with pytest.raises(IllegalEntry, match="nobody verified"):
            note(chain, 9, kind=kind)
    note(chain, 9, kind="overrun")
    note(chain, 10)
    at(chain, "2026-11-23 08:40")
    chain.sign(10, "joko", decision="return", reason="part C")
    returned = chain.state.returns[-1]
    assert return_seconds(chain.state, returned) == 40 * 60
    note(chain, 9, kind="suggestion")
    at(chain, "2026-11-23 09:00")
    chain.add("step.passed", step=9)
    assert minutes(chain, 9) == 20, "the drafter's work"


def test_a_closed_cycle_takes_no_note_and_no_calendar() -> None:
    chain = counted()
    chain.sign(3, "budi")
    drafted(chain)
    chain.sign(10, "joko")
    chain.sign(11, "rina")
    chain.add("archive.made", {"path": "p", "manifest_sha256": "a" * 64}, step=12)
    chain.add("step.passed", step=12)
    chain.add("cycle.closed", step=13)
    for kind, body in (("note.added", {"text": "x"}), ("calendar.recorded", RECORD)):
        with pytest.raises(IllegalEntry, match="closed"):
            chain.add(kind, body, step=3)


def test_another_calendar_is_told() -> None:
    chain = Chain()
    chain.add("calendar.recorded", RECORD)
    longer = {**RECORD, "last_year": 2028, "days": {**RECORD["days"], "2028-01-01": "Tahun Baru"}}
    chain.check(item())
    chain.add("calendar.recorded", longer)
    assert not chain.state.recounted_at, "more years change no time that was counted"
    chain.add("calendar.recorded", {**longer, "days": {}})
    assert chain.state.recounted_at == chain.entries[-1].at
    office = chain.office.model_dump(mode="json")
    office["working_time"]["monday"] = "08:00-12:00"
    entry = chain.add("office.changed", {"office": office})
    assert chain.state.recounted_at == entry.at
    with pytest.raises(IllegalEntry, match="years that it does not cover"):
        chain.add("calendar.recorded", {**RECORD, "first_year": 2027})


def test_a_time_that_is_none_is_refused() -> None:
    chain = counted()
    chain.clock = "yesterday"
    with pytest.raises(IllegalEntry, match="yesterday"):
        chain.sign(3, "budi")


def test_folding_again_gives_the_same_times() -> None:
    chain = counted()
    at(chain, "2026-11-25 08:10")
    chain.sign(3, "budi")
    assert step_times(fold(chain.entries)) == step_times(chain.state)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-3 * 86400, 5 * 86400), min_size=9, max_size=9))
def test_whatever_the_clock_does_no_duration_is_negative_or_more_than_elapsed(
    steps: list[int],
) -> None:
    """The clock is moved, forward or back, before every signature."""
    chain, now = counted(), datetime(2026, 11, 23, 1, tzinfo=UTC)
    moves = iter(steps)

    def move() -> None:
        nonlocal now
        now += timedelta(seconds=next(moves))
        chain.clock = now.isoformat(timespec="microseconds")

    move()
    chain.sign(3, "budi")
    move()
    drafted(chain)
    for step, officer, decision in ((10, "joko", "return"), (10, "joko", "sign"), (11, "rina", "")):
        move()
        if decision == "return":
            chain.sign(step, officer, decision=decision, reason="again")
            move()
            chain.add("step.passed", step=9)
        else:
            chain.sign(step, officer)
    for number, time in step_times(chain.state).items():
        stand = chain.state.steps[number]
        if stand.state != "passed" or time.seconds is None:
            continue
        start, end = (datetime.fromisoformat(t) for t in (stand.started_at, stand.ended_at))
        machine = stand.seconds or 0.0
        assert 0 <= time.seconds <= machine + max(0.0, (end - start).total_seconds())
        back = [j for j in chain.state.jumps if stand.opened_seq < j.seq <= stand.passed_seq]
        sizes = [datetime.fromisoformat(j.before) - datetime.fromisoformat(j.after) for j in back]
        assert time.counting == "machine" or all(s.total_seconds() <= 60 for s in sizes)
