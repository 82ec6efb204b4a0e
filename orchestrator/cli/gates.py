"""`sop-run sign` and `sop-run return`."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.complete import cycle_names, officer_ids
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import Lines, explain
from orchestrator.model.errors import UsageError
from orchestrator.workflow.gates import Choices, Signer, send_back, sign
from orchestrator.workflow.order import Terms

KEY = click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="Private key, or public key whose private half an agent or token holds "
    "[default: the officer's keys in the agent].",
)
OFFICER = click.option(
    "--as",
    "officer",
    required=True,
    metavar="OFFICER",
    help="Who signs.",
    shell_complete=officer_ids,
)


@click.command("sign")
@click.argument("cycle", shell_complete=cycle_names)
@OFFICER
@KEY
@click.option(
    "--defer",
    multiple=True,
    metavar="NO=REASON",
    help="At step 3: put off the item with this number in the check list; may be repeated.",
)
@click.option(
    "--checklist",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="At step 3: a copy of the check list with the decisions and remarks marked in it.",
)
@click.option(
    "--window",
    default="",
    metavar="START/END",
    help="At step 4: when the work may be done, in the office's time "
    "(YYYY-MM-DD HH:MM/YYYY-MM-DD HH:MM) [default: at once].",
)
@click.option(
    "--canary", default="", metavar="HOSTS", help="At step 4: hosts in the first wave (2, 5%, off)."
)
@click.option(
    "--wave", default="", metavar="HOSTS", help="At step 4: hosts in every later wave (20, 25%)."
)
@click.option(
    "--abort-limit",
    default="",
    metavar="HOSTS",
    help="At step 4: no wave begins when more hosts than this failed or were unreachable "
    "(3, 10%, unlimited).",
)
@click.option(
    "--reboot",
    type=click.Choice(["never", "if-needed", "always"]),
    help="At step 4: whether hosts restart. [default of these four: the rules in office.yml]",
)
@shared_options
def sign_command(
    *,
    cycle: str,
    officer: str,
    key: Path | None,
    defer: tuple[str, ...],
    checklist: Path | None,
    window: str,
    canary: str,
    wave: str,
    abort_limit: str,
    reboot: str | None,
    options: Given,
) -> int:
    """Pass the gate of CYCLE that is open, with an officer's SSH key.

    Percentages are of the hosts with approved items, rounded down (a wave has at least one host).

    \b
    Example: sop-run sign 2026-11 --as analis --key ~/.ssh/id_ed25519
             sop-run sign 2026-11 --as analis --defer '4=vendor asks to wait'
             sop-run sign 2026-11 --as analis --checklist marked.xlsx
             sop-run sign 2026-11 --as kepala --window '2026-11-23 22:00/2026-11-24 02:00'
             sop-run sign 2026-11 --as kepala --canary 5% --wave 25% --abort-limit 10%
    """
    signer = Signer(cycle, officer, key)
    terms = Terms(window, canary, wave, abort_limit, reboot or "")
    choices = Choices(_deferred(defer), terms, checklist)
    return explain(sign(options.settings, signer, Lines(), choices), options)


@click.command("return")
@click.argument("cycle", shell_complete=cycle_names)
@OFFICER
@KEY
@click.option("--reason", required=True, metavar="TEXT", help="Why it goes back.")
@shared_options
def return_command(
    *,
    cycle: str,
    officer: str,
    key: Path | None,
    reason: str,
    options: Given,
) -> int:
    """Send the open gate of CYCLE back: steps 3 and 4 to the check, 10 and 11 to the draft.

    \b
    Example: sop-run return 2026-11 --as jf --reason 'host db01 is missing in part C'
    """
    return explain(
        send_back(options.settings, Signer(cycle, officer, key), Lines(), reason), options
    )


def _deferred(defer: tuple[str, ...]) -> dict[int, str]:
    deferred = {}
    for text in defer:
        number, sign_, reason = text.partition("=")
        if not sign_ or not number.strip().isdigit() or not reason.strip():
            raise UsageError(f"--defer {text!r} is not NO=REASON", "for example --defer '4=wait'")
        deferred[int(number)] = reason.strip()
    return deferred
