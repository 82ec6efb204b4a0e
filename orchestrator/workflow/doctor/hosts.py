"""Asks every host one read-only question and makes a report of each (before SOP step 2)."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from pydantic import ValidationError

from orchestrator.fleet.inventory import Inventory
from orchestrator.fleet.run import PhaseCall, run_phase
from orchestrator.model.evidence import Evidence, Outcome, OutcomeKind, Phase
from orchestrator.workflow.doctor.fixes import Place, fix_of, fix_of_reason
from orchestrator.workflow.doctor.records import Facts, HostReport, Look


def look_at_hosts(inventory: Inventory, become_password: str = "") -> list[HostReport]:
    """One report for each host, in the inventory's order.

    Raises CannotRunError when Ansible itself fails.
    """
    asked = time.time()
    reports: dict[str, HostReport] = {}

    def on_outcome(outcome: Outcome) -> None:
        login = inventory.logins.get(outcome.host, "")
        reports[outcome.host] = report(outcome, login, asked, time.time())

    requests = {
        host: {
            "schema": "sop-run/request/1",
            "phase": str(Phase.DOCTOR),
            "host": host,
            "cycle": "",
            "plan_id": "",
            "transaction": "",
            "items": [],
            "options": {},
        }
        for host in inventory.hosts
    }
    with tempfile.TemporaryDirectory(prefix="sop-run-doctor-") as folder:
        runner = Path(folder) / "runner"
        call = PhaseCall(Phase.DOCTOR, inventory.path, requests, runner, become_password)
        run_phase(call, on_outcome)
    return [reports[host] for host in inventory.hosts]


def report(outcome: Outcome, login: str, asked: float, answered: float) -> HostReport:
    """What an outcome means; `asked` and `answered` are epoch seconds here."""
    host, evidence = outcome.host, outcome.read()
    if evidence is None:
        reached = outcome.kind is not OutcomeKind.UNREACHABLE
        fix = fix_of_reason(outcome.reason, Place(host, login))
        look = Look(host, "finding", outcome.reason, fix, "no-answer")
        return HostReport(host, login, reached, (look,))
    try:
        facts = Facts.model_validate(evidence.facts)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        fix = "look at the host by hand: it does not answer as the host program does"
        look = Look(host, "finding", f"its facts are malformed: {where}", fix, "malformed")
        return HostReport(host, login, True, (look,))
    place = Place(host, login, facts.package_manager)
    findings = _findings(evidence, place)
    return HostReport(host, login, True, findings, facts, _offset(facts.clock, asked, answered))


def _findings(evidence: Evidence, place: Place) -> tuple[Look, ...]:
    return tuple(
        Look(place.host, "finding", problem.message, fix_of(problem.code, place), problem.code)
        for problem in evidence.problems
    )


def _offset(clock: float | None, asked: float, answered: float) -> float | None:
    """Seconds that a host's clock is ahead; 0 when it lies between question and answer."""
    if clock is None:
        return None
    return min(clock - asked, 0.0) or max(clock - answered, 0.0)
