"""What a cycle's state gives to tell, each with a key by its place in the journal. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.journal.judge import status_of
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.evidence import Phase, Status
from orchestrator.model.notification import Event
from orchestrator.model.office import Role
from orchestrator.model.text import printable
from orchestrator.model.verdict import GOOD
from orchestrator.sop.procedure import ROLE_NAMES, Step

NAMED_AT_MOST = 20
Advise = Callable[[str], str]
"""A command's words → the command as it is to be typed."""


@dataclass(frozen=True)
class News:
    """Something to tell. `key` is the same at every call for the same thing that happened."""

    event: Event
    key: str
    values: dict[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    details: str = ""  # may name packages: sent only where the office wants it


def news_of(state: CycleState, advise: Advise) -> list[News]:
    """Everything that a cycle gives to tell as it stands, oldest first."""
    found = []
    if state.steps[7].state == "passed" and not state.to_restore:
        found += _hosts(state)
    if state.gate is not None:
        found.append(_gate(state, state.gate, advise))
    if state.closed_at:
        found.append(_done(state, advise))
    return found


def aborted(cycle: str, seq: int, reason: str, advise: Advise) -> News:
    """A run that ended because something does not work, after journal entry `seq` (0: none)."""
    command = advise(f"monthly --period {cycle}")
    key = f"aborted:{seq}:{sha256_hex(reason)[:16]}"
    return News("aborted", key, {"cycle": cycle, "command": command}, details=reason)


def _common(state: CycleState) -> dict[str, str]:
    return {
        "cycle": state.cycle,
        "agency": printable(state.office.office.agency, 80),
        "hosts": str(len(state.hosts)),
    }


def _gate(state: CycleState, gate: Step, advise: Advise) -> News:
    if state.source is not None and gate.number < 5:
        return _order(state, gate, advise)
    signed = {s.role for s in state.signed(gate.number)}
    roles = tuple(role for role in gate.signers if role not in signed)
    who, commands = [], []
    for role in roles:
        for officer in state.office.with_role(role):
            who.append(f"{printable(officer.name, 80)} ({ROLE_NAMES[role]})")
            words = f"sign {state.cycle} --as {officer.id} --key PRIVATE_KEY_FILE"
            commands.append(advise(words))
    silent = [h for h in state.hosts if status_of(state.last(h, Phase.CHECK)) is not Status.OK]
    values = {
        **_common(state),
        "step": str(gate.number),
        "kegiatan": gate.kegiatan,
        "who": ", ".join(who),
        "commands": "\n".join(commands),
        "silent": str(len(silent)),
    }
    key = f"gate:{gate.number}:{state.steps[gate.number].started_at}"
    return News("gate", key, values, roles)


def _order(state: CycleState, gate: Step, advise: Advise) -> News:
    """A cycle that restores waits for the order, not for signatures gate by gate."""
    assert state.source is not None
    roles = state.office.rules.restore_by
    officers = [o for role in roles for o in state.office.with_role(role)]
    command = f"restore {state.source.cycle} {' '.join(state.hosts)} --as OFFICER --reason TEXT"
    values = {
        **_common(state),
        "step": str(gate.number),
        "kegiatan": gate.kegiatan,
        "who": ", ".join(f"{printable(o.name, 80)} ({ROLE_NAMES[o.role]})" for o in officers),
        "commands": advise(command),
        "silent": "0",
    }
    key = f"gate:{gate.number}:{state.steps[gate.number].started_at}"
    return News("gate", key, values, roles)


def _hosts(state: CycleState) -> list[News]:
    bad = [v for h in state.hosts if (v := state.verdicts.get(h)) and v.verdict not in GOOD]
    if not bad:
        return []
    names = [f"{printable(v.host, 60)}: {v.verdict}" for v in bad[:NAMED_AT_MOST]]
    more = len(bad) - len(names)
    reasons = [f"{printable(v.host, 60)}: {printable(v.reason, 300)}" for v in bad[:NAMED_AT_MOST]]
    values = {
        **_common(state),
        "count": str(len(bad)),
        "list": "\n".join([*names, *([f"… +{more}"] if more else [])]),
    }
    # Every host gets its verdict in the run that follows the order; a restore gives new ones.
    key = f"hosts:{state.steps[4].ended_at}"
    if state.restores:
        key += f":{state.restores[-1].signature.seq}"
    return [News("hosts", key, values, details="\n".join(reasons))]


def _done(state: CycleState, advise: Advise) -> News:
    good = sum(1 for v in state.verdicts.values() if v.verdict in GOOD)
    values = {
        **_common(state),
        "good": str(good),
        "archive": state.archive_path,
        "command": advise(f"audit {state.cycle}"),
    }
    return News("done", f"done:{state.closed_at}", values)
