"""Entries → state. The only place that says what an entry means, and which entry may follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from orchestrator.journal.bodies import Bodies, InMemory, Load
from orchestrator.journal.entry import Entry
from orchestrator.journal.fold_gates import gate_returned, gate_signed, order_drafted
from orchestrator.journal.fold_rehearsal import check_allowed, rehearsal_ended
from orchestrator.journal.fold_restore import check_phase, restore_ordered
from orchestrator.journal.fold_times import (
    calendar_recorded,
    clock_jump,
    note_added,
    office_changed,
)
from orchestrator.journal.moves import (
    note_relaxed,
    open_ready,
    open_step,
    pass_step,
    relaxed_in,
    require,
    status,
)
from orchestrator.journal.state import CycleState, DocumentRecord, PhaseRun, StepState
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import CHANGING, Outcome, Phase
from orchestrator.model.office import Office
from orchestrator.model.plan import Part, PlanWriter, Whole
from orchestrator.model.restoring import RestoreSource
from orchestrator.model.selection import Selection
from orchestrator.model.verdict import HostVerdict
from orchestrator.sop import machine

STEP_OF_PHASE = {
    Phase.CHECK: 2,
    Phase.REHEARSE: 2,
    Phase.BACKUP: 6,
    Phase.UPDATE: 7,
    Phase.ANTIVIRUS: 7,
    Phase.TEST: 8,
    Phase.RESTORE: 8,
}

PLANNING = ("plan.part", "plan.made")
PART = ("items", "new", "removals")
"""What a part of the plan says of a host."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""Names of documents: one file in one folder, whatever the system."""


class IllegalEntry(CannotRunError):
    """An entry that the procedure does not allow at this place; nothing was recorded."""


def fold(entries: Iterable[Entry], bodies: Bodies | None = None) -> CycleState:
    """The state after all entries; raises IllegalEntry at the first that may not stand there.

    `bodies` says how evidence and plan are read again; without it the state holds them.
    """
    state: CycleState | None = None
    for entry in entries:
        state = step_forward(state, entry, bodies)
    if state is None:
        raise IllegalEntry("the journal is empty")
    return state


def step_forward(
    state: CycleState | None, entry: Entry, bodies: Bodies | None = None
) -> CycleState:
    """Check one entry against the state, then apply it; the state is unchanged when it is refused.

    `bodies` counts at the first entry only: the state goes on as it began.
    Raises IllegalEntry naming the entry and the rule.
    """
    jump = None
    try:
        if state is None:
            if entry.kind != "cycle.opened":
                raise machine.IllegalStep("a journal begins with cycle.opened")
            state = _opened(entry, bodies or InMemory())
        else:
            if state.planning is not None:
                require(entry.kind in PLANNING, "a plan and its parts follow one another")
            jump = clock_jump(state, entry)
            check_allowed(state, entry)
            APPLY[entry.kind](state, entry)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise IllegalEntry(
            f"journal entry {entry.seq} ({entry.kind}) is not allowed: {error}"
        ) from error
    if jump is not None:
        state.jumps.append(jump)
    state.head, state.seq, state.last_at = entry.hash, entry.seq, entry.at
    return state


def _opened(entry: Entry, bodies: Bodies) -> CycleState:
    body = entry.body
    state = CycleState(
        cycle=body["cycle"],
        office=Office.model_validate(body["office"]),
        opened_at=entry.at,
        origin=entry.hash,
        kind=body["kind"],
        hosts=tuple(body["hosts"]),
        addresses=dict(body["addresses"]),
        tool_version=body["tool_version"],
        operator=entry.actor,
        reason=body.get("reason", ""),
        selection=Selection.model_validate(body.get("selection", {})),
        source=RestoreSource.model_validate(body["source"]) if "source" in body else None,
        rehearsal=body.get("rehearsal", False),
        previous_cycle=body["previous_cycle"],
        previous_manifest=body["previous_manifest"],
        bodies=bodies,
    )
    require(bool(state.hosts) and len(set(state.hosts)) == len(state.hosts), "hosts are wrong")
    state.steps[1] = StepState("passed", entry.at, entry.at, actor=entry.actor)
    state.steps[1].opened_seq = state.steps[1].passed_seq = entry.seq
    open_ready(state, entry.at)
    note_relaxed(state, entry.at, relaxed_in(body))
    return state


def _step_passed(state: CycleState, entry: Entry) -> None:
    step = entry.step or 0
    require(2 <= step <= 12, "there is no such step, or it passes otherwise")
    gate = next(s for s in state.procedure if s.number == step)
    require(not gate.is_gate, f"step {step} passes by signature only")
    if step == 2:
        require(state.plan is not None, "step 2 passes with a plan")
    if step == 7:
        missing = [h for h in state.hosts if h not in state.verdicts]
        require(not missing, f"step 7 passes when every host has a verdict; {missing[:1]} has none")
    if step == 12:
        require(bool(state.archive_manifest), "step 12 passes with an archive")
    pass_step(state, step, entry, entry.body.get("seconds"))


