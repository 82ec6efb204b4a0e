"""One pass over the hosts: rows, tests, findings and sums, with one host's evidence at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.documents.content.clock import Clock
from orchestrator.documents.content.findings import host_findings
from orchestrator.documents.content.hosts import NORMAL, SUCCEEDED, HostMatter, host_row
from orchestrator.documents.content.items import ItemRows, item_row, item_state
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.progress import progress_rows
from orchestrator.documents.content.reading import read_host
from orchestrator.documents.content.records import (
    BackupRow,
    Count,
    Finding,
    HostRow,
    ItemRow,
    ProgressRow,
    TestRow,
    Totals,
)
from orchestrator.documents.content.scope import Scope
from orchestrator.documents.content.work import backup_row, test_rows
from orchestrator.documents.names import DocumentName
from orchestrator.journal.scope import left_out
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict

MANY_ITEMS = 20_000
"""Beyond so many items a workbook makes each when it is written, and a PDF names none."""


@dataclass(frozen=True)
class Facts:
    """What the hosts' evidence says, in rows and sums."""

    hosts: tuple[HostRow, ...]
    items: Sequence[ItemRow]
    backups: tuple[BackupRow, ...]
    tests: tuple[TestRow, ...]
    findings: tuple[Finding, ...]
    progress: tuple[ProgressRow, ...]
    totals: Totals
    verdicts: tuple[Count, ...]
    out_of_scope: int  # pending items that the check found and that the plan leaves out


@dataclass
class _Sums:
    """What is counted on the way."""

    kinds: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    tests: Counter[str] = field(default_factory=Counter)
    items: int = 0
    deferred: int = 0
    reached: int = 0

    def count(self, matter: HostMatter) -> None:
        """Add one host."""
        self.items += len(matter.items)
        self.kinds.update(item.kind for item in matter.items)
        self.results.update(item.result for item in matter.items)
        self.deferred += sum(item.decision == "deferred" for item in matter.items)
        for test in matter.tests:
            self.tests[test.result_key] += 1
        self.reached += matter.reading.was_reached


def gather(
    name: DocumentName, state: CycleState, scope: Scope, labels: Labels, clock: Clock
) -> Facts:
    """Read all hosts, one after the other; nothing of their evidence is kept."""
    few = not state.plan or len(state.plan.items) <= MANY_ITEMS
    hosts: list[HostRow] = []
    items: list[ItemRow] = []
    backups: list[BackupRow] = []
    tests: list[TestRow] = []
    findings: list[Finding] = []
    sums, left = _Sums(), 0
    # A plan of everything that a check found leaves nothing out.
    narrowed = state.plan is not None and not (state.selection.is_everything and not state.source)
    for number, host in enumerate(state.hosts, start=1):
        reading = read_host(state, host, scope.last_phase)
        planned = state.items_of(host)
        matter = HostMatter(
            reading,
            [item_state(state, i, reading) for i in planned],
            test_rows(reading, labels),
            host_findings(reading, labels),
        )
        hosts.append(host_row(number, state, matter, labels, clock))
        backups.append(backup_row(reading, matter.items, labels, clock))
        tests += matter.tests
        findings += matter.findings
        sums.count(matter)
        if narrowed:
            left += len(left_out(reading.last(Phase.CHECK)[1], planned))
        if few:
            system = hosts[-1].os
            items += [item_row(state, i, reading, labels, clock, system=system) for i in planned]
    lazy: Sequence[ItemRow] = ()
    if not few and name.value.endswith(".xlsx"):
        systems = {host: row.os for host, row in zip(state.hosts, hosts, strict=True)}
        lazy = ItemRows(state, scope.last_phase, systems, labels, clock)
    return Facts(
        hosts=tuple(hosts),
        items=tuple(items) if few else lazy,
        backups=tuple(backups),
        tests=tuple(tests),
        findings=tuple(findings),
        progress=progress_rows(
            state,
            (read_host(state, host, scope.last_phase) for host in state.hosts),
            scope.horizon,
            labels,
            clock,
        )
        if name is DocumentName.MONITORING
        else (),
        totals=_totals(hosts, sums, labels),
        verdicts=_verdicts(hosts, labels),
        out_of_scope=left,
    )


def _totals(hosts: Sequence[HostRow], sums: _Sums, labels: Labels) -> Totals:
    kinds, results = sums.kinds, sums.results
    succeeded = sum(results[key] for key in SUCCEEDED)
    approved = sums.items - sums.deferred
    rest = approved - succeeded - results["restored"] - results["failed"]
    return Totals(
        hosts=len(hosts),
        reached=sums.reached,
        hosts_with_items=sum(h.items > 0 for h in hosts),
        items=sums.items,
        system=kinds["system"],
        security=kinds["security"],
        antivirus=kinds["antivirus"],
        approved=approved,
        deferred=sums.deferred,
        succeeded=succeeded,
        restored=results["restored"],
        failed=results["failed"],
        not_done=rest,
        good_hosts=sum(h.good and h.verdict_key != "none" for h in hosts),
        bad_hosts=sum(not h.good for h in hosts),
        reboots=sum(h.rebooted == labels.yes_no(True) for h in hosts),
        tests=sums.tests.total(),
        tests_normal=sum(sums.tests[key] for key in NORMAL),
        tests_recovered=sums.tests["recovered"],
    )


def _verdicts(hosts: Sequence[HostRow], labels: Labels) -> tuple[Count, ...]:
    counts = Counter(h.verdict_key for h in hosts)
    return tuple(
        Count(labels.word("verdict", v.value), v.value, counts[v.value])
        for v in Verdict
        if counts[v.value]
    )
