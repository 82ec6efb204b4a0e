"""`sop-run status`."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, verdict_table, waiting_words
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.content.year import late_steps
from orchestrator.documents.templates import template_folder
from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.model.verdict import GOOD
from orchestrator.sop.procedure import ROLE_NAMES
from orchestrator.workflow.monthly import Standing, cycles, find_cycle
from orchestrator.workflow.recap import archive_state
from orchestrator.workflow.settings import Settings


@click.command("status")
@click.argument("cycle", required=False)
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
    click.echo(_steps(state))
    click.echo("\n" + verdict_table(state))
    if state.gate is not None:
        click.echo("\n" + waiting_words(Standing(state, folder, state.gate, "sign"), options))
    elif not state.closed_at:
        click.echo(f"\nNext: {options.command(f'monthly --period {state.cycle}')}")
    return EXIT_DONE


def facts_of(state: CycleState) -> dict[str, Any]:
    """A cycle's standing as plain data."""
    return {
        "cycle": state.cycle,
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
        "plan_id": state.plan.id if state.plan else "",
        "waits_for": list(state.gate.signers) if state.gate else [],
        "steps": {
            str(n): {"state": s.state, "started_at": s.started_at, "ended_at": s.ended_at}
            for n, s in state.steps.items()
        },
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
        return f"No cycles in {options.settings.home}. Begin one with: {options.command('monthly')}"
    rows = [
        f"{'CYCLE':<12}  {'KIND':<10}  {'OPENED':<16}  {'HOSTS':>5}  {'GOOD':>5}  {'BAD':>5}  "
        f"{'OVERRUNS':<10}  {'ARCHIVE':<7}  STANDS AT"
    ]
    for fact in facts:
        good = sum(n for verdict, n in fact["verdicts"].items() if verdict in GOOD)
        bad = sum(fact["verdicts"].values()) - good
        late = ",".join(map(str, fact["overruns"])) or "-"
        opened = fact["opened_at"][:16].replace("T", " ")
        rows.append(
            f"{fact['cycle']:<12}  {fact['kind']:<10}  {opened:<16}  {len(fact['hosts']):>5}  "
            f"{good:>5}  {bad:>5}  {late:<10}  {fact['archive']:<7}  {_stand(fact)}"
        )
    return "\n".join(rows)


def _stand(fact: dict[str, Any]) -> str:
    if fact["closed_at"]:
        return "closed"
    open_steps = [n for n, s in fact["steps"].items() if s["state"] == "open"]
    stand = f"step {', '.join(open_steps)}" if open_steps else "working"
    if fact["waits_for"]:
        stand += f", waits for {' and '.join(ROLE_NAMES[r] for r in fact['waits_for'])}"
    return stand


def _steps(state: CycleState) -> str:
    rows = [
        f"{'STEP':>4}  {'':<20}  {'STATE':<8}  {'STARTED (UTC)':<16}  {'ENDED (UTC)':<16}  ROLE"
    ]
    for step in state.procedure:
        stand = state.steps[step.number]
        role = ROLE_NAMES[step.role] if step.role else ""
        rows.append(
            f"{step.number:>4}  {step.title:<20}  {stand.state:<8}  "
            f"{stand.started_at[:16].replace('T', ' '):<16}  "
            f"{stand.ended_at[:16].replace('T', ' '):<16}  {role}".rstrip()
        )
    return "\n".join(rows)
