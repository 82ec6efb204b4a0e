"""Why steps took longer than their standard time, as officers say it when they sign a gate."""

from __future__ import annotations

from orchestrator.journal.state import CycleState
from orchestrator.journal.times import reasons_wanted
from orchestrator.model.errors import UsageError
from orchestrator.model.note import LONGEST, StepReason


def signed_reasons(state: CycleState, given: dict[int, str], now: str) -> tuple[StepReason, ...]:
    """The reasons as they are signed; one that no step lacks is refused, not dropped."""
    texts = {number: " ".join(text.split()) for number, text in given.items()}
    if not texts:
        return ()
    lacking = {t.step for t in reasons_wanted(state, now)}
    if not all(texts.values()):
        raise UsageError("the reason of an overrun is empty", "say why, or leave the option out")
    if 0 in texts:
        if not lacking - set(texts):
            raise UsageError(
                "no step took longer than its standard time without a reason",
                "leave out --overrun-reason; `sop-run note` keeps other remarks",
            )
        texts = {**dict.fromkeys(lacking, texts.pop(0)), **texts}
    for number in sorted(set(texts) - lacking):
        raise UsageError(
            f"step {number} did not take longer, has a reason already, or is not asked for here",
            f"steps that lack one: {', '.join(map(str, sorted(lacking))) or 'none'}",
        )
    if any(len(text) > LONGEST for text in texts.values()):
        raise UsageError(f"a reason has at most {LONGEST} characters", "make it shorter")
    return tuple(StepReason(step=n, text=text) for n, text in sorted(texts.items()))
