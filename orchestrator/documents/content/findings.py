"""What an officer should know of a host: problems, remarks of the check, EICAR, kept files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.documents.content.clock import NONE
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.reading import HostReading
from orchestrator.documents.content.records import Finding
from orchestrator.documents.content.said import joined, say, table_of, text_of, words_of
from orchestrator.model.evidence import Evidence, Outcome, OutcomeKind, Phase

_SIGNED = 200
"""So many names at the most of what comes and goes besides the items: officers sign for it."""


def host_findings(reading: HostReading, labels: Labels) -> tuple[Finding, ...]:
    """All findings of one host, oldest first, each said once."""
    return tuple(dict.fromkeys(_all(reading, labels)))


def _all(reading: HostReading, labels: Labels) -> Iterator[Finding]:
    for outcome, evidence in reading.outcomes:
        if evidence is None:
            yield _without_evidence(outcome, labels)
            continue
        for problem in evidence.problems:
            if problem.code == "test-failed" and table_of(evidence.facts, "tests"):
                continue  # each failed test is told by itself, with its evidence
            word = labels.known("problem", problem.code, "")
            message = printable_or_nothing(labels.phrase(say(problem.message)))
            text = ": ".join(dict.fromkeys(part for part in (word, message) if part)) or NONE
            hint = labels.phrase(say(problem.hint))
            yield _finding(outcome, labels, say(problem.code, 60), text, hint)
        yield from _from_facts(outcome, evidence, labels)


def printable_or_nothing(text: str) -> str:
    """The printable text, empty instead of '–'."""
    line = say(text)
    return "" if line == NONE else line


def _without_evidence(outcome: Outcome, labels: Labels) -> Finding:
    code = "unreachable" if outcome.kind is OutcomeKind.UNREACHABLE else "no-evidence"
    reason = printable_or_nothing(labels.phrase(say(outcome.reason)))
    word = labels.word("problem", code)
    return _finding(outcome, labels, code, f"{word}: {reason}" if reason else word)


def _from_facts(outcome: Outcome, evidence: Evidence, labels: Labels) -> Iterator[Finding]:
    facts = evidence.facts
    told = {problem.code for problem in evidence.problems}
    if outcome.phase is Phase.CHECK:
        if facts.get("reboot_required") is True:
            yield _finding(outcome, labels, "reboot-required", labels.word("check_fact", "reboot"))
        withheld = [
            f"{text_of(row, 'name', 80)} "
            f"({labels.known('withheld', text_of(row, 'reason'), text_of(row, 'reason', 60))})"
            for row in table_of(facts, "withheld")
        ]
        yield from _named(outcome, labels, "withheld", withheld)
        new = [
            f"{text_of(row, 'name', 80)} {text_of(row, 'version', 60)}"
            for row in table_of(facts, "new_packages")
        ]
        yield from _named(outcome, labels, "new-packages", new, _SIGNED)
        gone = list(words_of(facts, "removals", 80))
        yield from _named(outcome, labels, "removals", gone, _SIGNED)
        for code, key in (
            ("failed-units", "failed_units"),
            ("half-configured", "half_configured"),
        ):
            if code not in told:
                yield from _named(outcome, labels, code, list(words_of(facts, key, 80)))
    elif outcome.phase is Phase.UPDATE:
        kept = list(words_of(facts, "kept_conffiles", 120))
        if kept:
            text = labels.word("update_fact", "kept-conffiles").format(names=joined(kept))
            yield _finding(outcome, labels, "kept-conffiles", text)
        if facts.get("reboot_required") is True and "reboot-required" not in told:
            text = labels.word("update_fact", "reboot-required")
            yield _finding(outcome, labels, "reboot-required", text)
    elif outcome.phase is Phase.ANTIVIRUS:
        eicar = text_of(facts, "eicar", 40)
        if eicar in ("found", "not-found") and f"av-eicar-{eicar}" not in told:
            yield _finding(outcome, labels, f"eicar-{eicar}", labels.word("eicar", eicar))
    elif outcome.phase is Phase.TEST:
        yield from _failed_tests(outcome, facts, labels)


def _failed_tests(outcome: Outcome, facts: Mapping[str, Any], labels: Labels) -> Iterator[Finding]:
    for test in table_of(facts, "tests"):
        if test.get("required") is True and test.get("result") == "failed":
            kind = text_of(test, "kind", 40)
            name = f"{labels.known('test_kind', kind, kind)}, {text_of(test, 'target', 120)}"
            text = labels.word("test_words", "failed").format(
                test=name, evidence=labels.phrase(text_of(test, "evidence", 300))
            )
            yield _finding(outcome, labels, "test-failed", text)


def _named(
    outcome: Outcome, labels: Labels, code: str, names: list[str], most: int = 12
) -> Iterator[Finding]:
    if names:
        text = labels.word("check_fact", code).format(names=joined(names, most=most))
        yield _finding(outcome, labels, code, text)


def _finding(outcome: Outcome, labels: Labels, code: str, text: str, hint: str = NONE) -> Finding:
    return Finding(say(outcome.host), labels.word("phase", outcome.phase), code, text, hint)
