"""The plan: what is put forward for approval. Its id is the SHA-256 of its canonical JSON.

A plan may have hundreds of thousands of items. It is therefore held host by host, as parts that are
read when they are asked for: from memory where a plan is small or new, else from the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, Literal, overload

from pydantic import Field

from orchestrator.model.amount import Canary, Limit, Wave
from orchestrator.model.canonical import canonical_json, sha256_hex
from orchestrator.model.evidence import NewPackage, Record

ItemClass = Literal["system", "security", "antivirus"]


class Item(Record):
    """One thing to update on one host (SOP step 2)."""

    number: int  # the "No." of the check list, from 1
    host: str
    kind: ItemClass = Field(alias="class")
    name: str
    arch: str = ""
    from_version: str = Field("", alias="from")
    to_version: str = Field("", alias="to")
    source: str = ""
    size: int = 0
    sha256: str = ""
    severity: str = ""
    advisories: tuple[str, ...] = ()
    reboot: bool = False


class SideEffects(Record):
    """What the updates of one host bring and remove besides its items; signed with the plan."""

    host: str
    new: tuple[NewPackage, ...] = ()
    removals: tuple[str, ...] = ()


class Part(Record):
    """What the plan says of one host."""

    host: str
    items: tuple[Item, ...] = ()
    new: tuple[NewPackage, ...] = ()
    removals: tuple[str, ...] = ()

    @property
    def side_effects(self) -> SideEffects:
        """What comes and goes besides the items."""
        return SideEffects(host=self.host, new=self.new, removals=self.removals)

    def body(self) -> dict[str, Any]:
        """The part as the journal has it (entry `plan.part`); the host is the entry's."""
        return self.model_dump(mode="json", by_alias=True, exclude={"host"})


class Whole(Record):
    """A plan in one piece, as the archive's plan.json has it and older journals do."""

    plan_schema: Literal["sop-run/plan/1"] = Field("sop-run/plan/1", alias="schema")
    cycle: str
    origin: str = ""  # hash of the cycle's first journal entry: two journals, two plans
    revision: int
    hosts: tuple[str, ...]  # every host in scope, with or without items
    items: tuple[Item, ...]
    side_effects: tuple[SideEffects, ...] = ()  # of hosts that have any

    def plan(self) -> Plan:
        """The same plan in parts; ValueError when it is not one that a plan's parts could make."""
        effects = {e.host: e for e in self.side_effects}
        items: dict[str, list[Item]] = {}
        for item in self.items:
            items.setdefault(item.host, []).append(item)
        writer = PlanWriter(self.cycle, self.hosts)
        for host in sorted({*effects, *items}, key=self.hosts.index):
            effect = effects.get(host, SideEffects(host=host))
            found = tuple(items.get(host, ()))
            part = Part(host=host, items=found, new=effect.new, removals=effect.removals)
            writer.add(part, partial(_itself, part))
        return writer.plan(self.origin, self.revision)


def _itself(part: Part) -> Part:
    return part


@dataclass(frozen=True, eq=False)
class Plan:
    """All items of a cycle, with the cycle, its revision (1, then +1 per return to step 2)."""

    cycle: str
    origin: str
    revision: int
    hosts: tuple[str, ...]
    numbers: Mapping[str, range]  # host → numbers of its items; only hosts that have a part
    id: str  # SHA-256 of the canonical plan; officers sign this
    _load: Mapping[str, Callable[[], Part]]
    _last: list[Part] = field(default_factory=list)  # the part that was read last

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def items(self) -> PlanItems:
        """All items in the order of their numbers."""
        return PlanItems(self)

    @property
    def parts(self) -> Iterator[Part]:
        """What the plan says of each host of which it says anything, in the order of hosts."""
        return (self.part(host) for host in self.numbers)

    def part(self, host: str) -> Part:
        """What the plan says of a host; an empty part when that is nothing."""
        if host not in self.numbers:
            return Part(host=host)
        if not self._last or self._last[0].host != host:
            self._last[:] = [self._load[host]()]
        return self._last[0]

    def canonical(self) -> Iterator[str]:
        """The plan as canonical JSON, in pieces: the bytes that the id is made of."""
        pieces = _Pieces(self.cycle, self.hosts)
        for part in self.parts:
            yield pieces.of(part)
        yield pieces.end(self.origin, self.revision)


