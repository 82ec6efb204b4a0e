"""A journal replayed by an auditor: chain, procedure, signatures, plan, work and verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from orchestrator.archive.report import Report
from orchestrator.archive.signed import Signed, signed
from orchestrator.archive.trust import Trusted
from orchestrator.journal.bodies import OnDisk
from orchestrator.journal.entry import BrokenChain, Entry
from orchestrator.journal.fold import IllegalEntry, step_forward
from orchestrator.journal.judge import judge
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import StoredEntries, read_entries
from orchestrator.journal.times import jump_seconds
from orchestrator.journal.work import transaction_of
from orchestrator.model.errors import UsageError
from orchestrator.model.evidence import CHANGING, Outcome, OutcomeKind, Phase
from orchestrator.model.note import NoteStatement
from orchestrator.model.plan import Item, Part, Whole
from orchestrator.model.statement import Statement
from orchestrator.signature.ssh import key_fingerprint, verify


def replay(report: Report, path: Path, *, frozen: bool, trusted: Trusted | None) -> Iterable[Entry]:
    """Check a journal; `report.state` is set when it folds to its end. Returns its entries.

    Each pass over them reads the file again, so that a journal of any size is verified in little
    memory, and finds it when the file is another one by then.
    """
    entries = _chain(report, path, frozen=frozen)
    if entries is None:
        return ()
    facts = _Facts()
    state: CycleState | None = None
    bodies = OnDisk(path, frozen=frozen)
    procedure = "procedure: every entry is allowed where it stands"
    try:
        for entry in entries:
            if state is not None:
                facts.look(state, entry)
            state = step_forward(state, entry, bodies)
        signatures = signed(entries)
    except (IllegalEntry, BrokenChain) as error:
        report.add(procedure, False, str(error))
        return entries
    report.add(procedure, True, f"{entries.count} entries, 13 steps of the SOP")
    _signatures(report, signatures, trusted)
    facts.tell(report)
    report.add("journal: times", True, _times(state))
    report.state = state
    return entries


def _chain(report: Report, path: Path, *, frozen: bool) -> StoredEntries | None:
    name, count, head = "journal: hash chain", 0, ""
    try:
        for entry in read_entries(path, frozen=frozen):
            count, head = entry.seq, entry.hash
    except BrokenChain as error:
        report.add(name, False, str(error))
        return None
    except UsageError as error:
        report.add(name, False, error.message)
        return None
    if not count:
        report.add(name, False, "the journal is empty")
        return None
    report.add(name, True, f"{count} entries, head {head[:16]}…")
    return StoredEntries(path, count, head, frozen=frozen)


def _signatures(report: Report, found: Iterable[Signed], trusted: Trusted | None) -> None:
    """Each signature against the officer's keys as office.yml had them then."""
    owners: dict[str, str] = {}
    count = 0
    for one in found:
        count += 1
        entry = one.entry
        name = f"signature: step {entry.step} by {entry.actor} (journal entry {entry.seq})"
        reason = _why_not(one, trusted)
        fingerprint = key_fingerprint(entry.body["signature"])
        owner = owners.setdefault(fingerprint, entry.actor)
        if not reason and owner != entry.actor:
            reason = f"it was made with the key of {owner}"
        report.add(name, not reason, reason or f"{one.decision}, key {fingerprint}")
    if not count:
        report.add("signatures", True, "no gate has been signed yet")


def _why_not(one: Signed, trusted: Trusted | None) -> str:
    """Why a signature is not valid, or ''."""
    keys = one.keys
    if trusted is not None:
        # Only keys that the auditor trusts may have made it, not just any of the officer's.
        keys = tuple(k for k in keys if trusted.holds(one.entry.actor, k))
        if not keys:
            return "the officer's key is not among the trusted ones"
    body = one.entry.body
    model = NoteStatement if one.decision == "note" else Statement
    officer, zone = one.entry.actor, one.zone
    try:
        at = model.model_validate_json(body["statement"]).at
        return verify(
            body["statement"], body["signature"], officer, keys, at=at, valid=one.valid, zone=zone
        )
    except (ValueError, OSError) as error:
        return f"it cannot be read: {error}"


