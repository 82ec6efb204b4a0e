"""Which step may open, pass or be sent back, and who may sign it. Pure rules of the SOP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from orchestrator.model.office import Duty, Office
from orchestrator.sop.procedure import procedure

StepStatus = Literal["waiting", "open", "passed"]

# Step → steps that must have passed before it may open. Steps 5 to 8 run side by side, wave by
# wave, so all of them hang on the order (4).
OPENS_AFTER: dict[int, tuple[int, ...]] = {
    1: (),
    2: (1,),
    3: (2,),
    4: (3,),
    5: (4,),
    6: (4,),
    7: (4,),
    8: (4,),
    9: (5, 8),
    10: (9,),
    11: (10,),
    12: (11,),
    13: (12,),
}
# Step → steps that must have passed before it may pass.
PASSES_AFTER: dict[int, tuple[int, ...]] = {5: (7,), 7: (6,), 8: (7,)}
# Steps that open by themselves as soon as they may.
SELF_OPENING = (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)
# Steps that open with their first phase, or at the latest when the named step has passed.
OPENS_AT_LATEST = {7: 6, 8: 7}
# Gate → step that a refusal goes back to.
RETURNS: dict[int, int] = {3: 2, 4: 2, 10: 9, 11: 9}


class IllegalStep(ValueError):
    """The procedure does not allow this now; the message says why."""


def may_open(steps: Mapping[int, StepStatus], step: int) -> bool:
    """Whether a waiting step's predecessors have all passed."""
    return steps[step] == "waiting" and all(steps[n] == "passed" for n in OPENS_AFTER[step])


def check_pass(steps: Mapping[int, StepStatus], step: int) -> None:
    """Raise IllegalStep unless the step is open and nothing before it is unfinished."""
    if steps[step] == "passed":
        raise IllegalStep(f"step {step} has passed already")
    if steps[step] != "open":
        raise IllegalStep(f"step {step} is not open")
    missing = [n for n in PASSES_AFTER.get(step, ()) if steps[n] != "passed"]
    if missing:
        raise IllegalStep(f"step {step} cannot pass before step {missing[0]}")


def return_target(steps: Mapping[int, StepStatus], step: int) -> int:
    """The step that a refusal of this open gate goes back to; raises IllegalStep otherwise."""
    if step not in RETURNS:
        raise IllegalStep(f"step {step} cannot be sent back")
    if steps[step] != "open":
        raise IllegalStep(f"step {step} is not open")
    return RETURNS[step]


# Pairs of duties that two persons must share: name, later gate, earlier one, in plain words.
# The Pengelola's signature of step 8 stands for who executed (6, 7) and who drafted (9).
SEPARATED: tuple[tuple[Duty, int, int, str], ...] = (
    ("order-test", 8, 4, "who orders the update does not execute or test it"),
    ("draft-verify", 10, 8, "who drafted the report does not verify it"),
    ("verify-establish", 11, 10, "who verified the report does not establish it"),
    ("draft-establish", 11, 8, "who drafted the report does not establish it"),
    ("test-together", 8, 8, "the second signer is not the first"),
)


def kept_apart(office: Office) -> tuple[tuple[Duty, int, int, str], ...]:
    """The pairs of duties that hold in this office."""
    if not office.rules.separation_of_duties:
        return ()
    return tuple(pair for pair in SEPARATED if pair[0] not in office.rules.relaxed_duties)


def duty_conflict(
    office: Office, step: int, officer: str, signed: Mapping[int, Mapping[str, str]]
) -> str:
    """Why `officer` may not sign `step`, or ''; `signed` is step → role → officer id."""
    drafter = next(s.role for s in procedure(office) if s.number == 9) or ""
    for _, later, earlier, words in kept_apart(office):
        if later != step:
            continue
        before = signed.get(earlier, {})
        # At step 8 the Analis tests too, but only the Pengelola drafts.
        only_drafter = earlier == 8 and later != 8
        holders = {before.get(drafter)} if only_drafter else set(before.values())
        if officer in holders:
            return words
    return ""