class PlanItems(Sequence[Item]):
    """The items of a plan, read host by host as they are asked for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __len__(self) -> int:
        return sum(len(numbers) for numbers in self._plan.numbers.values())

    def __iter__(self) -> Iterator[Item]:
        for part in self._plan.parts:
            yield from part.items

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return tuple(self)[index]


class PlanWriter:
    """Puts a plan together from its parts, in the order of hosts, without keeping them."""

    def __init__(self, cycle: str, hosts: tuple[str, ...]) -> None:
        self._cycle, self._hosts = cycle, hosts
        self._places = {host: place for place, host in enumerate(hosts)}
        self._numbers: dict[str, range] = {}
        self._load: dict[str, Callable[[], Part]] = {}
        self._next_place, self._next_number = 0, 1
        self._pieces, self._digest = _Pieces(cycle, hosts), sha256()

    def add(self, part: Part, load: Callable[[], Part]) -> None:
        """Add a host's part; `load` reads it again. ValueError when it is out of place."""
        place = self._places.get(part.host, -1)
        if place < self._next_place:
            raise ValueError(f"{part.host} is not in the cycle, or not next in the order of hosts")
        if not (part.items or part.new or part.removals):
            raise ValueError(f"the plan has a part of {part.host}, but nothing is in it")
        numbers = range(self._next_number, self._next_number + len(part.items))
        if [i.number for i in part.items] != list(numbers):
            raise ValueError(f"the items of {part.host} are not numbered from {numbers.start}")
        if any(item.host != part.host for item in part.items):
            raise ValueError(f"an item of {part.host} is another host's")
        self._digest.update(_encoded(self._pieces.of(part)))
        self._numbers[part.host], self._load[part.host] = numbers, load
        self._next_place, self._next_number = place + 1, numbers.stop

    def plan(self, origin: str, revision: int) -> Plan:
        """The plan of the parts so far."""
        digest = self._digest.copy()
        digest.update(_encoded(self._pieces.end(origin, revision)))
        return Plan(
            self._cycle,
            origin,
            revision,
            self._hosts,
            self._numbers,
            digest.hexdigest(),
            self._load,
        )

    def __eq__(self, other: object) -> bool:
        mine = self.plan("", 0)
        return isinstance(other, PlanWriter) and mine == other.plan("", 0)

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, _: dict[int, Any]) -> PlanWriter:
        copied = copy(self)
        copied._numbers, copied._load = dict(self._numbers), dict(self._load)
        copied._pieces, copied._digest = copy(self._pieces), self._digest.copy()
        copied._pieces.effects = list(self._pieces.effects)
        return copied


class _Pieces:
    """Canonical JSON of a plan, host by host."""

    def __init__(self, cycle: str, hosts: tuple[str, ...]) -> None:
        fields = canonical_json({"cycle": cycle, "hosts": hosts})
        self._before = fields.removesuffix("}") + ',"items":['
        self.effects: list[str] = []  # of the hosts so far: they come after all items

    def of(self, part: Part) -> str:
        items = canonical_json([i.model_dump(mode="json", by_alias=True) for i in part.items])[1:-1]
        if part.new or part.removals:
            self.effects.append(canonical_json(part.side_effects.model_dump(mode="json")))
        if not items:
            return ""
        text, self._before = self._before + items, ","
        return text

    def end(self, origin: str, revision: int) -> str:
        fields = {"origin": origin, "revision": revision, "schema": "sop-run/plan/1"}
        text = canonical_json(fields)
        if self.effects:  # without any the key is left out: older plans keep their id
            text = text.removesuffix("}") + f',"side_effects":[{",".join(self.effects)}]}}'
        before = "" if self._before == "," else self._before
        return f"{before}]," + text.removeprefix("{")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class Order(Record):
    """How the approved items are carried out (SOP step 4); signed with the plan."""

    canary: Canary = 1  # hosts in the first wave; 0: there is none
    wave: Wave = 10  # hosts in every later wave
    abort_limit: Limit = 1  # stop when more hosts than this failed or were unreachable
    reboot: Literal["never", "if-needed", "always"] = "if-needed"
    window_start: str = ""  # ISO 8601 with offset; empty: at once
    window_end: str = ""  # ISO 8601 with offset; empty: no end


def transaction_id(plan_id: str, host: str, phase: str) -> str:
    """Name of a host transaction: the same question gives the same id, so it never runs twice."""
    return sha256_hex(f"{plan_id}\n{host}\n{phase}")[:32]
