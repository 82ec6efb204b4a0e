"""Backups (step 6) and tests (step 8) of the hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.items import ItemState
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.reading import HostReading
from orchestrator.documents.content.records import BackupRow, TestRow
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
    reading: HostReading, items: Sequence[ItemState], labels: Labels, clock: Clock
) -> BackupRow:
    """A host's latest backup, or why there is none."""
    outcome, evidence = reading.last(Phase.BACKUP)
    backup = mapping_of(evidence.facts, "backup") if evidence else {}
    if outcome is None:
        wanted = any(i.decision == "approved" for i in items)
        key = "not-needed" if not wanted else "missing" if reading.verdict else "pending"
    elif evidence is None:
        key = "failed"
    elif evidence.status is Status.OK and backup:
        key = "proven" if words_of(backup, "proof") else "unproven"
    else:
        key = "refused" if evidence.status is Status.REFUSED else "failed"
    method = text_of(backup, "method", 60)
    proof = "; ".join(labels.phrase(sentence) for sentence in words_of(backup, "proof", 300))
    if not proof and evidence is not None and evidence.problems:
        proof = "; ".join(labels.phrase(say(p.message, 200)) for p in evidence.problems)
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
    """A host's tests as they stood last; what failed first and then passed is `recovered`.

    A later round may tell many things in one test with the target `*`: it then speaks for all
    earlier failures of its kind.
    """
    rows: dict[_Key, TestRow] = {}
    for evidence in reading.evidence(Phase.TEST, Phase.RESTORE):
        tests = {_key(test): _test(reading.host, test, labels)
                 for test in table_of(evidence.facts, "tests")}  # fmt: skip
        whole = {key[0]: row for key, row in tests.items() if key[1] == ALL}
        for key, before in rows.items():
            now = tests.get(key) or whole.get(key[0])
            if now is not None:
                rows[key] = _recovered(before, now, labels)
        rows |= {key: row for key, row in tests.items() if key not in rows}
    return tuple(rows.values())


ALL = "*"
"""The target of a test that speaks for everything of its kind."""

_Key = tuple[str, str, str]  # kind, target, name


def _key(test: Mapping[str, Any]) -> _Key:
    return text_of(test, "kind", 40), text_of(test, "target", 120), text_of(test, "name", 120)


def _test(host: str, test: Mapping[str, Any], labels: Labels) -> TestRow:
    kind, target, name = _key(test)
    result = text_of(test, "result", 40)
    required = test.get("required")
    return TestRow(
        host=say(host),
        kind=labels.known("test_kind", kind, kind),
        target={ALL: labels.word("test_words", "all"), NONE: name}.get(target, target),
        required=labels.yes_no(required if isinstance(required, bool) else None),
        result=labels.known("test_result", result, labels.word("test_result", "other")),
        result_key=result if result in labels.sections["test_result"] else "other",
        evidence=labels.phrase(text_of(test, "evidence", 300)),
    )


def _recovered(before: TestRow, now: TestRow, labels: Labels) -> TestRow:
    """The later row in place of the earlier one, with both evidences when it recovered."""
    now = replace(now, target=before.target)
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
