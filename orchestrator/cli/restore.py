"""`sop-run restore`."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.complete import cycle_names
from orchestrator.cli.gates import KEY
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import Lines, explain
from orchestrator.model.errors import UsageError
from orchestrator.workflow.gates import Signer
from orchestrator.workflow.restoring import Wish, restore


@click.command("restore")
@click.argument("cycle", shell_complete=cycle_names)
@click.argument("hosts", nargs=-1, metavar="HOST...")
@click.option("--as", "officer", required=True, metavar="OFFICER", help="Who orders it.")
@KEY
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is in the documents.")
@shared_options
def restore_command(
    *,
    cycle: str,
    hosts: tuple[str, ...],
    officer: str,
    key: Path | None,
    reason: str,
    options: Given,
) -> int:
    """Put hosts back to the backup that CYCLE took of them, by an officer's signed order.

    The hosts are tested afterwards. While CYCLE is open it goes on from step 8; once it is closed,
    an incidental cycle of its own does the work, and CYCLE and its archive stay as they are.

    \b
    Example: sop-run restore 2026-11 web01 --as kepala --key KEY --reason 'login is broken'
    """
    if not hosts:
        raise UsageError("name at least one HOST", f"sop-run status {cycle} shows them")
    signer = Signer(cycle, officer, key)
    return explain(restore(options.settings, signer, Wish(hosts, reason), Lines()), options)
