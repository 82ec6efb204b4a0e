"""`sop-run status`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

import click

from orchestrator.cli.complete import cycle_names
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, verdict_table, waiting_words
from orchestrator.cli.table import fitted, width
from orchestrator.cli.times import minutes, overruns, returns, said, sent_back, time_facts
from orchestrator.cli.words import Verbatim, say, spoken, t
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.year import late_steps
from orchestrator.documents.templates import template_folder
from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import now_utc
from orchestrator.journal.times import step_times
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.model.text import printable
from orchestrator.model.verdict import GOOD
from orchestrator.workflow.monthly import Standing, cycles, find_cycle
from orchestrator.workflow.recap import archive_state
from orchestrator.workflow.settings import Settings


@click.command("status")
@click.argument("cycle", required=False, shell_complete=cycle_names)
@click.option("--year", type=click.IntRange(1970, 9999), help="List this year's cycles only.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@shared_options
def status_command(*, cycle: str | None, year: int | None, as_json: bool, options: Given) -> int:
    """Show where the 13 steps and the hosts of CYCLE stand; without CYCLE, list the cycles.

    The list shows for each cycle how many hosts ended without finding, which steps took longer
    than their standard time, and whether its archive lies where the journal says.

    \b
    Example: sop-run status
             sop-run status --year 2026
             sop-run status 2026-11 --json
    """
    if cycle is None:
        facts = listed(options.settings, year)
        click.echo(json.dumps(facts, indent=2) if as_json else _list(facts, options))
        return EXIT_DONE
    if year is not None:
        raise UsageError("--year lists cycles", "leave it out, or leave out the cycle")
    folder = find_cycle(options.settings, cycle)
    state = read_state(folder)
    if as_json:
        click.echo(json.dumps(facts_of(state), indent=2))
        return EXIT_DONE
    if state.reason:
        click.echo(f"{t(f'Incidental cycle {state.cycle}:')} {printable(state.reason)}\n")
    click.echo(_steps(state, width()))
    for lines in (
        overruns(state, options),
        _notes(state),
        returns(state),
        sent_back(state, options),
    ):
        if lines:
            click.echo("\n" + "\n".join(spoken(lines)))
    click.echo("\n" + verdict_table(state))
    if state.relaxed:
        say("\nRelaxed in this cycle:")
    for rule in state.relaxed:
        until = " " + t(f"(until {rule.until[:16].replace('T', ' ')} UTC)") if rule.until else ""
        click.echo(f"  {printable(rule.words)}{until}")
    if state.gate is not None:
        click.echo("\n" + waiting_words(Standing(state, folder, state.gate, "sign"), options))
    elif not state.closed_at:
        say(f"\nNext: {options.command(f'monthly --period {state.cycle}')}")
    return EXIT_DONE


def facts_of(state: CycleState) -> dict[str, Any]:
    """A cycle's standing as plain data; times of open steps are those until now."""
    times = step_times(state, now_utc())
    return {
        "cycle": state.cycle,
        "kind": state.kind,
        "reason": state.reason,
        "restores_from": state.source.cycle if state.source is not None else "",
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
        "plan_id": state.plan.id if state.plan else "",
        "waits_for": list(state.gate.signers) if state.gate else [],
        "waits_for_names": [state.office.role_name(r) for r in state.gate.signers]
        if state.gate
        else [],
        "relaxed": [asdict(r) for r in state.relaxed],
        "steps": {
            str(n): {"state": s.state, "started_at": s.started_at, "ended_at": s.ended_at}
            | time_facts(times[n], state)
            for n, s in state.steps.items()
        },
        "returns": [asdict(r) for r in state.returns],
        "hosts": {
            host: str(state.verdicts[host].verdict) if host in state.verdicts else ""
            for host in state.hosts
        },
        "journal_head": state.head,
        "archive_manifest": state.archive_manifest,
    }


def listed(settings: Settings, year: int | None) -> list[dict[str, Any]]:
    """The standing of every cycle, oldest first, with what is known across months."""
    labels = load_labels(template_folder(settings.templates))
    found = []
    for name in cycles(settings.home):
        period = CycleId.parse(name)
        if year in (None, period.year):
            state = read_state(settings.cycle_folder(name))
            verdicts = Counter(str(v.verdict) for v in state.verdicts.values())
            found.append(
                {
                    **facts_of(state),
                    "period": period.period,
                    "kind": state.kind,
                    "verdicts": dict(sorted(verdicts.items())),
                    "overruns": list(late_steps(state, labels)),
                    "archive": archive_state(settings, state),
                }
            )
    return found


def _list(facts: list[dict[str, Any]], options: Given) -> str:
    if not facts:
        return t(
            f"No cycles in {options.settings.home}. Begin one with: {options.command('monthly')}"
        )
    rows = [
        (
            t("CYCLE"), t("KIND"), t("OPENED"), t("HOSTS"), t("GOOD"), t("BAD"), t("OVERRUNS"),
            t("ARCHIVE"), t("STANDS AT"),
        )
    ]  # fmt: skip
    for fact in facts:
        good = sum(n for verdict, n in fact["verdicts"].items() if verdict in GOOD)
        bad = sum(fact["verdicts"].values()) - good
        late = ",".join(map(str, fact["overruns"])) or "-"
        opened = fact["opened_at"][:16].replace("T", " ")
        counts = (str(len(fact["hosts"])), str(good), str(bad))
        rows.append(
            (fact["cycle"], fact["kind"], opened, *counts, late, fact["archive"], _stand(fact))
        )
    forms = ("<12", "<10", "<16", ">5", ">5", ">5", "<10", "<7", "")
    return fitted(rows, forms, (2, 1, 6), width())


def _stand(fact: dict[str, Any]) -> str:
    if fact["closed_at"]:
        return t("closed")
    open_steps = [n for n, s in fact["steps"].items() if s["state"] == "open"]
    stand = t(f"step {', '.join(open_steps)}" if open_steps else "working")
    if fact["waits_for"]:
        stand += t(f", waits for {' and '.join(fact['waits_for_names'])}")
    return stand


def _steps(state: CycleState, columns: int | None) -> str:
    """The steps as a table; on a narrow terminal without times of day and roles."""
    times = step_times(state, now_utc())
    rows = [
        (
            t("STEP"), "", t("STATE"), t("STARTED (UTC)"), t("ENDED (UTC)"), t("STANDARD"),
            t("ACTUAL"), "", t("ROLE"),
        )
    ]  # fmt: skip
    for step in state.procedure:
        stand, time = state.steps[step.number], times[step.number]
        row = (
            str(step.number), t(step.title), stand.state,
            stand.started_at[:16].replace("T", " "), stand.ended_at[:16].replace("T", " "),
            t(f"{step.minutes} min") if step.minutes else "",
            minutes(time) if step.minutes else "", t("LATE") if time.late else "",
            state.office.role_name(step.role) if step.role else "",
        )  # fmt: skip
        rows.append(row)
    forms = (">4", "<20", "<8", "<16", "<16", ">8", ">7", "<4", "")
    return fitted(rows, forms, (3, 4, 8, 5), columns)


def _notes(state: CycleState) -> list[str]:
    """Notes other than reasons of overruns, by step."""
    notes = sorted((n for n in state.notes if n.kind != "overrun"), key=lambda n: (n.step, n.seq))
    return [
        Verbatim(f"{t(f'Step {n.step}')}, {n.kind}: {printable(said(n, state), 400)}")
        for n in notes
    ]
