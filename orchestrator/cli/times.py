"""Times of steps in words and as facts, for `status` and after a signature."""

from __future__ import annotations

from typing import Any

from orchestrator.cli.options import Given
from orchestrator.cli.words import Verbatim, t
from orchestrator.documents.content.clock import whole_minutes
from orchestrator.journal.state import CycleState, Note
from orchestrator.journal.store import now_utc
from orchestrator.journal.times import StepTime, returned_to, step_times
from orchestrator.model.text import printable

COUNTED = {"work": "working time", "machine": "machine time", "elapsed": "elapsed time"}


def minutes(time: StepTime) -> str:
    """`<1`, `55`, `55…` while it runs, `?` when the clock was set back, '' when not begun."""
    if time.uncertain:
        return "?"
    if time.seconds is None:
        return ""
    return f"{whole_minutes(time.seconds) or '<1'}{'…' if time.running else ''}"


def time_left(seconds: float | None) -> str:
    """`about 40 s left`, `about 2 min left`, `about 3 h left`; '' where it cannot be told."""
    if seconds is None:
        return ""
    if seconds < 55:
        return f"about {max(5, round(seconds / 5) * 5)} s left"
    if seconds < 5400:
        return f"about {max(1, round(seconds / 60))} min left"
    return f"about {round(seconds / 3600)} h left"


def span(seconds: float) -> str:
    """`8 s`, `1 min 20 s`, `2 h 05 min`: how long something has gone on."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"


def time_words(time: StepTime) -> str:
    """`took 40 min, standard 15 min (working time)`."""
    verb = "has taken" if time.running else "took"
    spent = minutes(time).rstrip("…")
    return t(f"{verb} {spent} min, standard {time.standard_minutes} min ({COUNTED[time.counting]})")


def overruns(state: CycleState, given: Given) -> list[str]:
    """A paragraph for each step that took longer: its reasons, or how to add one."""
    lines = []
    for time in step_times(state, now_utc()).values():
        if not time.late:
            continue
        lines.append(f"Step {time.step} {time_words(time)}:")
        lines += [Verbatim(f"  {t('reason:')} {said(note, state)}") for note in time.reasons]
        if not time.reasons and state.closed_at:
            lines.append("  reason missing (tanpa alasan)")
        elif not time.reasons:
            words = f"note {state.cycle} --step {time.step} --kind overrun --as OFFICER TEXT"
            lines += [
                "  reason missing (tanpa alasan); add it with:",
                f"    {given.command(words)}",
            ]
    return lines


def said(note: Note, state: CycleState) -> str:
    """A note's text and whose it is; who only claims to be an officer is shown so."""
    text = printable(note.text, 300)
    if note.signed:
        return f"{text} ({note.actor}, {t('signed')})"
    if note.officer:
        return (
            f"{text} (as {printable(note.officer, 64)}, unsigned, by {printable(note.actor, 80)})"
        )
    return f"{text} ({printable(note.actor, 80)})"


def sent_back(state: CycleState, given: Given) -> list[str]:
    """Why a step is open again, and what its officer does now."""
    record = returned_to(state)
    if record is None:
        return []
    lines = [
        f"Step {record.step} ({printable(record.officer)}) sent it back to step {record.to}:",
        Verbatim(f"  {printable(record.reason, 1000)}"),
    ]
    if record.to == 9:
        drafter = next(s.role for s in state.procedure if s.number == 9)
        officers = state.office.with_role(drafter) if drafter else ()
        who = officers[0].id if len(officers) == 1 else "OFFICER"
        for words, kind in (("Catatan", "remark"), ("Saran", "suggestion")):
            command = f"note {state.cycle} --step 9 --as {who} --kind {kind} TEXT"
            lines += [f"What the draft should say under {words} is added with:",
                      f"  {given.command(command)}"]  # fmt: skip
    return lines


def returns(state: CycleState) -> list[str]:
    """What was sent back and done again since, oldest first."""
    now = returned_to(state)
    return [
        f"Step {r.step} ({printable(r.officer)}) sent it back to step {r.to} at "
        f"{r.at[:16].replace('T', ' ')}: {printable(r.reason, 1000)}"
        for r in state.returns
        if r is not now
    ]


def time_facts(time: StepTime, state: CycleState) -> dict[str, Any]:
    """A step's time as plain data."""
    return {
        "standard_minutes": time.standard_minutes,
        "seconds": time.seconds,
        "counted": time.counting,
        "running": time.running,
        "clock_set_back": time.uncertain,
        "late": time.late,
        "reasons": [_note_facts(n) for n in time.reasons],
        "notes": [
            _note_facts(n) for n in state.notes if n.step == time.step and n not in time.reasons
        ],
    }


def _note_facts(note: Note) -> dict[str, Any]:
    return {
        "kind": note.kind,
        "text": note.text,
        "at": note.at,
        "by": note.actor,
        "officer": note.officer,
        "signed": note.signed,
    }