def _phase_started(state: CycleState, entry: Entry) -> None:
    phase = Phase(entry.body["phase"])
    step = STEP_OF_PHASE[phase]
    check_phase(state, phase, entry.body["hosts"])
    if phase in CHANGING or phase is Phase.TEST:
        require(
            state.steps[3].state == "passed" and state.steps[4].state == "passed",
            "no host is changed before steps 3 and 4 are signed",
        )
    opens = machine.may_open(status(state), step)
    require(opens or state.steps[step].state == "open", f"step {step} is not open")
    unknown = set(entry.body["hosts"]) - set(state.hosts)
    require(not unknown, f"{sorted(unknown)[:1]} is not in the cycle")
    run = PhaseRun(phase, entry.body["wave"], tuple(entry.body["hosts"]), started_at=entry.at)
    if opens:
        open_step(state, step, entry.at)
    state.runs.append(run)


def _phase_ended(state: CycleState, entry: Entry) -> None:
    require(bool(state.runs) and not state.runs[-1].ended_at, "no phase is under way")
    seconds = float(entry.body["seconds"])
    run = replace(state.runs[-1], ended_at=entry.at, seconds=seconds)
    state.runs[-1] = run
    steps = {STEP_OF_PHASE[run.phase]}
    if run.phase is not Phase.CHECK and state.steps[5].state == "open":
        steps.add(5)  # monitoring lasts as long as the work that is monitored
    for number in steps:
        step = state.steps[number]
        step.seconds = (step.seconds or 0.0) + seconds


def _outcome(state: CycleState, entry: Entry) -> None:
    outcome = Outcome.recorded(entry.host, entry.body, state.bodies.keep(entry))
    require(
        bool(state.runs)
        and not state.runs[-1].ended_at
        and state.runs[-1].phase == outcome.phase
        and entry.host in state.runs[-1].host_set,
        "no such phase is under way on this host",
    )
    state.outcomes.setdefault(entry.host, []).append(outcome)


def _plan_part(state: CycleState, entry: Entry) -> None:
    require(state.steps[2].state == "open" and state.plan is None, "a plan is made in step 2")
    part = _part(entry.host, entry.body)
    writer = state.planning or PlanWriter(state.cycle, state.hosts)
    load = state.bodies.keep(entry)
    writer.add(part, partial(_part_again, entry.host, load))
    state.planning = writer


def _part_again(host: str, load: Load) -> Part:
    return _part(host, load())


def _part(host: str, body: dict[str, Any]) -> Part:
    return Part.model_validate({"host": host, **{key: body[key] for key in PART}})


def _plan_made(state: CycleState, entry: Entry) -> None:
    body = entry.body["plan"]
    require(state.steps[2].state == "open", "a plan is made in step 2")
    if "items" in body:  # in one piece, as older journals have it
        require(state.planning is None, "a plan is in parts or in one piece")
        plan = Whole.model_validate(body).plan()
    else:
        plan = state.planned(body["origin"], body["revision"])
    require(plan.id == entry.body["id"], "the plan's id is not its SHA-256")
    require(
        (body["cycle"], plan.origin, plan.revision) == (state.cycle, state.origin, state.revision),
        "another cycle's plan",
    )
    require(tuple(body["hosts"]) == state.hosts, "the plan's hosts are not the cycle's")
    state.plan, state.planning, state.decisions, state.order = plan, None, {}, None


def _document(state: CycleState, entry: Entry) -> None:
    body = entry.body
    # The name becomes a path, here and on an auditor's machine.
    require(PLAIN_NAME.fullmatch(body["name"]) is not None, "it is no plain file name")
    signed = state.signed_pdf(body["name"])
    require(
        signed is None or signed[1].sha256 == body["sha256"],
        f"{body['name']} is signed with a certificate; it cannot be another file",
    )
    record = DocumentRecord(
        body["name"], body["sha256"], body["size"], entry.step or 0, entry.at, entry.seq
    )
    state.documents[record.name] = record
    state.rendered.append(record)


def _verdict(state: CycleState, entry: Entry) -> None:
    known = entry.host in state.outcomes or entry.host in state.hosts  # the former is the quicker
    require(known, f"{entry.host} is not in the cycle")
    require(state.rehearsal or state.steps[4].state == "passed", "verdicts come after the order")
    require(entry.host not in state.verdicts, f"{entry.host} has a verdict already")
    state.verdicts[entry.host] = HostVerdict.model_validate({**entry.body, "host": entry.host})


def _archived(state: CycleState, entry: Entry) -> None:
    require(state.steps[12].state == "open", "the archive is made in step 12")
    manifest, path = entry.body["manifest_sha256"], PurePosixPath(entry.body["path"])
    inside = not path.is_absolute() and ".." not in path.parts
    require(inside, "the archive lies in the home folder")
    state.archive_manifest, state.archive_path = manifest, entry.body["path"]


def _closed(state: CycleState, entry: Entry) -> None:
    require(state.steps[13].state == "open", "the cycle closes in step 13")
    pass_step(state, 13, entry)
    state.closed_at = entry.at


APPLY: dict[str, Callable[[CycleState, Entry], None]] = {
    "step.passed": _step_passed,
    "phase.started": _phase_started,
    "phase.ended": _phase_ended,
    "host.outcome": _outcome,
    "plan.part": _plan_part,
    "plan.made": _plan_made,
    "document.rendered": _document,
    "order.drafted": order_drafted,
    "gate.signed": gate_signed,
    "gate.returned": gate_returned,
    "host.verdict": _verdict,
    "restore.ordered": restore_ordered,
    "office.changed": office_changed,
    "calendar.recorded": calendar_recorded,
    "note.added": note_added,
    "archive.made": _archived,
    "cycle.closed": _closed,
    "rehearsal.ended": rehearsal_ended,
}
