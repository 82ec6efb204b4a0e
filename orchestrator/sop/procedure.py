"""The procedure as an office runs it: the SOP with the office's own roles, times and words."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.model.office import ROLE_NAMES, Office, StepOverride
from orchestrator.sop.default import STEPS as DEFAULT
from orchestrator.sop.default import SURAKARTA
from orchestrator.sop.step import Procedure, Step

__all__ = ["DEFAULT", "ROLE_NAMES", "Procedure", "Step", "procedure", "whole"]


def procedure(office: Office) -> tuple[Step, ...]:
    """The 13 steps with the office's own roles, times and names; gates can not be removed."""
    return tuple(_step(office, step, office.steps.get(step.number)) for step in DEFAULT)


def whole(office: Office) -> Procedure:
    """The procedure with everything around its steps, in the office's words where it has any."""
    own = {name: words for name, words in office.sop if words}
    return replace(SURAKARTA, steps=procedure(office), **own)


def _step(office: Office, step: Step, change: StepOverride | None) -> Step:
    if change is not None:
        role, partner = change.role or step.role, change.partner or step.partner
        # The role's place among the signers is kept. One role in both places would be a gate with
        # one signature: load_office refuses it, and a journal that has it says so (relaxed.py).
        signers = tuple(role if s == step.role else partner for s in step.signers)
        step = replace(
            step,
            role=role,
            signers=tuple(dict.fromkeys(s for s in signers if s is not None)),
            minutes=change.minutes or step.minutes,
            kegiatan=change.name or step.kegiatan,
            needs=change.needs or step.needs,
            outputs=change.outputs or step.outputs,
            remark=change.remark or step.remark,
        )
    if step.partner is not None:  # the remark names who tests together, whatever their name
        partner_name = office.role_name(step.partner)
        step = replace(step, remark=step.remark.replace("{partner}", partner_name))
    return step
