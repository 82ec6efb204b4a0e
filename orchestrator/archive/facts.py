"""data/cycle.json: a cycle's facts as plain JSON, made from its journal alone (SOP step 12).

Its form is described in docs/reference/archive.md. What the journal holds verbatim (plan, order,
evidence) is taken from the entries, not from records, so that a later version of the program
derives the same bytes; a change of form needs a new schema name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.archive.signed import Signed, signature_facts
from orchestrator.journal.entry import Entry
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import canonical_json, sha256_hex
from orchestrator.sop.machine import RETURNS

SCHEMA = "sop-run/cycle/1"
# Named one by one: a field that the state gets later does not change old archives.
STEP = ("state", "started_at", "ended_at", "seconds", "actor")
RUN = ("phase", "wave", "hosts", "started_at", "ended_at", "seconds")
RETURN = ("step", "to", "reason", "officer", "at")
NOTE = ("step", "kind", "actor", "officer", "signed", "text", "at")
RELAXED = ("code", "words", "facts", "since", "until")
DOCUMENT = ("name", "sha256", "size", "step", "at", "seq")


def cycle_json(
    entries: Iterable[Entry], state: CycleState, signatures: Iterable[Signed]
) -> Iterator[str]:
    """The text of cycle.json in pieces: canonical JSON and a line feed.

    The same journal gives the same bytes. `entries` are read once; the plan, which may be larger
    than what memory should hold, comes out part by part.
    """
    told = _Told()
    for entry in entries:
        told.see(entry)
    facts = _facts(told, state, signatures)
    yield canonical_json({k: v for k, v in facts.items() if k < "plan"}).removesuffix("}")
    yield ',"plan":'
    yield from _plan(told.plan, state)
    after = canonical_json({k: v for k, v in facts.items() if k > "plan"})
    yield "," + after.removeprefix("{") + "\n"


def _facts(told: _Told, state: CycleState, signatures: Iterable[Signed]) -> dict[str, Any]:
    """The facts of a cycle that stands at its archive, but for the plan."""
    letters = state.office.letters
    return {
        "schema": SCHEMA,
        "cycle": state.cycle,
        "kind": state.kind,
        "reason": state.reason,
        "selection": state.selection.model_dump(mode="json"),
        "restores_from": state.source.model_dump(mode="json") if state.source else None,
        "revision": state.revision,
        "opened_at": state.opened_at,
        "operator": state.operator,
        "tool_version": state.tool_version,
        "timezone": state.office.office.timezone,
        "agency": state.office.office.agency,
        "previous_cycle": state.previous_cycle,
        "previous_manifest": state.previous_manifest,
        "classification": {
            "code": letters.classification_code,
            "nature": letters.nature,
            "retention_years": letters.retention_years,
            "keep_until": keep_until(state),
        },
        "journal": {"entries": state.seq, "head": state.head, "last_at": state.last_at},
        "hosts": [_host(state, name) for name in state.hosts],
        "verdicts": dict(Counter(str(v.verdict) for v in state.verdicts.values())),
        "plan_id": state.plan.id if state.plan else "",
        "decisions": [
            {"number": n, "approved": d.approved, "reason": d.reason}
            for n, d in sorted(state.decisions.items())
        ],
        "order": told.order,
        "steps": _steps(state),
        "phases": [_pick(run, RUN) for run in state.runs],
        "outcomes": told.outcomes,
        "signatures": [signature_facts(one) for one in signatures],
        "restores": [
            {"entry": r.signature.seq, "hosts": list(r.hosts), "reason": r.reason}
            for r in state.restores
        ],
        "relaxed": [_pick(r, RELAXED) for r in state.relaxed],
        "returns": [_pick(r, RETURN) for r in state.returns],
        "notes": [_pick(n, NOTE) for n in state.notes],
        "documents": [
            {**_pick(d, DOCUMENT), "current": state.documents.get(d.name) == d}
            for d in state.rendered
        ],
    }


def keep_until(state: CycleState) -> str:
    """Last day of retention: the office's years, counted from the end of the archive's year."""
    return f"{int(state.last_at[:4]) + state.office.letters.retention_years}-12-31"


def _pick(record: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


@dataclass
class _Told:
    """What entries say verbatim and the state does not hold."""

    plan: Any = None  # of the last plan.made
    order: Any = None  # in the words that were signed at step 4; a later return undoes it
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    revision: int = 1

    def see(self, entry: Entry) -> None:
        """Take in an entry; they come in their order."""
        match entry.kind:
            case "plan.made":
                self.plan = entry.body["plan"]
            case "gate.signed" if entry.step == 4:
                self.order = json.loads(entry.body["statement"]).get("order")
            case "gate.returned" if RETURNS.get(entry.step or 0) == 2:
                self.order = None
                self.revision += 1
            case "host.outcome":
                self.outcomes.append(_outcome(entry, self.revision))


def _plan(told: Any, state: CycleState) -> Iterable[str]:
    """The last plan in one piece, as in plan.json; as it was told where it was told in one."""
    if state.plan is None or "items" in told:
        return (canonical_json(told),)
    return state.plan.canonical()


def _host(state: CycleState, name: str) -> dict[str, Any]:
    verdict = state.verdicts.get(name)
    return {
        "name": name,
        "address": state.addresses.get(name, ""),
        "verdict": str(verdict.verdict) if verdict else "",
        "reason": verdict.reason if verdict else "",
    }


def _steps(state: CycleState) -> list[dict[str, Any]]:
    return [
        {
            "number": step.number,
            "role": step.role,
            "signers": list(step.signers),
            "standard_minutes": step.minutes,
            **_pick(state.steps[step.number], STEP),
        }
        for step in state.procedure
    ]


def _outcome(entry: Entry, revision: int) -> dict[str, Any]:
    body, evidence = entry.body, entry.body.get("evidence")
    facts: dict[str, Any] = {
        "entry": entry.seq,
        "revision": revision,
        "host": entry.host,
        "phase": body["phase"],
        "kind": body["kind"],
        "reason": body.get("reason", ""),
    }
    if isinstance(evidence, dict):
        items = [i for i in evidence.get("items") or [] if isinstance(i, dict)]
        problems = [p for p in evidence.get("problems") or [] if isinstance(p, dict)]
        facts["evidence"] = {
            **{k: evidence.get(k) for k in ("status", "transaction", "started", "ended")},
            "seconds": evidence.get("seconds"),
            "items": len(items),
            "results": dict(Counter(str(i["result"]) for i in items if i.get("result"))),
            "problems": [str(p.get("code", "")) for p in problems],
            "sha256": sha256_hex(canonical_json(evidence)),
        }
    return facts
