"""`sop-run sign` and `sop-run return`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from orchestrator.cli.complete import cycle_names, officer_ids
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.passphrase import PASSPHRASE_VARIABLE, key_file
from orchestrator.cli.show import Lines, explain
from orchestrator.cli.times import time_words
from orchestrator.cli.words import say, t
from orchestrator.journal.book import read_state
from orchestrator.journal.store import now_utc
from orchestrator.journal.times import reasons_wanted
from orchestrator.model.errors import UsageError
from orchestrator.workflow.gates import Choices, Signer, send_back, sign
from orchestrator.workflow.monthly import find_cycle
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
@click.option(
    "--overrun-reason",
    "overrun",
    multiple=True,
    metavar="[STEP=]TEXT",
    help="Why a step took longer than its standard time: the gate's own, or a step's of the "
    "program before it; may be repeated [default: asked for on a terminal].",
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
    canary: str,
    wave: str,
    abort_limit: str,
    reboot: str | None,
    overrun: tuple[str, ...],
    pdf_key: Path | None,
    pdf_passphrase_file: Path | None,
    number: str,
    options: Given,
) -> int:
    """Pass the gate of CYCLE that is open, with an officer's SSH key.

    Percentages are of the hosts with approved items, rounded down (a wave has at least one host).
    An overrun is no failure: without a reason it is reported so, and `sop-run note` adds one.

    \b
    Example: sop-run sign 2026-11 --as analis --key ~/.ssh/id_ed25519
             sop-run sign 2026-11 --as analis --defer '4=vendor asks to wait'
             sop-run sign 2026-11 --as analis --checklist marked.xlsx
             sop-run sign 2026-11 --as kepala --window '2026-11-23 22:00/2026-11-24 02:00'
             sop-run sign 2026-11 --as kepala --canary 5% --wave 25% --abort-limit 10%
             sop-run sign 2026-11 --as jf --overrun-reason 'perjalanan dinas 23 November'
             sop-run sign 2026-11 --as jf --pdf-key ~/jf.p12
             sop-run sign 2026-11 --as kepala --pdf-key ~/kepala.p12 --number 500.12.12/0123/2026
    """
    signer = Signer(cycle, officer, key)
    choices = Choices(
        defer=_deferred(defer),
        terms=Terms(window, canary, wave, abort_limit, reboot or ""),
        checklist=checklist,
        reasons=_reasons(overrun) or _asked(cycle, options),
        pdf_key=key_file(pdf_key, pdf_passphrase_file),
        number=number,
    )
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


def _reasons(overrun: tuple[str, ...]) -> dict[int, str]:
    """Step → reason; 0 stands for every step that lacks one."""
    reasons: dict[int, str] = {}
    for text in overrun:
        number, sign_, reason = text.partition("=")
        step = int(number) if sign_ and number.strip().isdigit() else 0
        if step in reasons:
            raise UsageError(
                f"--overrun-reason stands twice for {f'step {step}' if step else 'all steps'}",
                "write STEP=TEXT for each step",
            )
        reasons[step] = reason if step else text
    return reasons


def _asked(cycle: str, options: Given) -> dict[int, str]:
    """The reasons that are typed on the terminal; none where there is none to ask."""
    if not sys.stdin.isatty():
        return {}
    state = read_state(find_cycle(options.settings, cycle))
    reasons = {}
    for time in reasons_wanted(state, now_utc()):
        say(f"Step {time.step} {time_words(time)}.", err=True)
        text = str(
            click.prompt(t("Why? (empty: no reason)"), default="", show_default=False, err=True)
        )
        if text.strip():
            reasons[time.step] = text.strip()
    return reasons
