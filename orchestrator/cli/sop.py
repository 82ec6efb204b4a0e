"""`sop-run sop`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE
from orchestrator.office.load import load_office
from orchestrator.sop.procedure import ROLE_NAMES, Step, procedure


@click.command("sop")
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON.")
@click.option("--markdown", is_flag=True, help="Print the steps as a Markdown table.")
@shared_options
def sop_command(*, as_json: bool, markdown: bool, options: Given) -> int:
    """Print the procedure's 13 steps as this office runs them.

    \b
    Example: sop-run sop
    """
    steps = procedure(load_office(options.settings.office))
    if as_json:
        click.echo(json.dumps([asdict(s) for s in steps], indent=2, ensure_ascii=False))
    elif markdown:
        click.echo(markdown_table(steps))
    else:
        for step in steps:
            minutes = f"{step.minutes} min" if step.minutes else "–"
            role = ROLE_NAMES[step.role] if step.role else "–"
            gate = "signed by " + " and ".join(step.signers) if step.signers else ""
            click.echo(
                f"{step.number:>2}  {step.title:<20} {minutes:>8}  {role:<42} {gate}".rstrip()
            )
    return EXIT_DONE


def markdown_table(steps: tuple[Step, ...]) -> str:
    """The steps as the table that README shows."""
    rows = [
        "| # | Step | Kegiatan | Role | Standard time | Signed by |",
        "|---|---|---|---|---|---|",
    ]
    for step in steps:
        role = ROLE_NAMES[step.role] if step.role else "–"
        minutes = f"{step.minutes} min" if step.minutes else "–"
        signed = ", ".join(ROLE_NAMES[s] for s in step.signers) or "–"
        rows.append(
            f"| {step.number} | {step.title} | {step.kegiatan} | {role} | {minutes} | {signed} |"
        )
    return "\n".join(rows)
