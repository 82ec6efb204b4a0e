"""`sop-run monthly`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import Lines, explain
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.workflow.monthly import monthly


@click.command("monthly")
@click.option("--period", metavar="YYYY-MM", help="The cycle's month [default: this month].")
@click.option(
    "--limit", default="", metavar="HOSTS", help="Only these hosts (an Ansible host pattern)."
)
@shared_options
def monthly_command(*, period: str | None, limit: str, options: Given) -> int:
    """Open or continue the month's cycle and go on to the next gate.

    Running it again is how to resume: it goes on where the journal and the hosts are.
    No host is changed before steps 3 and 4 are signed.

    \b
    Example: sop-run monthly
             sop-run monthly --period 2026-11 --limit 'web*' --inventory office/inventory
    """
    try:
        cycle = CycleId.parse(period or date.today().strftime("%Y-%m"))
    except ValueError as error:
        raise UsageError(str(error), "for example --period 2026-11") from error
    settings = replace(options.settings, limit=limit)
    return explain(monthly(settings, cycle, Lines()), options)
