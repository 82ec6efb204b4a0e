"""`sop-run monthly`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, Lines, explain, warn
from orchestrator.journal.book import read_state
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import CannotRunError, SopRunError, UsageError
from orchestrator.office.load import load_office
from orchestrator.workflow.monthly import monthly
from orchestrator.workflow.notify.events import aborted
from orchestrator.workflow.notify.tell import tell
from orchestrator.workflow.schedule import look, today_in
from orchestrator.workflow.stop import Stopped


@click.command("monthly")
@click.option("--period", metavar="YYYY-MM", help="The cycle's month [default: this month].")
@click.option(
    "--limit", default="", metavar="HOSTS", help="Only these hosts (an Ansible host pattern)."
)
@click.option(
    "--ask-become-pass",
    is_flag=True,
    help="Ask once, on the terminal, for the password that sudo wants on the hosts.",
)
@click.option(
    "--if-due",
    is_flag=True,
    help="For timers: only open the month's cycle, and only when office.yml's schedule says so.",
)
@shared_options
def monthly_command(
    *, period: str | None, limit: str, ask_become_pass: bool, if_due: bool, options: Given
) -> int:
    """Open or continue the month's cycle and go on to the next gate.

    Running it again is how to resume: it goes on where the journal and the hosts are.
    No host is changed before steps 3 and 4 are signed.

    \b
    Example: sop-run monthly
             sop-run monthly --period 2026-11 --limit 'web*' --inventory office/inventory
             sop-run monthly --ask-become-pass
             sop-run monthly --if-due
    """
    if if_due and (period or limit):
        raise UsageError("--if-due takes the month and hosts that are due", "leave out others")
    name = period or date.today().strftime("%Y-%m")
    try:
        if if_due:
            office = load_office(options.settings.office)
            due = look(options.settings, office, today_in(office))
            click.echo(f"{due.words}.", err=due.now)
            if not due.now:
                return EXIT_DONE
            name = str(due.cycle)
        try:
            cycle = CycleId.parse(name)
        except ValueError as error:
            raise UsageError(str(error), "for example --period 2026-11") from error
        password = ask_password() if ask_become_pass else ""
        settings = replace(options.settings, limit=limit, become_password=password)
        return explain(monthly(settings, cycle, Lines()), options)
    except SopRunError as error:
        # Nobody looks at a timer's terminal, so there wrong configuration is told, too.
        if if_due or not isinstance(error, UsageError | Stopped):
            _tell_aborted(name, error, options)
        raise


def _tell_aborted(cycle: str, error: SopRunError, options: Given) -> None:
    """Notify whoever is to know that a run ended before its time; the error goes its way."""
    folder = options.settings.cycle_folder(cycle)
    try:
        seq = read_state(folder).seq if (folder / "journal.db").is_file() else 0
    except CannotRunError:
        seq = 0  # the journal itself is what does not work
    news = aborted(cycle, seq, error.message, options.command)
    tell(options.settings, cycle, [news], warn)


def ask_password() -> str:
    """What is typed on the terminal, once; it is kept in memory only."""
    if not sys.stdin.isatty():
        raise UsageError(
            "--ask-become-pass needs a terminal to ask on",
            "without one, keep ansible_become_password in a vault (docs/how-to/own-servers.md)",
        )
    return str(click.prompt("sudo password of the hosts", hide_input=True, err=True))
