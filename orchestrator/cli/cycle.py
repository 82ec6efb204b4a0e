"""`sop-run monthly` and `sop-run remediate`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.results import give, result_options
from orchestrator.cli.show import EXIT_DONE, Lines, warn
from orchestrator.cli.words import t
from orchestrator.journal.book import read_state
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import CannotRunError, SopRunError, UsageError
from orchestrator.model.selection import Selection
from orchestrator.office.load import load_office
from orchestrator.workflow.monthly import Standing, monthly
from orchestrator.workflow.notify.events import aborted
from orchestrator.workflow.notify.tell import tell
from orchestrator.workflow.rehearsal import rehearse_month, rehearse_remediation
from orchestrator.workflow.remediate import Occasion, remediate, resume
from orchestrator.workflow.schedule import look, today_in
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.stop import Stopped

ASK_PASSWORD = click.option(
    "--ask-become-pass",
    is_flag=True,
    help="Ask once, on the terminal, for the password that sudo wants on the hosts.",
)


@click.command("monthly")
@click.option("--period", metavar="YYYY-MM", help="The cycle's month [default: this month].")
@click.option(
    "--limit", default="", metavar="HOSTS", help="Only these hosts (an Ansible host pattern)."
)
@ASK_PASSWORD
@click.option(
    "--if-due",
    is_flag=True,
    help="For timers: only open the month's cycle, and only when office.yml's schedule says so.",
)
@result_options
@shared_options
def monthly_command(
    *,
    period: str | None,
    limit: str,
    ask_become_pass: bool,
    if_due: bool,
    dry_run: bool,
    junit: Path | None,
    as_json: bool,
    options: Given,
) -> int:
    """Open or continue the month's cycle and go on to the next gate.

    Running it again is how to resume: it goes on where the journal and the hosts are.
    No host is changed before steps 3 and 4 are signed.

    \b
    Example: sop-run monthly
             sop-run monthly --period 2026-11 --limit 'web*' --inventory office/inventory
             sop-run monthly --ask-become-pass
             sop-run monthly --if-due
             sop-run monthly --dry-run --junit report.xml
    """
    if if_due and (period or limit or dry_run):
        raise UsageError("--if-due takes the month and hosts that are due", "leave out others")
    name = period or date.today().strftime("%Y-%m")
    try:
        if if_due:
            office = load_office(options.settings.office)
            due = look(options.settings, office, today_in(office))
            click.echo(f"{t(due.words)}.", err=due.now)
            if not due.now:
                return EXIT_DONE
            name = str(due.cycle)
        cycle = _parsed(name, "--period 2026-11")
        password = ask_password() if ask_become_pass else ""
        settings = replace(options.settings, limit=limit, become_password=password)
        run = rehearse_month if dry_run else monthly
        return give(run(settings, cycle, Lines()), options, as_json=as_json, junit=junit)
    except SopRunError as error:
        # Nobody looks at a timer's terminal, so there wrong configuration is told, too.
        if not dry_run and (if_due or not isinstance(error, UsageError | Stopped)):
            _tell_aborted(name, error, options)
        raise


@click.command("remediate")
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@click.option("--security", is_flag=True, help="Only security updates.")
@click.option("--package", multiple=True, metavar="NAME", help="Only this package; repeatable.")
@click.option(
    "--cve",
    multiple=True,
    metavar="ID",
    help="Only what names this CVE or advisory; repeatable.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why now; it is in the documents.")
@click.option("--cycle", metavar="YYYY-MM-iNN", help="Go on with this incidental cycle.")
@ASK_PASSWORD
@result_options
@shared_options
def remediate_command(
    *,
    hosts: tuple[str, ...],
    security: bool,
    package: tuple[str, ...],
    cve: tuple[str, ...],
    reason: str,
    cycle: str | None,
    ask_become_pass: bool,
    dry_run: bool,
    junit: Path | None,
    as_json: bool,
    options: Given,
) -> int:
    """Open an incidental cycle for a few hosts, at any hour, with the same gates and documents.

    Filters narrow down what is put forward: an item must meet each kind that is given. What is
    left out is counted in the documents; packages that the chosen ones need come along and are
    put forward, too. The same call again goes on with the cycle that it opened.

    \b
    Example: sop-run remediate web01 --reason 'vendor fix for the login error'
             sop-run remediate web01 web02 --cve CVE-2026-1234 --reason 'exploited'
             sop-run remediate web01 --security --reason audit --dry-run
             sop-run remediate --cycle 2026-11-i01
    """
    password = ask_password() if ask_become_pass else ""
    settings = replace(options.settings, become_password=password)
    selection = Selection(
        security=security,
        packages=tuple(sorted({_name(p, "--package") for p in package})),
        cves=tuple(sorted({_name(c, "--cve").upper() for c in cve})),
    )
    occasion = Occasion(hosts, reason.strip(), selection)
    standing = _remediated(settings, occasion, cycle, dry_run=dry_run)
    return give(standing, options, as_json=as_json, junit=junit)


def _remediated(
    settings: Settings, occasion: Occasion, cycle: str | None, *, dry_run: bool
) -> Standing:
    if cycle is not None:
        if occasion != Occasion((), ""):
            raise UsageError(
                "--cycle goes on with a cycle as it was opened",
                "leave out HOST, the filters and --reason",
            )
        if dry_run:
            raise UsageError("a cycle that is open is no dry run", "leave out --cycle or --dry-run")
        return resume(settings, _parsed(cycle, "--cycle 2026-11-i01"), Lines())
    if not occasion.hosts:
        raise UsageError("name at least one HOST", "for example: sop-run remediate web01")
    today = date.today()
    run = rehearse_remediation if dry_run else remediate
    return run(settings, CycleId(today.year, today.month), occasion, Lines())


def _name(text: str, option: str) -> str:
    if not text.strip():
        raise UsageError(f"{option} is empty", "name what is to be updated")
    return text.strip()


def _parsed(text: str, example: str) -> CycleId:
    try:
        return CycleId.parse(text)
    except ValueError as error:
        raise UsageError(str(error), f"for example {example}") from error


def _tell_aborted(cycle: str, error: SopRunError, options: Given) -> None:
    """Notify whoever is to know that a run ended before its time; the error goes its way."""
    folder = options.settings.cycle_folder(cycle)
    try:
        seq = read_state(folder).seq if (folder / "journal.db").is_file() else 0
    except CannotRunError:
        seq = 0  # the journal itself is what does not work
    news = aborted(cycle, seq, error.message, options.told)
    tell(options.settings, cycle, [news], warn)


def ask_password() -> str:
    """What is typed on the terminal, once; it is kept in memory only."""
    if not sys.stdin.isatty():
        raise UsageError(
            "--ask-become-pass needs a terminal to ask on",
            "without one, keep ansible_become_password in a vault (docs/how-to/hosts.md)",
        )
    return str(click.prompt(t("sudo password of the hosts"), hide_input=True, err=True))
