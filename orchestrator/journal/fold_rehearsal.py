"""What a dry run may record: it reads hosts and says what would happen, and nothing else."""

from __future__ import annotations

from orchestrator.journal.entry import Entry
from orchestrator.journal.moves import require
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import READING, Phase
from orchestrator.model.verdict import Verdict

ALLOWED = frozenset(
    {
        "calendar.recorded",
        "phase.started",
        "phase.ended",
        "host.outcome",
        "plan.part",
        "plan.made",
        "document.rendered",
        "host.verdict",
        "step.passed",
        "note.added",
        "rehearsal.ended",
    }
)


def check_allowed(state: CycleState, entry: Entry) -> None:
    """Refuse what has no place in a dry run, and in a real cycle what only a dry run has."""
    if not state.rehearsal:
        ready = entry.kind == "host.verdict" and entry.body["verdict"] == Verdict.READY
        require(not ready, "a real cycle has no verdict 'ready'")
        return
    require(not state.closed_at, "the dry run has ended")
    require(entry.kind in ALLOWED, f"a dry run has no {entry.kind}")
    if entry.kind == "phase.started":
        phase = Phase(entry.body["phase"])
        require(phase in READING, f"a dry run only reads hosts; {phase} is no part of it")
    if entry.kind == "step.passed":
        require(entry.step == 2, "a dry run ends with step 2")


def rehearsal_ended(state: CycleState, entry: Entry) -> None:
    """The dry run is over: every host has been judged."""
    require(state.rehearsal, "only a dry run ends so")
    require(state.steps[2].state == "passed", "a dry run ends after step 2")
    missing = [h for h in state.hosts if h not in state.verdicts]
    require(not missing, f"every host of a dry run is judged; {missing[:1]} is not")
    state.closed_at = entry.at
