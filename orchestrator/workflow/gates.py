"""Signing a gate, and sending it back (SOP steps 3, 4, 8, 10, 11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestrator.documents.names import DocumentName
from orchestrator.documents.render import marks_of
from orchestrator.journal.book import CycleBook
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import now_utc
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import UsageError
from orchestrator.model.office import Officer
from orchestrator.model.statement import ItemDecision, Statement
from orchestrator.office.load import load_office
from orchestrator.signature.ssh import sign as ssh_sign
from orchestrator.sop.procedure import Step
from orchestrator.sop.shown import DEMANDED
from orchestrator.workflow.calendar import keep_calendar
from orchestrator.workflow.monthly import SHOWN, Standing, adopt_office, carry_on, find_cycle
from orchestrator.workflow.number import final_number
from orchestrator.workflow.order import Terms, ordered, show_order
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.reasons import signed_reasons
from orchestrator.workflow.run import Run, kept_copy
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.signed import PdfKeyFile, sign_report


@dataclass(frozen=True)
class Choices:
    """What an officer decides besides signing."""

    defer: dict[int, str] = field(default_factory=dict)  # step 3: item number → reason
    terms: Terms = field(default_factory=Terms)  # step 4: how the work is to be done
    checklist: Path | None = None  # step 3: the marked check list
    reasons: dict[int, str] = field(default_factory=dict)
    """Step → why it took longer than its standard time; 0: every step that lacks a reason."""
    pdf_key: PdfKeyFile | None = None  # steps 10 and 11: the certificate for the PDF
    number: str = ""  # step 11: the report's number; '': by the office's pattern


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

    Reasons for steps that took longer are part of what is signed. Then the paper work of the next
    step is done; hosts are only worked on by `sop-run monthly`.
    Raises UsageError for whatever the procedure does not allow; nothing is recorded then but, at
    step 4, the terms that the order's document was made with.
    """
    return _decide(settings, signer, progress, choices=choices or Choices(), reason="")


def send_back(settings: Settings, signer: Signer, progress: Progress, reason: str) -> Standing:
    """Send the open gate back with a reason: 3 and 4 to step 2, 10 and 11 to step 9.

    Nothing is made at once: the drafter reads the reason and adds notes, the Pengelola looks after
    the hosts; then `sop-run monthly` goes on.
    """
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
        keep_calendar(book)
        run = Run(settings, book, progress)
        gate, officer = _may_sign(run.state, signer.officer)
        if reason and gate.returns_to is None:
            raise UsageError(f"step {gate.number} ({gate.title}) cannot be sent back")
        at = now_utc()
        order = ordered(run.state, gate.number, choices.terms, returned=bool(reason))
        if order is not None:
            show_order(run, order)
        shown = _shown(run, gate)
        number, serial = final_number(settings, run.state, gate.number, choices.number)
        pdf = None
        if choices.pdf_key is not None:
            pdf = sign_report(run, gate.number, officer, choices.pdf_key, number)
        statement = Statement(
            cycle=run.state.cycle,
            step=gate.number,
            decision="return" if reason else "sign",
            reason=reason,
            officer=officer.id,
            role=officer.role,
            at=at,
            plan_id=run.state.plan.id if run.state.plan else "",
            journal_head=run.state.head,
            documents=shown,
            decisions=_decisions(run, gate, choices),
            order=order,
            reasons=signed_reasons(run.state, choices.reasons, at),
            pdf=pdf,
            number="" if reason else number,
            serial=None if reason else serial,
        ).canonical()
        try:
            signature = ssh_sign(statement, officer, signer.key)
            kind = "gate.returned" if reason else "gate.signed"
            body = {"statement": statement, "signature": signature}
            run.book.record(kind, body, step=gate.number, actor=officer.id)
        except (UsageError, IllegalEntry):
            if pdf is not None:  # nothing speaks of it: a refused signature leaves no signed PDF
                kept_copy(folder, pdf.sha256).unlink(missing_ok=True)
            raise
        if reason:
            return Standing(run.state, folder, run.state.gate, "monthly")
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
    officer = officer_named(state, officer_id)
    open_roles = [r for r in gate.signers if r not in {s.role for s in state.signed(gate.number)}]
    if officer.role not in open_roles:
        names = " and ".join(state.office.role_name(r) for r in open_roles)
        raise UsageError(
            f"step {gate.number} ({gate.title}) waits for {names}; "
            f"{officer.id} is {state.office.role_name(officer.role)}",
            "officers who may sign: "
            + (", ".join(o.id for r in open_roles for o in state.office.with_role(r)) or "nobody"),
        )
    check_valid_today(officer, state.office.office.zone)
    return gate, officer


def officer_named(state: CycleState, officer_id: str) -> Officer:
    """The officer with this id; raises UsageError naming those that there are."""
    officer = state.office.officer(officer_id)
    if officer is None:
        known = ", ".join(o.id for o in state.office.officers)
        raise UsageError(f"office.yml has no officer {officer_id!r}", f"officers there: {known}")
    return officer


def check_valid_today(officer: Officer, zone: ZoneInfo) -> None:
    """Raise UsageError on days, in the office's time zone, on which the officer may not sign."""
    today = datetime.now(zone).date().isoformat()
    if (officer.valid_from and today < officer.valid_from) or (
        officer.valid_until and today > officer.valid_until
    ):
        raise UsageError(
            f"officer {officer.id!r} may not sign today: valid from "
            f"{officer.valid_from or 'ever'} until {officer.valid_until or 'ever'}",
            "sign as another officer of the role, or correct the dates in office.yml",
        )


def _shown(run: Run, gate: Step) -> dict[str, str]:
    """Hashes of the documents that the officer was shown; a changed file is refused.

    Those that the fold demands are named, too: at step 11 the draft that was verified.
    """
    shown = {}
    for name in dict.fromkeys((*SHOWN[gate.number], *map(DocumentName, DEMANDED[gate.number]))):
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
    last = len(state.plan.items) if state.plan else 0
    unknown = sorted(number for number in defer if not 1 <= number <= last)
    if unknown:
        raise UsageError(f"the check list has no item {unknown[0]}", f"it has items 1 to {last}")
    return tuple(
        ItemDecision(number=n, approved=False, reason=why) for n, why in sorted(defer.items())
    )
