"""Journals that earlier versions wrote stay readable: they are records of an office."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.journal.entry import GENESIS, Entry, check_link
from orchestrator.journal.fold import step_forward
from orchestrator.journal.state import CycleState
from orchestrator.model.statement import Statement

JOURNALS = sorted(Path(__file__).parent.glob("*.jsonl"))


@pytest.mark.parametrize("path", JOURNALS, ids=lambda p: p.stem)
def test_a_journal_of_an_earlier_version_folds_to_the_same_end(path: Path) -> None:
    entries = [Entry.from_line(x) for x in path.read_text(encoding="utf-8").splitlines()]
    state: CycleState | None = None
    prev = GENESIS
    for number, entry in enumerate(entries, 1):
        check_link(entry, number, prev)
        state, prev = step_forward(state, entry), entry.hash
        if "statement" in entry.body:  # the signed bytes are still what this version would sign
            statement = Statement.model_validate_json(entry.body["statement"])
            assert statement.canonical() == entry.body["statement"]
    assert state is not None and state.closed_at
    assert [s.state for s in state.steps.values()] == ["passed"] * 13
    assert state.plan is not None and state.order is not None
    assert (state.order.canary, state.order.wave, state.order.abort_limit) == (2, 10, 1)
    assert [i.number for h in state.hosts for i in state.approved(h)] == [1]
    # What its office relaxed is known, although its entries did not say it in words.
    assert [(r.code, bool(r.until)) for r in state.relaxed] == [("duties", True), ("time", True)]
