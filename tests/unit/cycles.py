"""Builds cycles in memory for tests: entries are made, chained and folded as the program does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.journal.entry import GENESIS, Entry
from orchestrator.journal.fold import step_forward
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.office import Office
from orchestrator.model.plan import Item, Order, Part
from orchestrator.model.statement import ItemDecision, Statement
from orchestrator.sop.shown import CHECK_LIST, DEMANDED, DRAFT, MINUTES, MONITORING, ORDER
from orchestrator.sop.shown import UPDATE_RECORD as RECORD
from orchestrator.workflow.plan import plan_body

MADE_IN = {CHECK_LIST: 2, ORDER: 4, MONITORING: 8, RECORD: 8, MINUTES: 8, DRAFT: 9}
HOSTS = ("db1", "web1", "web2")
OFFICERS = {"siti": "pengelola", "budi": "analis", "joko": "jf", "rina": "kepala"}


def office(**changes: Any) -> Office:
    """A valid office with one officer of each role."""
    return Office.model_validate(
        {
            "office": {"government": "PEMERINTAH", "agency": "DINAS", "city": "Contoh"},
            "officers": [{"id": i, "role": r, "name": f"Contoh {i}"} for i, r in OFFICERS.items()],
            **changes,
        }
    )


def evidence(phase: str, transaction: str = "", **more: Any) -> dict[str, Any]:
    """Evidence as a host program gives it."""
    return {
        "schema": "sop-run/evidence/1",
        "phase": phase,
        "status": "ok",
        "transaction": transaction,
        "attached": False,
        "started": "2026-11-02T01:00:00Z",
        "ended": "2026-11-02T01:00:01Z",
        "seconds": 1.0,
        "facts": {},
        "items": [],
        "problems": [],
        **more,
    }


class Chain:
    """Entries and the state that they fold to."""

    def __init__(self, hosts: tuple[str, ...] = HOSTS, **office_changes: Any) -> None:
        self.entries: list[Entry] = []
        self.hosts = hosts
        self.clock = ""  # UTC ISO 8601 of the next entries; '': a second each
        self._state: CycleState | None = None
        self.office = office(**office_changes)
        self.add(
            "cycle.opened",
            {
                "cycle": "2026-11",
                "kind": "monthly",
                "office": self.office.model_dump(mode="json"),
                "hosts": list(hosts),
                "addresses": dict.fromkeys(hosts, "192.0.2.1"),
                "tool_version": "0",
                "previous_cycle": "",
                "previous_manifest": "",
            },
            step=1,
        )

    @property
    def state(self) -> CycleState:
        assert self._state is not None
        return self._state

    def add(
        self, kind: str, body: dict[str, Any] | None = None, *, step: int | None = None,
        actor: str = "root@test", host: str = "",
    ) -> Entry:  # fmt: skip
        """Append an entry; raises IllegalEntry when the procedure forbids it."""
        seq = len(self.entries) + 1
        prev = self.entries[-1].hash if self.entries else GENESIS
        at = (
            self.clock
            or f"2026-11-02T{1 + seq // 3600:02d}:{seq // 60 % 60:02d}:{seq % 60:02d}.000000+00:00"
        )
        entry = Entry(seq, at, kind, step, actor, host, body or {}, prev).sealed()
        self._state = step_forward(self._state, entry)
        self.entries.append(entry)
        return entry

    def run(self, phase: str, outcomes: dict[str, dict[str, Any]], wave: int = 0) -> None:
        """A phase over hosts; values are bodies of host.outcome."""
        self.add("phase.started", {"phase": phase, "wave": wave, "hosts": list(outcomes)})
        for host, body in outcomes.items():
            self.add("host.outcome", {"phase": phase, "kind": "evidence", **body}, host=host)
        self.add("phase.ended", {"phase": phase, "wave": wave, "seconds": 1.5})

    def check(self, *items: Item) -> None:
        """Step 2 with these items."""
        self.run("check", {h: {"evidence": evidence("check")} for h in self.hosts})
        self.plan(*items)
        self.render(3)
        self.add("step.passed", step=2)

    def render(self, gate: int) -> None:
        """Record the documents that a gate's signers are shown, where they are not yet."""
        for name in DEMANDED.get(gate, ()):
            if name not in self.state.documents:
                body = {"name": name, "sha256": sha256_hex(name), "size": len(name)}
                self.add("document.rendered", body, step=MADE_IN[name])

    def plan(self, *items: Item) -> None:
        """Put a plan forward."""
        put_forward(self, parts_of(items, self.hosts))

    def statement(self, step: int, officer: str, **changes: Any) -> Statement:
        """What the officer would sign now."""
        fields: dict[str, Any] = {
            "cycle": "2026-11",
            "step": step,
            "decision": "sign",
            "officer": officer,
            "role": OFFICERS.get(officer, "analis"),
            "at": "2026-11-02T02:00:00+00:00",
            "plan_id": self.state.plan.id if self.state.plan else "",
            "journal_head": self.state.head,
            "order": Order() if step == 4 else None,
            "documents": self.shown(step),
            **changes,
        }
        return Statement(**fields)

    def shown(self, gate: int) -> dict[str, str]:
        """The recorded documents that a gate's signers are shown, with their hashes."""
        records = self.state.documents
        return {n: records[n].sha256 for n in DEMANDED.get(gate, ()) if n in records}

    def sign(self, step: int, officer: str, **changes: Any) -> None:
        """A signed gate; the fold does not look at the signature itself."""
        if self.state.gate is not None:
            self.render(self.state.gate.number)
        text = self.statement(step, officer, **changes).canonical()
        kind = "gate.returned" if changes.get("decision") == "return" else "gate.signed"
        self.add(kind, {"statement": text, "signature": "x"}, step=step, actor=officer)


def parts_of(items: Iterable[Item], hosts: Iterable[str]) -> Iterator[Part]:
    """Items as parts of a plan; they are in the order of hosts."""
    found = tuple(items)
    for host in hosts:
        if own := tuple(i for i in found if i.host == host):
            yield Part(host=host, items=own)


def put_forward(chain: Chain, parts: Iterable[Part]) -> None:
    """The entries of a plan, as the program records them."""
    for part in parts:
        chain.add("plan.part", part.body(), step=2, host=part.host)
    chain.add("plan.made", plan_body(chain.state), step=2)


def item(number: int = 1, host: str = "web1", **changes: Any) -> Item:
    """A security update of openssl."""
    return Item.model_validate(
        {
            "number": number,
            "host": host,
            "class": "security",
            "name": "openssl",
            "arch": "amd64",
            "from": "3.0.1",
            "to": "3.0.2",
            **changes,
        }
    )


def defer(number: int) -> tuple[ItemDecision, ...]:
    """An item put off."""
    return (ItemDecision(number=number, approved=False, reason="wait"),)
