"""Who carries out and signs each step, and the signatures that were given."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.records import People, SignatureRow, Signer
from orchestrator.documents.content.said import say
from orchestrator.journal.state import CycleState, SignatureRecord
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.office import ROLE_NAMES, Officer, Role
from orchestrator.signature.ssh import key_fingerprint
from orchestrator.sop.procedure import Step

_BLANK = "." * 32


def people(state: CycleState, horizon: int, labels: Labels, signing: Mapping[int, str]) -> People:
    """The signature blocks; signatures on steps after `horizon` are not looked at.

    `signing` are the officers who are about to sign, by step.
    """

    def of(number: int, role: Role | None = None) -> Signer:
        officer = state.office.officer(signing.get(number, ""))
        return signer(state, step_of(state, number), horizon, labels, role=role, officer=officer)

    test = step_of(state, 8)
    second = test.partner or test.role
    return People(
        checker=of(2),
        confirmer=of(3),
        orderer=of(4),
        monitor=of(5),
        executor=of(7),
        tester=of(8, test.role),
        second_tester=of(8, second),
        drafter=of(9),
        verifier=of(10),
        establisher=of(11),
    )


def step_of(state: CycleState, number: int) -> Step:
    """The step with this number, as the office runs it."""
    return next(s for s in state.procedure if s.number == number)


def officer_of(
    state: CycleState, step: Step, horizon: int, role: Role | None = None
) -> Officer | None:
    """Who signed or did a step; else the only officer of its role; None when that is open."""
    wanted = role or step.role
    if step.number <= horizon:
        # Who signed did so, even where office.yml has somebody else by now.
        for record in state.signed(step.number):
            now = state.office.officer(record.officer)
            if record.role == wanted and record.person and (now is None or now.role != wanted):
                return record.person
        ids = [s.officer for s in state.signed(step.number)] + [state.steps[step.number].actor]
        for officer_id in ids:
            officer = state.office.officer(officer_id)
            if officer is not None and officer.role == wanted:
                return officer
    candidates = state.office.with_role(wanted) if wanted else ()
    return candidates[0] if len(candidates) == 1 else None


def signer(
    state: CycleState,
    step: Step,
    horizon: int,
    labels: Labels,
    *,
    role: Role | None = None,
    officer: Officer | None = None,
) -> Signer:
    """A signature block; what is not known is a dotted line to be filled in by hand."""
    wanted = role or step.role
    position = say(labels.translated(state.office.role_name(wanted)), 160) if wanted else NONE
    officer = officer or officer_of(state, step, horizon, role)
    if officer is None:
        return Signer(position, _BLANK, NONE, _BLANK, known=False)
    return Signer(
        position, say(officer.name, 120), say(officer.rank, 80), say(officer.nip, 40), known=True
    )


def signature_rows(
    state: CycleState, horizon: int, labels: Labels, clock: Clock
) -> tuple[SignatureRow, ...]:
    """All signatures up to a step, in the order in which they were given."""
    return tuple(
        SignatureRow(
            step=s.step,
            activity=labels.word("step_short", str(s.step)),
            name=say(s.name, 120),
            role=labels.translated(_position(state, s)),
            at=clock.moment(s.at),
            fingerprint=key_fingerprint(s.signature) or NONE,
            sha256=sha256_hex(s.signature),
            entry=s.seq,
        )
        for s in sorted(state.signatures, key=lambda s: s.seq)
        if s.step <= horizon
    )


def _position(state: CycleState, record: SignatureRecord) -> str:
    names = {str(r): state.office.role_name(r) for r in ROLE_NAMES}
    return say(names.get(record.role, record.role), 160)
