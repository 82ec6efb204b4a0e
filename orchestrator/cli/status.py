"""`sop-run status`."""

from __future__ import annotations

import json
from typing import Any

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, verdict_table, waiting_words
from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.model.text import printable
from orchestrator.sop.procedure import ROLE_NAMES
from orchestrator.workflow.monthly import Standing, cycles, find_cycle


@click.command("status")
@click.argument("cycle", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@shared_options
def status_command(*, cycle: str | None, as_json: bool, options: Given) -> int:
    """Show where the 13 steps and the hosts of CYCLE stand; without CYCLE, list the cycles.

    \b
    Example: sop-run status
             sop-run status 2026-11 --json
    """
    if cycle is None:
        facts = [
            facts_of(read_state(options.settings.cycle_folder(name)))
            for name in cycles(options.settings.home)
        ]
        click.echo(json.dumps(facts, indent=2) if as_json else _list(facts, options))
        return EXIT_DONE
    folder = find_cycle(options.settings, cycle)
    state = read_state(folder)
    if as_json:
        click.echo(json.dumps(facts_of(state), indent=2))
        return EXIT_DONE
    if state.reason:
        click.echo(f"Incidental cycle {state.cycle}: {printable(state.reason)}\n")
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
        "kind": state.kind,
        "reason": state.reason,
        "restores_from": state.source.cycle if state.source is not None else "",
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


def _list(facts: list[dict[str, Any]], options: Given) -> str:
    if not facts:
        return f"No cycles in {options.settings.home}. Begin one with: {options.command('monthly')}"
    rows = [f"{'CYCLE':<12}  {'OPENED':<16}  {'HOSTS':>5}  STANDS AT"]
    for fact in facts:
        stand = "closed" if fact["closed_at"] else "working"
        open_steps = [n for n, s in fact["steps"].items() if s["state"] == "open"]
        if not fact["closed_at"] and open_steps:
            stand = f"step {', '.join(open_steps)}"
        if fact["waits_for"]:
            stand += f", waits for {' and '.join(ROLE_NAMES[r] for r in fact['waits_for'])}"
        opened = fact["opened_at"][:16].replace("T", " ")
        rows.append(f"{fact['cycle']:<12}  {opened:<16}  {len(fact['hosts']):>5}  {stand}")
    return "\n".join(rows)


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
