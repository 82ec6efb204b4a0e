"""The plan: what is put forward for approval. Its id is the SHA-256 of its canonical JSON."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

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


class Plan(Record):
    """All items of a cycle, with the cycle, its revision (1, then +1 per return to step 2)."""

    plan_schema: Literal["sop-run/plan/1"] = Field("sop-run/plan/1", alias="schema")
    cycle: str
    origin: str = ""  # hash of the cycle's first journal entry: two journals, two plans
    revision: int
    hosts: tuple[str, ...]  # every host in scope, with or without items
    items: tuple[Item, ...]
    side_effects: tuple[SideEffects, ...] = ()  # of hosts that have any

    def side_effects_of(self, host: str) -> SideEffects:
        """What the updates of a host may bring and remove besides its items."""
        return next((e for e in self.side_effects if e.host == host), SideEffects(host=host))

    def canonical(self) -> str:
        """The plan as canonical JSON, the bytes that the id is made of.

        Without side effects their key is left out: plans made before it was there keep their id.
        """
        return "".join(self._pieces())

    def _pieces(self) -> Iterator[str]:
        """The canonical JSON item by item: hundreds of thousands are never held twice."""
        left_out = {"items"} if self.side_effects else {"items", "side_effects"}
        fields = self.model_dump(mode="json", by_alias=True, exclude=left_out)
        before = canonical_json({k: v for k, v in fields.items() if k < "items"})
        after = canonical_json({k: v for k, v in fields.items() if k > "items"})
        yield before.removesuffix("}") + ',"items":['
        for number, item in enumerate(self.items):
            comma = "," if number else ""
            yield comma + canonical_json(item.model_dump(mode="json", by_alias=True))
        yield "]," + after.removeprefix("{")

    @property
    def id(self) -> str:
        """SHA-256 of the canonical plan; officers sign this."""
        digest = sha256()
        for piece in self._pieces():
            digest.update(piece.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


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
