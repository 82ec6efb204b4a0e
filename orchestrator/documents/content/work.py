"""Backups (step 6) and tests (step 8) of the hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.reading import HostReading
from orchestrator.documents.content.records import BackupRow, ItemRow, TestRow
from orchestrator.documents.content.said import (
    mapping_of,
    say,
    table_of,
    text_of,
    whole_of,
    words_of,
)
from orchestrator.model.evidence import Phase, Status


def backup_row(
    reading: HostReading, items: Sequence[ItemRow], labels: Labels, clock: Clock
) -> BackupRow:
    """A host's latest backup, or why there is none."""
    outcome, evidence = reading.last(Phase.BACKUP)
    backup = mapping_of(evidence.facts, "backup") if evidence else {}
    if outcome is None:
        wanted = any(i.decision_key == "approved" for i in items)
        key = "not-needed" if not wanted else "missing" if reading.verdict else "pending"
    elif evidence is None:
        key = "failed"
    elif evidence.status is Status.OK and backup:
        key = "proven" if words_of(backup, "proof") else "unproven"
    else:
        key = "refused" if evidence.status is Status.REFUSED else "failed"
    method = text_of(backup, "method", 60)
    proof = "; ".join(words_of(backup, "proof", 300))
    if not proof and evidence is not None and evidence.problems:
        proof = "; ".join(say(p.message, 200) for p in evidence.problems)
    return BackupRow(
        host=say(reading.host),
        status=labels.word("backup_status", key),
        status_key=key,
        method=labels.known("backup_method", method, method),
        location=text_of(backup, "location"),
        created=clock.moment(str(backup.get("created") or "")),
        size=clock.size(whole_of(backup, "size_bytes")),
        sha256=text_of(backup, "sha256", 64),
        proof=proof or NONE,
    )


def test_rows(reading: HostReading, labels: Labels) -> tuple[TestRow, ...]:
    """A host's tests as they stood last; what failed first and then passed is `recovered`."""
    rows: dict[tuple[str, str, str], TestRow] = {}
    for evidence in reading.evidence(Phase.TEST, Phase.RESTORE):
        for test in table_of(evidence.facts, "tests"):
            row = _test(reading.host, test, labels)
            key = (text_of(test, "kind"), text_of(test, "target"), text_of(test, "name"))
            before = rows.get(key)
            rows[key] = _recovered(before, row, labels) if before else row
    return tuple(rows.values())


def _test(host: str, test: object, labels: Labels) -> TestRow:
    row = test if isinstance(test, dict) else {}
    kind, result = text_of(row, "kind", 40), text_of(row, "result", 40)
    required = row.get("required")
    target = text_of(row, "target", 120)
    return TestRow(
        host=say(host),
        kind=labels.known("test_kind", kind, kind),
        target=target if target != NONE else text_of(row, "name", 120),
        required=labels.yes_no(required if isinstance(required, bool) else None),
        result=labels.known("test_result", result, labels.word("test_result", "other")),
        result_key=result if result in labels.sections["test_result"] else "other",
        evidence=text_of(row, "evidence", 300),
    )


def _recovered(before: TestRow, now: TestRow, labels: Labels) -> TestRow:
    if before.result_key != "failed" or now.result_key != "passed":
        return now
    evidence = labels.word("test_words", "recovered").format(
        before=before.evidence, now=now.evidence
    )
    return replace(
        now,
        result=labels.word("test_result", "recovered"),
        result_key="recovered",
        evidence=evidence,
    )
