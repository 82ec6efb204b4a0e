"""The procedure as a flowchart: which shape stands in whose column, and which arrows lead where.

Drawn as Indonesian SOPs are (PermenPAN-RB 35/2012): roles as columns, one step in a row,
terminator, process box and decision diamond, with needs, standard time and output (Mutu Baku).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.said import say
from orchestrator.model.office import ROLE_NAMES, Office
from orchestrator.sop.machine import OPENS_AFTER, OPENS_AT_LATEST, PASSES_AFTER
from orchestrator.sop.procedure import whole
from orchestrator.sop.relaxed import relaxations
from orchestrator.sop.step import Step


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One row: a shape in the column of its role, and in a second one where two work together."""

    number: int
    activity: str
    shape: Literal["terminator", "process", "decision"]
    column: int  # from 0, in the order of `Flow.roles`
    partner: int | None  # column of the second shape
    needs: tuple[str, ...]
    time: str
    outputs: tuple[str, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class FlowEdge:
    """An arrow from one step to another."""

    source: int
    target: int
    kind: Literal["next", "yes", "no"]


@dataclass(frozen=True, slots=True)
class Flow:
    """Everything that the picture shows."""

    title: str
    government: str
    agency: str
    unit: str
    roles: tuple[str, ...]
    steps: tuple[FlowStep, ...]
    edges: tuple[FlowEdge, ...]
    total: str  # the standard times, summed up
    relaxed: tuple[str, ...]  # rules of the SOP that do not hold in this office

    def as_data(self) -> dict[str, Any]:
        """The picture's content as plain lists and mappings."""
        return asdict(self)


def build_flow(office: Office, labels: Labels) -> Flow:
    """The flowchart of the procedure as this office runs it."""
    sop, letterhead = whole(office), office.office
    roles = tuple(ROLE_NAMES)
    column = {role: n for n, role in enumerate(roles)}
    rows: list[FlowStep] = []
    for step in sop.steps:
        before = rows[-1].column if rows else 0
        rows.append(
            FlowStep(
                number=step.number,
                activity=say(step.kegiatan),
                shape=step.shape,
                column=column[step.role] if step.role else before,
                partner=column[step.partner] if step.partner else None,
                needs=tuple(say(n) for n in step.needs),
                time=duration(step.minutes, labels),
                outputs=tuple(say(o) for o in step.outputs),
                remark=_remark(step, labels),
            )
        )
    return Flow(
        title=say(sop.title),
        government=say(letterhead.government, 120),
        agency=say(letterhead.agency, 160),
        unit=say(letterhead.unit, 160),
        roles=tuple(say(office.role_name(r), 160) for r in roles),
        steps=tuple(rows),
        edges=edges(sop.steps),
        total=_total(sop.steps, labels),
        relaxed=tuple(
            say(labels.word("relaxed", r.code).format_map(r.facts)) for r in relaxations(office)
        ),
    )


def edges(steps: tuple[Step, ...]) -> tuple[FlowEdge, ...]:
    """The arrows, out of the rules of the state machine: what opens after what, what goes back."""
    found = []
    shapes = {s.number: s.shape for s in steps}
    for step in steps:
        alone = step.number not in OPENS_AT_LATEST
        after = OPENS_AFTER[step.number] if alone else PASSES_AFTER[step.number]
        found += [
            FlowEdge(n, step.number, "yes" if shapes[n] == "decision" else "next") for n in after
        ]
        if step.shape == "decision" and step.returns_to is not None:
            found.append(FlowEdge(step.number, step.returns_to, "no"))
    return tuple(found)


def duration(minutes: int | None, labels: Labels) -> str:
    """`2 jam`, `15 menit`, `1 jam 15 menit`; empty for a step without standard time."""
    hours, rest = divmod(minutes or 0, 60)
    parts = ((hours, "hours"), (rest, "minutes"))
    return " ".join(labels.word("flow", key).format(n=n) for n, key in parts if n)


def _remark(step: Step, labels: Labels) -> str:
    words = [say(step.remark)] if step.remark else []
    if step.number == 5:
        words.append(labels.word("flow", "beside"))
    if step.returns_to is not None:
        key = "back_if_not" if step.shape == "decision" else "back"
        words.append(labels.word("flow", key).format(step=step.returns_to))
    return ". ".join(w.rstrip(".") for w in words)


def _total(steps: tuple[Step, ...], labels: Labels) -> str:
    """All standard times one after the other, and with step 5 beside steps 6 to 8."""
    minutes = {s.number: s.minutes or 0 for s in steps}
    alone = sum(minutes.values())
    beside = alone - min(minutes[5], minutes[6] + minutes[7] + minutes[8])
    return labels.word("flow", "total").format(
        alone=duration(alone, labels), beside=duration(beside, labels)
    )
