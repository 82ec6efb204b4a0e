"""What hosts are asked: the signed order's terms, and nothing that was not signed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.model.evidence import Phase
from orchestrator.model.plan import Order
from orchestrator.workflow.requests import request_for
from tests.unit.cycles import Chain, item

END = "2026-11-03T02:00+07:00"


def ordered(order: Order) -> Chain:
    chain = Chain()
    chain.check(item())
    chain.sign(3, "budi")
    chain.sign(4, "rina", order=order)
    return chain


def test_an_update_is_told_when_the_ordered_window_ends() -> None:
    chain = ordered(Order(reboot="always", window_end=END))
    options = request_for(chain.state, "web1", Phase.UPDATE)["options"]
    assert options["reboot"] == "always"
    end = datetime(2026, 11, 2, 19, 0, tzinfo=UTC)
    assert datetime.fromtimestamp(options["not_after"], UTC) == end


def test_an_order_without_a_window_bounds_nothing() -> None:
    chain = ordered(Order())
    assert "not_after" not in request_for(chain.state, "web1", Phase.UPDATE)["options"]


@pytest.mark.parametrize("phase", [Phase.BACKUP, Phase.TEST, Phase.RESTORE])
def test_only_an_update_is_about_restarts(phase: Phase) -> None:
    chain = ordered(Order(window_end=END))
    options = request_for(chain.state, "web1", phase)["options"]
    assert not {"reboot", "not_after"} & set(options)
