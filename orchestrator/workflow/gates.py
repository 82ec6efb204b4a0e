"""Signing a gate, and sending it back (SOP steps 3, 4, 8, 10, 11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestrator.documents.render import marks_of
from orchestrator.journal.book import CycleBook
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import now_utc
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import UsageError
from orchestrator.model.office import Officer
from orchestrator.model.plan import Order
from orchestrator.model.statement import ItemDecision, Statement
from orchestrator.office.load import load_office
from orchestrator.signature.ssh import sign as ssh_sign
from orchestrator.sop.procedure import ROLE_NAMES, Step
from orchestrator.sop.window import FORM, parse_window
from orchestrator.workflow.monthly import SHOWN, Standing, adopt_office, carry_on, find_cycle
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.run import Run
from orchestrator.workflow.settings import Settings


@dataclass(frozen=True)
class Choices:
    """What an officer decides besides signing."""

    defer: dict[int, str] = field(default_factory=dict)  # step 3: item number → reason
    window: str = ""  # step 4: START/END in the office's time
    checklist: Path | None = None  # step 3: the marked check list


@dataclass(frozen=True)
class Signer:
    """Who signs which cycle, with which private key (None: the officer's key in the agent)."""

    cycle: str
    officer: str
    key: Path | None = None


def sign(
    settings: Settings, signer: Signer, progress: Progress, choices: Choices | None = None
) -> Standing:
    """Pass the open gate with the officer's choices.

    Then the paper work of the next step is done; hosts are only worked on by `sop-run monthly`.
    Raises UsageError for whatever the procedure does not allow; nothing is recorded then.
    """
    return _decide(settings, signer, progress, choices=choices or Choices(), reason="")


def send_back(settings: Settings, signer: Signer, progress: Progress, reason: str) -> Standing:
    """Send the open gate back with a reason: 3 and 4 to step 2, 10 and 11 to step 9."""
    if not reason.strip():
        raise UsageError("a return needs a reason", "say it with --reason TEXT")
    return _decide(settings, signer, progress, choices=Choices(), reason=reason.strip())


def _decide(
    settings: Settings, signer: Signer, progress: Progress, *, choices: Choices, reason: str
) -> Standing:
    folder = find_cycle(settings, signer.cycle)
    office = load_office(settings.office)
    with CycleBook(folder) as book:
        adopt_office(book, office)
        run = Run(settings, book, progress)
        gate, officer = _may_sign(run.state, signer.officer)
        if reason and gate.returns_to is None:
            raise UsageError(f"step {gate.number} ({gate.title}) cannot be sent back")
        statement = Statement(
            cycle=run.state.cycle,
            step=gate.number,
            decision="return" if reason else "sign",
            reason=reason,
            officer=officer.id,
            role=officer.role,
            at=now_utc(),
            plan_id=run.state.plan.id if run.state.plan else "",
            journal_head=run.state.head,
            documents=_shown(run, gate),
            decisions=_decisions(run, gate, choices),
            order=_order(run.state, gate, choices.window, returned=bool(reason)),
        ).canonical()
        signature = ssh_sign(statement, officer, signer.key)
        kind = "gate.returned" if reason else "gate.signed"
        body = {"statement": statement, "signature": signature}
        run.book.record(kind, body, step=gate.number, actor=officer.id)
        return carry_on(run, hosts=False)


def _may_sign(state: CycleState, officer_id: str) -> tuple[Step, Officer]:
    """The open gate and the officer; raises UsageError when there is none, or the wrong one."""
    gate = state.gate
    if gate is None:
        hint = (
            "the cycle is closed"
            if state.closed_at
            else f"run: sop-run monthly --period {state.cycle}"
        )
        raise UsageError(f"no gate of cycle {state.cycle} waits for a signature", hint)
    officer = state.office.officer(officer_id)
    if officer is None:
        known = ", ".join(o.id for o in state.office.officers)
        raise UsageError(f"office.yml has no officer {officer_id!r}", f"officers there: {known}")
    open_roles = [r for r in gate.signers if r not in {s.role for s in state.signed(gate.number)}]
    if officer.role not in open_roles:
        names = " and ".join(ROLE_NAMES[r] for r in open_roles)
        raise UsageError(
            f"step {gate.number} ({gate.title}) waits for {names}; "
            f"{officer.id} is {ROLE_NAMES[officer.role]}",
            "officers who may sign: "
            + (", ".join(o.id for r in open_roles for o in state.office.with_role(r)) or "nobody"),
        )
    may_act_today(officer)
    return gate, officer


def may_act_today(officer: Officer) -> None:
    """Raises UsageError outside the dates in which an officer may sign."""
    today = date.today().isoformat()
    if (officer.valid_from and today < officer.valid_from) or (
        officer.valid_until and today > officer.valid_until
    ):
        raise UsageError(
            f"officer {officer.id!r} may not sign today: valid from "
            f"{officer.valid_from or 'ever'} until {officer.valid_until or 'ever'}",
            "sign as another officer of the role, or correct the dates in office.yml",
        )


def _shown(run: Run, gate: Step) -> dict[str, str]:
    """Hashes of the documents that the officer was shown; a changed file is refused."""
    shown = {}
    for name in SHOWN[gate.number]:
        record = run.state.documents.get(name)
        path = run.documents / name
        if record is None or not path.is_file():
            raise UsageError(
                f"{name} is missing", f"run: sop-run monthly --period {run.state.cycle}"
            )
        if sha256_hex(path.read_bytes()) != record.sha256:
            raise UsageError(
                f"{path} is not the document that was made: it was changed since",
                f"run `sop-run documents {run.state.cycle}` to make it again, then look at it",
            )
        shown[str(name)] = record.sha256
    return shown


def _decisions(run: Run, gate: Step, choices: Choices) -> tuple[ItemDecision, ...]:
    state, templates = run.state, run.settings.templates
    defer, checklist = choices.defer, choices.checklist
    if not defer and checklist is None:
        return ()
    if gate.number != 3:
        option = "--checklist" if checklist else "--defer"
        raise UsageError("items are decided on at step 3 only", f"leave out {option}")
    if checklist is not None:
        if defer:
            raise UsageError(
                "--defer and --checklist both decide on items", "mark all of them in the file"
            )
        return tuple(
            ItemDecision(number=n, approved=mark.approved, reason=mark.remark)
            for n, mark in sorted(marks_of(checklist, state, templates=templates).items())
            if mark.remark or not mark.approved
        )
    known = {i.number for i in state.plan.items} if state.plan else set()
    unknown = sorted(set(defer) - known)
    if unknown:
        raise UsageError(
            f"the check list has no item {unknown[0]}", f"it has items 1 to {len(known)}"
        )
    return tuple(
        ItemDecision(number=n, approved=False, reason=why) for n, why in sorted(defer.items())
    )


def _order(state: CycleState, gate: Step, window: str, *, returned: bool) -> Order | None:
    """Step 4's order: the office's rules and the window that the officer names."""
    if gate.number != 4:
        if window:
            raise UsageError("a window is ordered at step 4 only", "leave out --window")
        return None
    if returned:
        return None
    start = end = ""
    if window:
        try:
            start, end = parse_window(window, state.office.office.zone)
        except ValueError as error:
            raise UsageError(f"--window: {error}", f"for example --window '{FORM}'") from error
    rules = state.office.rules
    return Order(
        canary=rules.canary,
        wave=rules.wave,
        abort_limit=rules.abort_limit,
        reboot=rules.reboot,
        window_start=start,
        window_end=end,
    )
