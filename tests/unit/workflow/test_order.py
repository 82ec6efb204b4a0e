"""What an officer orders at step 4: the office's rules, unless the signature says otherwise."""

from __future__ import annotations

import pytest

from orchestrator.journal.fold import IllegalEntry
from orchestrator.model.errors import UsageError
from orchestrator.model.plan import Order
from orchestrator.workflow.order import Terms, ordered
from tests.unit.cycles import Chain, item


def confirmed() -> Chain:
    chain = Chain(rules={"canary": 2, "wave": "25%", "abort_limit": "10%", "reboot": "never"})
    chain.check(item())
    chain.sign(3, "budi")
    return chain


def test_without_options_the_rules_of_the_office_are_ordered() -> None:
    order = ordered(confirmed().state, 4, Terms(), returned=False)
    assert order == Order(canary=2, wave="25%", abort_limit="10%", reboot="never")


def test_each_option_wins_over_its_rule() -> None:
    window = "2026-11-23 22:00/2026-11-24 02:00"
    terms = Terms(window, canary="off", wave="5", abort_limit="unlimited", reboot="always")
    order = ordered(confirmed().state, 4, terms, returned=False)
    assert order == Order(
        canary=0,
        wave=5,
        abort_limit="unlimited",
        reboot="always",
        window_start="2026-11-23T22:00+07:00",
        window_end="2026-11-24T02:00+07:00",
    )


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms(window="tonight"), "--window: 'tonight' is not"),
        (Terms(canary="few"), "--canary few: write a number from 0"),
        (Terms(wave="0"), "--wave 0: write a number from 1"),
        (Terms(abort_limit="off"), "--abort-limit off: write a number from 0"),
        (Terms(reboot="maybe"), "--reboot maybe"),
    ],
)
def test_what_cannot_be_read_names_its_option(terms: Terms, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        ordered(confirmed().state, 4, terms, returned=False)
    assert words in caught.value.message and caught.value.hint


@pytest.mark.parametrize("terms", [Terms(wave="2"), Terms(abort_limit="2"), Terms(window="x")])
def test_orders_have_their_place_at_step_4_only(terms: Terms) -> None:
    with pytest.raises(UsageError, match="at step 4 only"):
        ordered(confirmed().state, 3, terms, returned=False)
    assert ordered(confirmed().state, 3, Terms(), returned=False) is None
    assert ordered(confirmed().state, 4, Terms(), returned=True) is None


def test_a_draft_is_what_the_document_shows_until_the_order_is_signed() -> None:
    chain = confirmed()
    assert chain.state.terms.wave == "25%", "the rules, as long as nobody says otherwise"
    chain.add("order.drafted", {"order": Order(wave=3).model_dump(mode="json")}, step=4)
    assert chain.state.terms == Order(wave=3) and chain.state.order is None
    chain.sign(4, "rina", order=Order(wave=4))
    assert chain.state.terms == Order(wave=4) and chain.state.draft is None
    with pytest.raises(IllegalEntry, match="while step 4 is open"):
        chain.add("order.drafted", {"order": {}}, step=4)


def test_a_draft_dies_with_its_plan() -> None:
    chain = confirmed()
    chain.add("order.drafted", {"order": Order(wave=3).model_dump(mode="json")}, step=4)
    chain.sign(4, "rina", decision="return", reason="too many at once", order=None)
    assert chain.state.draft is None and chain.state.terms.wave == "25%"
