"""`sop-run restore`: back to a cycle's backup, by an officer's signed order, at any time after it.

While the cycle is open the order is part of it, and the cycle goes on from the test (step 8). Once
it is closed its journal and archive stay as they are: an incidental cycle of its own restores,
refers to it, and has its own documents and archive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.fold_restore import may_restore, restore_step
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import now_utc
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.model.evidence import Phase
from orchestrator.model.office import Office, Officer
from orchestrator.model.statement import Statement
from orchestrator.model.text import printable
from orchestrator.model.verdict import Verdict
from orchestrator.office.load import load_office
from orchestrator.signature.ssh import sign as ssh_sign
from orchestrator.workflow.calendar import keep_calendar
from orchestrator.workflow.exclusive import alone_on, known_states
from orchestrator.workflow.gates import Signer, check_valid_today
from orchestrator.workflow.monthly import (
    Standing,
    adopt_office,
    carry_on,
    find_cycle,
    open_cycle,
)
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.remediate import hosts_in_scope, next_number
from orchestrator.workflow.run import Run
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.stop import SafeStop
from orchestrator.workflow.wayback import check_list, put_forward, source_of

WHOLE_GUEST = frozenset({"libvirt", "proxmox", "vmware"})
"""Back ends whose snapshot holds everything that a host has, not its system alone."""


@dataclass(frozen=True)
class Wish:
    """What is to be put back, and why."""

    hosts: tuple[str, ...]
    reason: str
    whole_guest: bool = False  # let a hypervisor's snapshot take data back as well


@dataclass(frozen=True)
class _Orderer:
    """Who orders it: the officer of this office, with this key (None: the agent's)."""

    office: Office
    officer: Officer
    key: Path | None


def restore(settings: Settings, signer: Signer, wish: Wish, progress: Progress) -> Standing:
    """Sign the order, restore, test, judge; then go on to the gate of step 8.

    Raises UsageError for whatever is not allowed; then nothing is recorded nor changed.
    """
    if not wish.reason.strip():
        raise UsageError("an order to restore needs a reason", "say it with --reason TEXT")
    wish = replace(wish, hosts=tuple(dict.fromkeys(wish.hosts)), reason=wish.reason.strip())
    folder = find_cycle(settings, signer.cycle)
    office = load_office(settings.office)
    by = _Orderer(office, _may_order(office, signer.officer), signer.key)
    state = read_state(folder)
    _require_backups(state, wish.hosts)
    _require_latest(settings, state, wish.hosts)
    if not wish.whole_guest:
        _require_no_guest(state, wish.hosts)
    if state.closed_at:
        return _in_own_cycle(settings, state, by, wish, progress)
    if state.steps[7].state != "passed":
        raise UsageError(
            f"cycle {state.cycle} is still changing hosts",
            f"bring it to step 8 first: sop-run monthly --period {state.cycle}",
        )
    with SafeStop() as stop, CycleBook(folder) as book:
        adopt_office(book, office)
        keep_calendar(book)
        run = Run(settings, book, progress, stop)
        with alone_on(settings, state.cycle, wish.hosts):
            _order(run, by, wish, {})
        return carry_on(run)


def _may_order(office: Office, officer_id: str) -> Officer:
    officer = office.officer(officer_id)
    if officer is None:
        known = ", ".join(o.id for o in office.officers)
        raise UsageError(f"office.yml has no officer {officer_id!r}", f"officers there: {known}")
    allowed = office.rules.restore_by
    if officer.role not in allowed:
        names = " or ".join(office.role_name(r) for r in allowed)
        who = ", ".join(o.id for r in allowed for o in office.with_role(r)) or "nobody"
        raise UsageError(
            f"a restore is ordered by {names}; {officer.id} is {office.role_name(officer.role)}",
            f"officers who may order it: {who} (office.yml, rules.restore_by)",
        )
    check_valid_today(officer, office.office.zone)
    return officer


def _require_backups(state: CycleState, hosts: tuple[str, ...]) -> None:
    """Every host must have been changed in the cycle after a proven backup."""
    for host in hosts:
        if host not in state.hosts:
            known = ", ".join(state.hosts[:20])
            raise UsageError(f"{host} is not in cycle {state.cycle}", f"its hosts: {known}")
        if not may_restore(state, host):
            raise UsageError(
                f"there is nothing to restore on {host}: cycle {state.cycle} did not change it "
                "after a proven backup, or it has been put back already",
                f"sop-run status {state.cycle} shows what became of each host",
            )


def _require_no_guest(state: CycleState, hosts: tuple[str, ...]) -> None:
    """A hypervisor puts the whole guest back, data included: nobody may order that unawares."""
    for host in hosts:
        outcome = state.last(host, Phase.BACKUP)
        evidence = outcome.read() if outcome is not None else None
        backup = (evidence.facts.get("backup") or {}) if evidence is not None else {}
        if backup.get("method") in WHOLE_GUEST:
            raise UsageError(
                f"the backup of {host} is a snapshot of the whole guest: whatever was written on "
                f"it since {printable(backup.get('created', 'then'), 40)} would be lost, data too",
                "if that is wanted, order it with --whole-guest",
            )


def _require_latest(settings: Settings, old: CycleState, hosts: tuple[str, ...]) -> None:
    """Refuse a backup from before another cycle's work: going back would undo that silently."""
    states = list(known_states(settings))
    undone = {
        (state.source.cycle, host)
        for state in states
        if state.source is not None
        for host, verdict in state.verdicts.items()
        if verdict.verdict is Verdict.RESTORED
    }
    for host in hosts:
        backup = _moment(old, host, Phase.BACKUP)
        for state in states:
            work = max(_moment(state, host, p) for p in (Phase.UPDATE, Phase.ANTIVIRUS))
            later = state.cycle != old.cycle and work > backup
            if later and may_restore(state, host) and (state.cycle, host) not in undone:
                raise UsageError(
                    f"cycle {state.cycle} has changed {host} since; going back to the backup of "
                    f"{old.cycle} would undo that, too",
                    f"restore it from {state.cycle} first",
                )


def _moment(state: CycleState, host: str, phase: Phase) -> str:
    """When a phase was done on a host, by the host's clock; '' when it was not."""
    outcome = state.last(host, phase)
    evidence = outcome.read() if outcome is not None else None
    return evidence.started if evidence is not None else ""


def _order(run: Run, by: _Orderer, wish: Wish, documents: dict[str, str]) -> None:
    state, officer = run.state, by.officer
    statement = Statement(
        cycle=state.cycle,
        step=restore_step(state),
        decision="restore",
        reason=wish.reason,
        officer=officer.id,
        role=officer.role,
        at=now_utc(),
        plan_id=state.plan.id if state.plan else "",
        journal_head=state.head,
        documents=documents,
        hosts=tuple(sorted(wish.hosts)),
    ).canonical()
    signature = ssh_sign(statement, officer, by.key)
    body = {"statement": statement, "signature": signature}
    run.book.record("restore.ordered", body, step=restore_step(state), actor=officer.id)


def _in_own_cycle(
    settings: Settings,
    old: CycleState,
    by: _Orderer,
    wish: Wish,
    progress: Progress,
) -> Standing:
    """An incidental cycle that restores from a closed one."""
    again = _restored_since(settings, old, wish)
    inventory = hosts_in_scope(settings, wish.hosts)
    if inventory.hosts != tuple(sorted(wish.hosts)):
        raise UsageError("HOST must be names of hosts, not patterns", "name each host")
    today = date.today()
    cycle = again or next_number(settings, CycleId(today.year, today.month))
    folder = settings.cycle_folder(str(cycle))
    with SafeStop() as stop, CycleBook(folder, create=True) as book:
        if not book.is_new and again is None:
            raise UsageError(f"cycle {cycle} was opened by another run just now", "run it again")
        if book.is_new:
            source = source_of(old, wish.hosts).model_dump(mode="json")
            occasion = {"reason": wish.reason, "source": source}
            open_cycle(settings, cycle, book, by.office, inventory, occasion=occasion)
        adopt_office(book, by.office)
        run = Run(settings, book, progress, stop)
        put_forward(run)
        shown = check_list(run)
        with alone_on(settings, str(cycle), wish.hosts):
            _order(run, by, wish, shown)
        return carry_on(run)


def _restored_since(settings: Settings, old: CycleState, wish: Wish) -> CycleId | None:
    """The open, not yet ordered cycle of an interrupted call for the same hosts.

    Raises UsageError when one of the hosts was restored from that cycle since.
    """
    for state in known_states(settings):
        if state.source is None or state.source.cycle != old.cycle:
            continue
        both = sorted(set(wish.hosts) & set(state.hosts))
        if both and not state.restores and set(state.hosts) == set(wish.hosts):
            return CycleId.parse(state.cycle)
        if both and state.restores and not state.closed_at:
            raise UsageError(
                f"cycle {state.cycle} is restoring {both[0]} already",
                f"go on with it: sop-run monthly --period {state.cycle}",
            )
    return None
