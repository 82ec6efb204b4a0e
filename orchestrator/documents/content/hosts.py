"""The hosts of a cycle: how the check went, what was done, which verdict they ended in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.items import ItemState, os_name
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.reading import HostReading
from orchestrator.documents.content.records import Finding, HostRow, TestRow
from orchestrator.documents.content.said import mapping_of, say, table_of, text_of
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import OutcomeKind, Phase, Status
from orchestrator.model.verdict import GOOD

SUCCEEDED = frozenset({"updated", "current"})
"""Results of an item that count as done."""

NORMAL = frozenset({"passed", "recovered"})
"""Results of a test that count as normal."""


@dataclass(frozen=True)
class HostMatter:
    """All that was gathered of one host before its row is written."""

    reading: HostReading
    items: Sequence[ItemState]
    tests: Sequence[TestRow]
    findings: Sequence[Finding]


def host_row(
    number: int, state: CycleState, matter: HostMatter, labels: Labels, clock: Clock
) -> HostRow:
    """The row of one host, the `number`-th of the inventory."""
    reading, items, tests, findings = matter.reading, matter.items, matter.tests, matter.findings
    check_key = _check_key(reading, findings, labels)
    _, check = reading.last(Phase.CHECK)
    verdict = reading.verdict
    verdict_key = verdict.verdict.value if verdict else "none"
    approved = [i for i in items if i.decision == "approved"]
    normal = sum(t.result_key in NORMAL for t in tests)
    eicar = text_of(reading.facts(Phase.ANTIVIRUS), "eicar", 40)
    work = list(
        reading.evidence(Phase.BACKUP, Phase.UPDATE, Phase.ANTIVIRUS, Phase.TEST, Phase.RESTORE)
    )
    kinds = [i.kind for i in items]
    check_phase = labels.word("phase", "check")
    return HostRow(
        number=number,
        name=say(reading.host),
        address=say(state.addresses.get(reading.host)),
        os=os_name(reading),
        kernel=text_of(reading.facts(Phase.CHECK), "kernel", 80),
        check=labels.word("check", check_key),
        check_key=check_key,
        checked=clock.moment(check.ended) if check else NONE,
        check_remark="; ".join(f.text for f in findings if f.phase == check_phase) or NONE,
        items=len(items),
        system=kinds.count("system"),
        security=kinds.count("security"),
        antivirus=kinds.count("antivirus"),
        approved=len(approved),
        deferred=len(items) - len(approved),
        succeeded=sum(i.result in SUCCEEDED for i in approved),
        reboot_asked=labels.yes_no(any(i.reboot for i in items) if items else None),
        rebooted=labels.yes_no(_rebooted(reading)),
        verdict=labels.word("verdict", verdict_key),
        verdict_key=verdict_key,
        good=verdict is None or verdict.verdict in GOOD,
        meaning=labels.word("verdict_meaning", verdict_key),
        reason=say(verdict.reason) if verdict else NONE,
        tests=labels.word("test_words", "tally").format(normal=normal, all=len(tests))
        if tests
        else NONE,
        antivirus_engine=_antivirus(reading, labels),
        eicar=labels.known("eicar", eicar, NONE),
        started=clock.time(work[0].started) if work else NONE,
        ended=clock.time(work[-1].ended) if work else NONE,
    )


def _check_key(reading: HostReading, findings: Sequence[Finding], labels: Labels) -> str:
    outcome, evidence = reading.last(Phase.CHECK)
    if outcome is None:
        return "none"
    if outcome.kind is OutcomeKind.UNREACHABLE:
        return "unreachable"
    if evidence is None or evidence.status is not Status.OK:
        return "failed"
    check_phase = labels.word("phase", "check")
    return "remarks" if any(f.phase == check_phase for f in findings) else "done"


def _rebooted(reading: HostReading) -> bool | None:
    answers = [
        e.facts["rebooted"]
        for e in reading.evidence(Phase.UPDATE)
        if isinstance(e.facts.get("rebooted"), bool)
    ]
    return any(answers) if answers else None


def _antivirus(reading: HostReading, labels: Labels) -> str:
    antivirus = mapping_of(reading.facts(Phase.CHECK), "antivirus")
    product = text_of(antivirus, "product", 40)
    if product == NONE:
        return NONE
    if product == "none":
        decided = antivirus.get("decided") is True
        return labels.word("check_fact", "antivirus-waived" if decided else "no-antivirus")
    daemon = text_of(antivirus, "daemon", 40)
    databases = table_of(antivirus, "databases")
    if product == "clamav":
        words = [f"ClamAV {text_of(antivirus, 'engine', 60)}"]
    else:  # another product tells the version of its signatures only
        words = [f"{product} {text_of(databases[0], 'version', 60)}" if databases else product]
    if daemon != NONE:
        words.append(labels.known("check_fact", f"daemon-{daemon}", daemon))
    return ", ".join(words)
