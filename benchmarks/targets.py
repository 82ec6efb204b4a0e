"""The targets, each judged by the medians of one run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Medians = Mapping[tuple[str, int], Mapping[str, float]]
"""(contender, hosts) → wall_s, cpu_s, controller_kb, largest_kb."""


@dataclass(frozen=True)
class Judged:
    """One target at one size: what was measured against its limit."""

    target: str
    hosts: str
    measured: float
    limit: float
    unit: str
    most: bool = True  # the limit is the most that may be measured; else the least

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.measured <= self.limit if self.most else self.measured >= self.limit

    @property
    def by(self) -> float:
        """How far the limit is from what was measured, in per cent of the limit."""
        return abs(self.measured - self.limit) / self.limit * 100


def judge_check(found: Medians) -> Iterator[Judged]:
    """Targets of the check."""
    sizes = sorted(hosts for who, hosts in found if who == "sop-run")
    for hosts in sizes:
        if ("ssh", hosts) in found:
            ratio = _wall(found, "sop-run", hosts) / _wall(found, "ssh", hosts)
            yield Judged("check, beside bare SSH", str(hosts), ratio, 1.3, "×")
    for who, words in (("tuned", "a tuned playbook"), ("defaults", "a playbook at defaults")):
        for hosts in sizes:
            if (who, hosts) in found:
                ratio = _wall(found, who, hosts) / _wall(found, "sop-run", hosts)
                yield Judged(f"check, faster than {words}", str(hosts), ratio, 12, "×", most=False)
    if sizes and sizes[-1] > 50 and 50 in sizes:
        last = sizes[-1]
        ratio = _wall(found, "sop-run", last) / last / (_wall(found, "sop-run", 50) / 50)
        yield Judged("check, cost per host", f"{last} beside 50", ratio, 1.1, "×")
    for hosts in sizes:
        used = found[("sop-run", hosts)]["largest_kb"] / 1024
        yield Judged("check, memory of the largest process", str(hosts), used,
                     150 + 0.05 * hosts, " MB")  # fmt: skip


def judge_change(found: Medians) -> Iterator[Judged]:
    """Targets of backup, update, antivirus and test."""
    sizes = sorted(hosts for who, hosts in found if who == "sop-run")
    for hosts in sizes:
        if ("ssh", hosts) in found:
            limit = _wall(found, "ssh", hosts) * 1.25 + 10
            wall = _wall(found, "sop-run", hosts)
            yield Judged("change, bare SSH × 1.25 + 10 s", str(hosts), wall, limit, " s")
    for hosts in sizes:
        if ("tuned", hosts) in found:
            wall, limit = _wall(found, "sop-run", hosts), _wall(found, "tuned", hosts)
            yield Judged("change, as fast as a tuned playbook", str(hosts), wall, limit, " s")


def judge_documents(runs: Sequence[Mapping[str, Any]]) -> Iterator[Judged]:
    """Targets of documents, which are for 10,000 hosts with 40 items each."""
    for run in (run for run in runs if run["hosts"] == 10_000):
        if run["contender"].endswith(".xlsx"):
            spent = run["fold_s"] + run["render_s"]
            yield Judged("journal to check list", "10,000 × 40", spent, 60, " s")
            yield Judged("check list, memory", "10,000 × 40", run["peak_mb"], 200, " MB")
        else:
            yield Judged("report", "10,000 × 40", run["render_s"], 5, " s")


def _wall(found: Medians, who: str, hosts: int) -> float:
    return found[(who, hosts)]["wall_s"]
