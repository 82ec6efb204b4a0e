"""How far into the cycle each document looks, and the moment that it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.documents.names import DocumentName
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import READING, Phase


@dataclass(frozen=True)
class Scope:
    """What a document may know."""

    horizon: int  # the last step whose times and signatures it shows
    last_phase: Phase  # the last phase whose evidence it reads
    as_of: str  # UTC ISO 8601


_HORIZON = {
    DocumentName.CHECK_LIST: 3,  # drawn again after step 3, it shows the confirmation
    DocumentName.ORDER: 3,
    DocumentName.MONITORING: 7,
    DocumentName.UPDATE_RECORD: 7,
    DocumentName.MINUTES: 7,
    DocumentName.DRAFT_REPORT: 8,
    DocumentName.VERIFIED_REPORT: 10,  # a verifier's PDF signature comes before step 10 is signed
    DocumentName.REPORT: 11,
}


def _before(state: CycleState) -> frozenset[Phase]:
    """Phases that are no work on hosts; of a dry run, its rehearsal is the work."""
    return frozenset({Phase.CHECK}) if state.rehearsal else READING


def scope_of(name: DocumentName, state: CycleState) -> Scope:
    """What document `name` may know of the cycle."""
    record = name.record
    early = record in (DocumentName.CHECK_LIST, DocumentName.ORDER)
    return Scope(_HORIZON[record], Phase.CHECK if early else Phase.RESTORE, _as_of(record, state))


def _as_of(name: DocumentName, state: CycleState) -> str:
    steps = state.steps
    if name is DocumentName.CHECK_LIST:
        moment = steps[2].ended_at
    elif name is DocumentName.ORDER:
        moment = steps[4].started_at
    elif name in (DocumentName.MONITORING, DocumentName.UPDATE_RECORD, DocumentName.MINUTES):
        work = [run.ended_at for run in state.runs if run.phase not in _before(state)]
        moment = max(work, default="") or steps[name.step].started_at
    elif name is DocumentName.DRAFT_REPORT:
        moment = steps[9].started_at
    elif name is DocumentName.VERIFIED_REPORT:
        moment = steps[10].ended_at or steps[10].started_at
    else:
        moment = steps[11].ended_at
    return moment or state.last_at or state.opened_at
