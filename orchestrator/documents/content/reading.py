"""One host's evidence, read once and in order, as far as a document may look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, EvidenceItem, Outcome, OutcomeKind, Phase
from orchestrator.model.verdict import HostVerdict

ItemKey = tuple[str, str, str]  # class, name, architecture
_ORDER = tuple(Phase)


class Found(NamedTuple):
    """What the last phase that touched an item says of it."""

    item: EvidenceItem
    started: str
    ended: str


@dataclass(frozen=True)
class HostReading:
    """All outcomes of a host, oldest first, each with its evidence where there is any."""

    host: str
    outcomes: tuple[tuple[Outcome, Evidence | None], ...]
    verdict: HostVerdict | None

    def last(self, phase: Phase) -> tuple[Outcome | None, Evidence | None]:
        """The latest outcome of a phase, with its evidence."""
        for outcome, evidence in reversed(self.outcomes):
            if outcome.phase == phase:
                return outcome, evidence
        return None, None

    def facts(self, phase: Phase) -> Mapping[str, Any]:
        """The facts of the latest evidence of a phase, empty when there is none."""
        for outcome, evidence in reversed(self.outcomes):
            if outcome.phase == phase and evidence is not None:
                return evidence.facts
        return {}

    def evidence(self, *phases: Phase) -> Iterator[Evidence]:
        """All evidence of some phases, oldest first."""
        return (e for o, e in self.outcomes if e is not None and o.phase in phases)

    @cached_property
    def found(self) -> dict[ItemKey, Found]:
        """What update, antivirus and restore last said of each item."""
        out: dict[ItemKey, Found] = {}
        for evidence in self.evidence(Phase.UPDATE, Phase.ANTIVIRUS, Phase.RESTORE):
            for item in evidence.items:
                key = (item.kind, item.name, item.arch)
                before = out.get(key)
                out[key] = Found(
                    item, before.started if before else evidence.started, evidence.ended
                )
        return out

    @property
    def was_reached(self) -> bool:
        """Whether the latest check found a connection."""
        outcome, _ = self.last(Phase.CHECK)
        return outcome is not None and outcome.kind is not OutcomeKind.UNREACHABLE


def _as_planned(state: CycleState, outcome: Outcome) -> Evidence | None:
    """The evidence; of a check in a narrowed cycle, only what comes and goes by its plan."""
    evidence = outcome.read()
    everything = state.selection.is_everything or state.plan is None
    if evidence is None or everything or outcome.phase is not Phase.CHECK:
        return evidence
    assert state.plan is not None
    effects = state.plan.part(outcome.host)
    new = [n.model_dump(mode="json") for n in effects.new]
    facts = {**evidence.facts, "new_packages": new, "removals": list(effects.removals)}
    return evidence.model_copy(update={"facts": facts})


def read_host(state: CycleState, host: str, last: Phase) -> HostReading:
    """Read a host's outcomes up to and with phase `last`; later phases are left out."""
    seen = _ORDER[: _ORDER.index(last) + 1]
    if not state.rehearsal:
        seen = tuple(phase for phase in seen if phase is not Phase.REHEARSE)
    outcomes = tuple(
        (o, _as_planned(state, o)) for o in state.outcomes.get(host, []) if o.phase in seen
    )
    verdict = state.verdicts.get(host) if last is Phase.RESTORE else None
    return HostReading(host, outcomes, verdict)
