"""The items of the plan, from proposal (step 2) over decision (step 3) to result (step 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple, overload

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.reading import Found, HostReading, read_host
from orchestrator.documents.content.records import ItemRow
from orchestrator.documents.content.said import joined, mapping_of, say, text_of
from orchestrator.journal.state import CycleState, Decision
from orchestrator.model.evidence import Phase
from orchestrator.model.plan import Item, ItemClass

APPROVED = Decision(True)
"""What is not put off is approved."""


class ItemRows(Sequence[ItemRow]):
    """The rows of very many items, each made when it is asked for, so that none is kept."""

    def __init__(
        self,
        state: CycleState,
        last: Phase,
        systems: Mapping[str, str],
        labels: Labels,
        clock: Clock,
    ) -> None:
        self._state, self._last, self._systems = state, last, systems
        self._labels, self._clock = labels, clock
        self._items: Sequence[Item] = state.plan.items if state.plan else ()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[ItemRow]:
        reading: HostReading | None = None
        for item in self._items:
            # Only what was done to an item makes the evidence be read again.
            if self._last is not Phase.CHECK and (reading is None or reading.host != item.host):
                reading = read_host(self._state, item.host, self._last)
            system = self._systems.get(item.host, NONE)
            yield item_row(self._state, item, reading, self._labels, self._clock, system=system)

    @overload
    def __getitem__(self, index: int) -> ItemRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ItemRow]: ...
    def __getitem__(self, index: int | slice) -> ItemRow | Sequence[ItemRow]:
        start = index.start if isinstance(index, slice) else index
        if isinstance(index, slice):
            return tuple(islice(iter(self), start, index.stop, index.step))
        return next(islice(iter(self), range(len(self))[start], None))


def os_name(reading: HostReading | None) -> str:
    """The operating system as the latest check named it."""
    if reading is None:
        return NONE
    system = mapping_of(reading.facts(Phase.CHECK), "os")
    name, version = text_of(system, "name", 80), text_of(system, "version", 40)
    if name == NONE:
        name = text_of(system, "id", 40)
    return name if version in (NONE, "") or version in name else f"{name} {version}"


class ItemState(NamedTuple):
    """What is counted of an item."""

    kind: ItemClass
    decision: Literal["approved", "deferred"]
    result: str  # key in the labels; a host's own word when it is none
    reboot: bool


def item_state(state: CycleState, item: Item, reading: HostReading | None) -> ItemState:
    """What was decided on an item and what became of it."""
    decision = state.decisions.get(item.number, APPROVED)
    found = reading.found.get((item.kind, item.name, item.arch)) if reading else None
    choice: Literal["approved", "deferred"] = "approved" if decision.approved else "deferred"
    return ItemState(item.kind, choice, _result(decision, found, reading), item.reboot)


def item_row(
    state: CycleState,
    item: Item,
    reading: HostReading | None,
    labels: Labels,
    clock: Clock,
    *,
    system: str = "",
) -> ItemRow:
    """One item, with what its host's evidence says of it; `system`: its os, where known already."""
    found = reading.found.get((item.kind, item.name, item.arch)) if reading else None
    stands = item_state(state, item, reading)
    decision = state.decisions.get(item.number, APPROVED)
    priority = _priority(item, labels)
    return ItemRow(
        number=item.number,
        host=say(item.host),
        address=say(state.addresses.get(item.host)),
        os=system or os_name(reading),
        name=say(item.name),
        arch=say(item.arch),
        kind=labels.word("class", item.kind),
        kind_key=item.kind,
        before=say(item.from_version),
        offered=_version(item.to_version, labels),
        approved=_version(item.to_version, labels) if decision.approved else NONE,
        after=_version(found.item.after, labels) if found else NONE,
        source=say(item.source),
        advisories=joined([say(a, 60) for a in item.advisories], most=6),
        priority=labels.word("priority", priority),
        priority_key=priority,
        reboot=labels.yes_no(item.reboot),
        size=clock.size(item.size),
        decision=labels.word("decision", stands.decision),
        decision_key=stands.decision,
        remark=say(decision.reason),
        result=labels.known("result", stands.result, say(stands.result, 60)),
        result_key=stands.result if stands.result in labels.sections["result"] else "unknown",
        message=labels.phrase(say(found.item.message)) if found else NONE,
        started=clock.time(found.started) if found else NONE,
        ended=clock.time(found.ended) if found else NONE,
    )


def _version(version: str, labels: Labels) -> str:
    return labels.word("text", "latest") if version == "latest" else say(version)


def _priority(item: Item, labels: Labels) -> str:
    by_class = labels.word("class_priority", item.kind)
    return labels.known("severity_priority", item.severity.strip().lower(), by_class)


def _result(decision: Decision, found: Found | None, reading: HostReading | None) -> str:
    if not decision.approved:
        return "deferred"
    if found is not None:
        if found.item.result == "unchanged" and found.item.after == found.item.to_version:
            return "current"
        return found.item.result or "not-attempted"
    return "not-attempted" if reading is not None and reading.verdict is not None else "pending"
