"""How the work is ordered (SOP step 4), and which rules of the SOP do not hold, in words."""

from __future__ import annotations

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import OrderTerms, RelaxedRow
from orchestrator.documents.content.said import say
from orchestrator.journal.state import CycleState, RelaxedRule
from orchestrator.model.amount import borne_failures, canary_size, wave_size


def order_terms(state: CycleState, labels: Labels, clock: Clock) -> OrderTerms:
    """The order, or what it would be by the office's rules; sizes for the approved items' hosts."""
    order, scope = state.terms, len(state.in_scope)
    canary = canary_size(order.canary, scope)
    wave = wave_size(order.wave, scope)
    borne = borne_failures(order.abort_limit, scope)
    edges = (bool(order.window_start), bool(order.window_end))
    key = {(False, False): "now", (True, False): "from", (False, True): "until"}.get(
        edges, "between"
    )

    def amount(word: str, said: int | str, hosts: int) -> str:
        key = f"{word}_percent" if isinstance(said, str) else word
        return labels.word("order", key).format(percent=said, hosts=clock.number(hosts))

    waves = labels.word("order", "waves" if canary else "waves_only").format(
        canary=amount("canary", order.canary, canary), wave=amount("hosts", order.wave, wave)
    )
    if borne is None:
        limit = labels.word("order", "unlimited")
    elif borne == 0 and not isinstance(order.abort_limit, str):
        limit = labels.word("order", "limit_none")
    else:
        limit = labels.word("order", "limit").format(
            limit=amount("hosts", order.abort_limit, borne)
        )
    return OrderTerms(
        canary=canary,
        wave=wave,
        abort_limit=borne,
        reboot=labels.word("reboot_policy", order.reboot),
        window=labels.word("order", key).format(
            start=clock.moment(order.window_start), end=clock.moment(order.window_end)
        ),
        waves=waves,
        limit=limit,
    )


def relaxed_rows(state: CycleState, labels: Labels, clock: Clock) -> tuple[RelaxedRow, ...]:
    """Every rule of the SOP that did not hold, in the office's words where there are any."""
    return tuple(
        RelaxedRow(
            code=rule.code,
            text=say(_words(rule, labels)),
            since=clock.moment(rule.since),
            until=clock.moment(rule.until) if rule.until else NONE,
        )
        for rule in state.relaxed
    )


def _words(rule: RelaxedRule, labels: Labels) -> str:
    """A rule that this version does not know stays in the journal's words, which are data."""
    words = labels.known("relaxed", rule.code, "")
    return words.format_map(_Facts(rule.facts)) if words else rule.words


class _Facts(dict[str, str]):
    """Facts by name; one that a rule does not have is a dash."""

    def __missing__(self, key: str) -> str:
        return NONE
