"""What a phase may cost a host: the bounds that hold, and the page that shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What one phase cost one host: numbers, and bytes (`evidence`, `program`)."""

    tasks: int
    commands: int  # over SSH
    commits: int  # of the journal
    evidence: int  # in the journal
    program: int  # piped to the host, with the host's request


@dataclass(frozen=True)
class Bound:
    """Bytes that a phase may cost a host: so many, and so many more for each of its items."""

    evidence: int
    evidence_item: int
    program: int = 200_000
    program_item: int = 200


ONCE = ("tasks", "commands", "commits")
"""What a phase costs a host exactly once."""

BOUNDS = {
    "check": Bound(4_800, 500),
    "backup": Bound(2_600, 0),
    "update": Bound(3_500, 550),
    "antivirus": Bound(4_600, 0),
    "test": Bound(2_700, 0),
    "restore": Bound(1_300, 0),
}
"""Phase → bounds, a few per cent above what is measured on the lab's hosts.

One that is exceeded is a regression, or a price that somebody wants to pay: then it is raised here
and on the page docs/explanation/speed.md.
"""


def excess(phase: str, cost: Cost, items: int) -> list[str]:
    """What a host with so many items cost beyond the bounds of a phase, in words."""
    bound = BOUNDS[phase]
    found = [
        f"{phase}: {count} {name}, not 1" for name in ONCE if (count := getattr(cost, name)) != 1
    ]
    limits = {
        "evidence": bound.evidence + items * bound.evidence_item,
        "program": bound.program + items * bound.program_item,
    }
    return found + [
        f"{phase}: {size} bytes of {name}, more than {limit}"
        for name, limit in limits.items()
        if (size := getattr(cost, name)) > limit
    ]
