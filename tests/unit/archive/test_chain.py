"""The chain of months where cycles overlap: an incidental one beside the first month."""

from __future__ import annotations

from orchestrator.archive.chain import link
from orchestrator.journal.state import CycleState
from tests.unit.cycles import office


def cycle(name: str, opened: int, archived: int, previous: str = "") -> CycleState:
    """A cycle of one day in November 2026, opened and archived at these hours."""
    at = "2026-11-25T{:02d}:00:00.000000+00:00"
    return CycleState(
        cycle=name,
        office=office(),
        opened_at=at.format(opened),
        last_at=at.format(archived),
        previous_cycle=previous,
        previous_manifest="a" * 64 if previous else "",
    )


def test_a_first_try_before_the_first_month_is_in_order() -> None:
    trial = cycle("2026-11-i01", opened=8, archived=9)
    month = cycle("2026-11", opened=10, archived=11)
    assert link(month, [], {}) == (True, "it names none: the chain begins here")
    ok, words = link(trial, [month], {"2026-11": "a" * 64})
    assert ok and words == "it names none: 2026-11 was not archived yet when it opened"


def test_a_cycle_beside_the_first_month_is_in_order() -> None:
    month = cycle("2026-11", opened=8, archived=12)
    assert link(cycle("2026-11-i01", opened=9, archived=10), [month], {"2026-11": "a" * 64})[0]


def test_who_opened_after_an_archive_must_name_it() -> None:
    month = cycle("2026-11", opened=8, archived=9)
    ok, words = link(cycle("2026-11-i01", opened=10, archived=11), [month], {"2026-11": "a" * 64})
    assert not ok and "2026-11 is here: this is no chain of one" in words
    named = cycle("2026-11-i01", opened=10, archived=11, previous="2026-11")
    assert link(named, [month], {"2026-11": "a" * 64})[0]
    assert not link(named, [month], {"2026-11": "b" * 64})[0]
