"""`sop-run sign` and `sop-run return`."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.passphrase import PASSPHRASE_VARIABLE, key_file
from orchestrator.cli.show import Lines, explain
from orchestrator.model.errors import UsageError
from orchestrator.workflow.gates import Choices, Signer, send_back, sign

KEY = click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="Private key, or public key whose private half an agent or token holds "
    "[default: the officer's keys in the agent].",
)
OFFICER = click.option("--as", "officer", required=True, metavar="OFFICER", help="Who signs.")


@click.command("sign")
@click.argument("cycle")
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
    "--pdf-key",
    type=click.Path(path_type=Path),
    metavar="FILE.p12",
    help="At steps 10 and 11: sign the report's PDF, too, with this certificate (PKCS#12). Its "
    f"passphrase is asked for, unless {PASSPHRASE_VARIABLE} or --pdf-passphrase-file has it.",
)
@click.option(
    "--pdf-passphrase-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file whose first line is the passphrase of --pdf-key.",
)
@click.option(
    "--number",
    default="",
    metavar="TEXT",
    help="At step 11: the number under which the report is established "
    "[default: by letters.number_pattern].",
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
    pdf_key: Path | None,
    pdf_passphrase_file: Path | None,
    number: str,
    options: Given,
) -> int:
    """Pass the gate of CYCLE that is open, with an officer's SSH key.

    \b
    Example: sop-run sign 2026-11 --as analis --key ~/.ssh/id_ed25519
             sop-run sign 2026-11 --as analis --defer '4=vendor asks to wait'
             sop-run sign 2026-11 --as analis --checklist marked.xlsx
             sop-run sign 2026-11 --as kepala --window '2026-11-23 22:00/2026-11-24 02:00'
             sop-run sign 2026-11 --as jf --pdf-key ~/jf.p12
             sop-run sign 2026-11 --as kepala --pdf-key ~/kepala.p12 --number 500.12.12/0123/2026
    """
    signer = Signer(cycle, officer, key)
    with_pdf = key_file(pdf_key, pdf_passphrase_file)
    choices = Choices(_deferred(defer), window, checklist, with_pdf, number)
    return explain(sign(options.settings, signer, Lines(), choices), options)


@click.command("return")
@click.argument("cycle")
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
