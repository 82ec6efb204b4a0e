"""Where an office goes below the SOP's rules: nothing is relaxed without being said. Pure.

Each relaxation has a stable code; documents have words for it (labels: `relaxed`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.model.amount import UNLIMITED
from orchestrator.model.office import Office
from orchestrator.model.plan import Order
from orchestrator.sop.machine import SEPARATED
from orchestrator.sop.procedure import DEFAULT, procedure
from orchestrator.sop.step import Step


@dataclass(frozen=True)
class Relaxation:
    """A rule that does not hold: its code, in plain words, and the facts for other languages."""

    code: str
    words: str
    facts: dict[str, str] = field(default_factory=dict)


def relaxations(office: Office, order: Order | None = None) -> tuple[Relaxation, ...]:
    """Everything that is relaxed under office.yml, or in the order once there is one (step 4)."""
    return (*_duties(office), *_gates(office), *_work(office), *_times(office),
            *_waves(office, order), *_restores(office))  # fmt: skip


def _restores(office: Office) -> Iterator[Relaxation]:
    """The Kepala orders updates, and so what puts hosts back."""
    others = [r for r in office.rules.restore_by if r != "kepala"]
    if others:
        roles = ", ".join(office.role_name(r) for r in others)
        yield Relaxation("restore", f"a restore may be ordered by {roles}, too", {"now": roles})


def _duties(office: Office) -> Iterator[Relaxation]:
    if not office.rules.separation_of_duties:
        yield Relaxation("duties", "separation of duties is off: one officer may sign any gates")
        return
    for name, _, _, words in SEPARATED:
        if name in office.rules.relaxed_duties:
            yield Relaxation(f"duty-{name}", f"not required: {words}")


def _gates(office: Office) -> Iterator[Relaxation]:
    """Gates that another role signs than the SOP says."""
    steps = procedure(office)
    for standard, step in zip(DEFAULT, steps, strict=True):
        if step.signers == standard.signers:
            continue
        facts = {
            "step": str(step.number),
            "now": " + ".join(office.role_name(r) for r in step.signers),
            "standard": " + ".join(office.role_name(r) for r in standard.signers),
        }
        words = f"step {facts['step']} is signed by {facts['now']}, in the SOP by "
        words += facts["standard"]
        code, others = "gate", _also_signed(step, steps)
        if len(step.signers) < len(standard.signers):
            code, words = "gate-single", f"{words}: one signature instead of two"
        elif others:
            code, facts["others"] = "gate-shared", others
            words += f"; the same role signs step {others}"
        yield Relaxation(code, words, facts)


def _also_signed(step: Step, steps: tuple[Step, ...]) -> str:
    """Numbers of the gates that the SOP gives to others than those who sign this one."""
    before = {s.number for s in DEFAULT if set(s.signers) & set(DEFAULT[step.number - 1].signers)}
    shared = [s.number for s in steps if set(s.signers) & set(step.signers)]
    return ", ".join(str(n) for n in shared if n not in before and n != step.number)


def _work(office: Office) -> Iterator[Relaxation]:
    """Who executes or drafts is known by the signature of step 8; without it nobody is."""
    steps = {s.number: s for s in procedure(office)}
    for number in (7, 9):
        step = steps[number]
        if step.role is not None and step.role not in steps[8].signers:
            role = office.role_name(step.role)
            yield Relaxation(
                "work-unsigned",
                f"step {number} falls to {role}, who does not sign step 8: who did it is not "
                "proven, so it is not kept apart from who orders, verifies or establishes",
                {"step": str(number), "now": role},
            )


def _times(office: Office) -> Iterator[Relaxation]:
    for standard, step in zip(DEFAULT, procedure(office), strict=True):
        if step.minutes and standard.minutes and step.minutes > standard.minutes:
            facts = {
                "step": str(step.number),
                "now": str(step.minutes),
                "standard": str(standard.minutes),
            }
            words = f"step {step.number} may take {step.minutes} min, in the SOP {standard.minutes}"
            yield Relaxation("time", words, facts)


def _waves(office: Office, order: Order | None) -> Iterator[Relaxation]:
    terms = order if order is not None else office.rules
    if terms.canary == 0:
        yield Relaxation("canary", "no canary: the first wave is as large as the others")
    if terms.abort_limit in (UNLIMITED, "100%"):
        yield Relaxation("abort-limit", "no abort limit: waves go on however many hosts fail")
