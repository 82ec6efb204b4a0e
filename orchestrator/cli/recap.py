"""`sop-run recap`."""

from __future__ import annotations

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE
from orchestrator.workflow.recap import recap


@click.command("recap")
@click.argument("year", type=click.IntRange(1970, 9999))
@shared_options
def recap_command(*, year: int, options: Given) -> int:
    """Write the recap of YEAR (Rekapitulasi Tahunan) as a workbook.

    It holds the year's cycles with their items by class, the times of the 13 steps against their
    standard, how often each host ended in which verdict, and the days from the publication of a
    security fix to its installation, where the host's evidence tells them. Cycles whose folder
    is gone are read from their archives.

    \b
    Example: sop-run recap 2026
    """
    click.echo(recap(options.settings, year))
    return EXIT_DONE
