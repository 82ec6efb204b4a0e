"""`sop-run restore`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from orchestrator.cli.complete import cycle_names, officer_ids
from orchestrator.cli.cycle import ASK_PASSWORD, ask_password
from orchestrator.cli.gates import KEY
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import Lines, explain
from orchestrator.model.errors import UsageError
from orchestrator.workflow.gates import Signer
from orchestrator.workflow.restoring import Wish, restore


@click.command("restore")
@click.argument("cycle", shell_complete=cycle_names)
@click.argument("hosts", nargs=-1, metavar="HOST...")
@click.option(
    "--as",
    "officer",
    required=True,
    metavar="OFFICER",
    help="Who orders it.",
    shell_complete=officer_ids,
)
@KEY
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is in the documents.")
@click.option(
    "--whole-guest",
    is_flag=True,
    help="Where the backup is a hypervisor's snapshot: let data since then be lost, too.",
)
@ASK_PASSWORD
@shared_options
def restore_command(
    *,
    cycle: str,
    hosts: tuple[str, ...],
    officer: str,
    key: Path | None,
    reason: str,
    whole_guest: bool,
    ask_become_pass: bool,
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
    password = ask_password() if ask_become_pass else ""
    settings = replace(options.settings, become_password=password)
    wish = Wish(hosts, reason, whole_guest=whole_guest)
    return explain(restore(settings, signer, wish, Lines()), options)
