"""A year of sample cycles, for the yearly recap."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.journal.state import CycleState, StepState
from orchestrator.model.verdict import HostVerdict, Verdict
from tests.unit.documents.sample import normal

PUBLISHED = ("2026-10-30", "2026-11-04", "", "2026-09-12", "2026-11-17")


def year(months: int = 11) -> list[tuple[CycleState, bool]]:
    """Monthly cycles from January, an incidental one in June, the last one still under way."""
    found = [month(f"2026-{number:02d}", number) for number in range(1, months + 1)]
    if months >= 6:
        found.insert(6, month("2026-06-i01", 6, kind="incidental"))
    last, _ = found[-1]
    last.steps[11] = last.steps[12] = last.steps[13] = StepState()
    last.closed_at = ""
    return [*found[:-1], (last, False)]


def month(cycle: str, number: int, kind: str = "monthly") -> tuple[CycleState, bool]:
    """The normal sample moved to another month; how the hosts end differs."""
    state = normal(13)
    state.cycle, state.kind = cycle, kind  # type: ignore[assignment]
    back = timedelta(days=30 * (11 - number) - (3 if kind == "incidental" else 0))
    for step in state.steps.values():
        step.started_at = shifted(step.started_at, back)
        step.ended_at = shifted(step.ended_at, back)
        if step.seconds is not None:
            step.seconds *= 1 + number % 5
    state.opened_at, state.last_at = (shifted(t, back) for t in (state.opened_at, state.last_at))
    state.closed_at = state.last_at
    if number % 3 == 0:
        for host in ("layanan-03", "cadangan-04"):
            state.verdicts[host] = HostVerdict(host=host, verdict=Verdict.UPDATED)
    if number % 4 == 0:
        state.verdicts["web-01"] = HostVerdict(host="web-01", verdict=Verdict.NEEDS_HUMAN)
    for outcomes in state.outcomes.values():
        evidence = outcomes[0].evidence or {}
        evidence["items"] = [dict(item) for item in evidence.get("items", [])]
        for place, item in enumerate(evidence["items"]):
            if item["class"] == "security" and PUBLISHED[place % 5]:
                item["published"] = shifted(f"{PUBLISHED[place % 5]}T00:00:00+00:00", back)[:10]
        for outcome in outcomes[1:]:
            if outcome.evidence is not None:
                outcome.evidence["ended"] = shifted(outcome.evidence["ended"], back)
    return state, True


def shifted(at: str, back: timedelta) -> str:
    """A UTC time that much earlier; an empty one stays empty."""
    return (datetime.fromisoformat(at) - back).isoformat() if at else ""
