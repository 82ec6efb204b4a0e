"""A run as JUnit XML: one test case for each host and phase, as CI systems show them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

from orchestrator.documents.render import write_atomically
from orchestrator.journal.judge import reason_of
from orchestrator.journal.state import CycleState
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Outcome, OutcomeKind, Phase, Status
from orchestrator.model.text import printable
from orchestrator.model.verdict import GOOD

REAL = (Phase.CHECK, Phase.BACKUP, Phase.UPDATE, Phase.TEST)
PARTS = ("preflight", "backup", "update", "baseline")


def write_junit(path: Path, state: CycleState) -> None:
    """Write the report; raises CannotRunError when the disk refuses.

    failure: the host program itself said no, or the verdict is a finding; error: there is no
    evidence (unreachable, no usable answer); skipped: the phase had no part in it, or is to come.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path.absolute(), junit(state))
    except OSError as error:
        raise CannotRunError(f"{path} cannot be written: {error}") from error


def junit(state: CycleState) -> bytes:
    """The report as bytes."""
    name = f"sop-run {state.cycle}" + (" dry run" if state.rehearsal else "")
    suite = Xml.Element("testsuite", name=name, timestamp=state.opened_at[:19])
    for host in state.hosts:
        _host(suite, state, host)
    for kind in ("failure", "error", "skipped"):
        count = sum(case.find(kind) is not None for case in suite)
        suite.set({"failure": "failures", "error": "errors"}.get(kind, kind), str(count))
    suite.set("tests", str(len(suite)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite):.3f}")
    root = Xml.Element("testsuites")
    root.append(suite)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _host(suite: Xml.Element, state: CycleState, host: str) -> None:
    outcomes = state.outcomes.get(host, [])
    if state.rehearsal:
        outcomes = _last_of_each(outcomes)
    seen: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.phase is Phase.REHEARSE and state.rehearsal:
            continue
        seen[outcome.phase] = seen.get(outcome.phase, 0) + 1
        count = seen[outcome.phase]
        case = _case(suite, host, outcome.phase + (f" {count}" if count > 1 else ""))
        _judge(case, outcome)
    verdict = state.verdicts.get(host)
    why = f"{verdict.verdict}: {verdict.reason}" if verdict else "its turn has not come"
    if state.rehearsal:
        _rehearsed(suite, state, host, why)
    else:
        for phase in REAL:
            if phase not in seen:
                _say(_case(suite, host, phase), "skipped", why)
    case = _case(suite, host, "verdict")
    if verdict is None:
        _say(case, "skipped", why)
    elif verdict.verdict not in GOOD:
        _say(case, "failure", why)


def _last_of_each(outcomes: list[Outcome]) -> list[Outcome]:
    return list({outcome.phase: outcome for outcome in outcomes}.values())


def _rehearsed(suite: Xml.Element, state: CycleState, host: str, why: str) -> None:
    """A rehearsal's parts, each as the phase that it rehearses."""
    outcome = state.last(host, Phase.REHEARSE) if state.items_of(host) else None
    evidence = outcome.read() if outcome is not None else None
    if outcome is not None and evidence is None:
        for part in PARTS:
            _judge(_case(suite, host, f"rehearse {part}"), outcome)
        return
    found = (evidence.facts.get("parts") or []) if evidence is not None else []
    parts = {p.get("part"): p for p in found if isinstance(p, dict)}
    for part in PARTS:
        case, told = _case(suite, host, f"rehearse {part}"), parts.get(part)
        if told is None:
            _say(case, "skipped", why)
        elif told.get("result") != "passed":
            _say(case, "failure", str(told.get("message", "")))


def _judge(case: Xml.Element, outcome: Outcome) -> None:
    evidence = outcome.read()
    if evidence is None or outcome.kind is not OutcomeKind.EVIDENCE:
        _say(case, "error", f"{outcome.kind}: {reason_of(outcome)}")
        return
    case.set("time", f"{evidence.seconds:.3f}")
    if evidence.status is not Status.OK:
        _say(case, "failure", f"{evidence.status}: {reason_of(outcome)}")


def _case(suite: Xml.Element, host: str, name: str) -> Xml.Element:
    return Xml.SubElement(
        suite, "testcase", classname=printable(host, 253), name=printable(name), time="0.000"
    )


def _say(case: Xml.Element, kind: str, words: str) -> None:
    """Host's words, made safe: no control character is XML."""
    Xml.SubElement(case, kind, message=printable(words, 500)).text = printable(words, 2000)