def _times(state: CycleState | None) -> str:
    """A clock that was set back is remarked, not failed: the chain says in which order it was."""
    jumps = state.jumps if state is not None else []
    if not jumps:
        return "no entry is earlier than the one before it"
    worst = max(jumps, key=jump_seconds)
    return (
        f"remark: the clock went back {len(jumps)} times, by {jump_seconds(worst):.0f} s at entry "
        f"{worst.seq}; the order of the entries is proven, durations across it are not stated"
    )


class _Facts:
    """What follows from the evidence and must be on record just so."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}
        self.counts = {"plan": 0, "work": 0, "verdicts": 0}

    def look(self, state: CycleState, entry: Entry) -> None:
        """Compare one entry, before it is applied, with what the state says."""
        try:
            if entry.kind == "plan.part":
                part = Part.model_validate({**entry.body, "host": entry.host})
                self._blame("plan", entry, _why_no_part(state, part))
            elif entry.kind == "plan.made":
                self._say("plan", entry, _why_no_plan(state, entry))
            elif entry.kind == "host.outcome":
                self._say("work", entry, _why_no_work(state, entry))
            elif entry.kind == "host.verdict":
                self._say("verdicts", entry, _why_no_verdict(state, entry))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            what = {"host.outcome": "work", "host.verdict": "verdicts"}.get(entry.kind, "plan")
            self._say(what, entry, f"it cannot be compared: {error!r}")

    def _say(self, what: str, entry: Entry, reason: str) -> None:
        self.counts[what] += 1
        self._blame(what, entry, reason)

    def _blame(self, what: str, entry: Entry, reason: str) -> None:
        if reason:
            self.wrong.setdefault(what, f"journal entry {entry.seq}: {reason}")

    def tell(self, report: Report) -> None:
        """Record one check for each kind of fact."""
        for what, name, unit in (
            ("plan", "plan: every item is in the evidence of its host's check", "plans"),
            ("work", "work: all of it was done for the plan that was signed", "answers of hosts"),
            ("verdicts", "verdicts: each follows from the evidence", "verdicts"),
        ):
            wrong = self.wrong.get(what)
            report.add(name, wrong is None, wrong or f"{self.counts[what]} {unit}")


def _why_no_plan(state: CycleState, entry: Entry) -> str:
    body = entry.body["plan"]
    whole = Whole.model_validate(body).plan() if "items" in body else None
    plan = whole or state.planned(body["origin"], body["revision"])
    if plan.id != entry.body["id"]:
        return "the plan's id is not its SHA-256"
    reasons = (_why_no_part(state, part) for part in whole.parts) if whole is not None else ()
    return next((reason for reason in reasons if reason), "")


def _why_no_part(state: CycleState, part: Part) -> str:
    """Why items of a host are not what was found there, or ''."""
    if state.source is not None:
        # What goes back stands in the evidence of the closed cycle, whose archive has it.
        known = state.source.backups.get(part.host)
        return "" if known else f"the closed cycle has no backup of {part.host}"
    fields = set(Item.model_fields) - {"number", "host"}
    outcome = state.last(part.host, Phase.CHECK)
    evidence = outcome.read() if outcome is not None else None
    offered = [e.model_dump(include=fields) for e in evidence.items] if evidence else []
    for item in part.items:
        if item.model_dump(include=fields) not in offered:
            return f"item {item.number} ({item.name} on {item.host}) is not what its check found"
    return ""


def _why_no_work(state: CycleState, entry: Entry) -> str:
    outcome = Outcome.recorded(entry.host, entry.body)
    if outcome.kind is not OutcomeKind.EVIDENCE or outcome.phase not in CHANGING:
        return ""
    evidence = outcome.read()
    wanted = transaction_of(state, entry.host, outcome.phase)
    if evidence is None or evidence.phase is not outcome.phase or evidence.transaction != wanted:
        return f"the answer of {entry.host} belongs to another plan, host or phase"
    return ""


def _why_no_verdict(state: CycleState, entry: Entry) -> str:
    wanted = judge(state, entry.host)
    said = (entry.body["verdict"], entry.body.get("reason", ""))
    if said != (str(wanted.verdict), wanted.reason):
        return (
            f"{entry.host} is recorded as {said[0]} ({said[1]}), the evidence says "
            f"{wanted.verdict} ({wanted.reason})"
        )
    return ""
