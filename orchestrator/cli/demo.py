"""`sop-run demo`."""

from __future__ import annotations

import time
from datetime import date, datetime
from pathlib import Path

import click

from orchestrator.cli.show import EXIT_DONE, EXIT_FINDINGS, Lines, findings, verdict_table
from orchestrator.cli.words import say, t
from orchestrator.lab.demo import HOSTS, Demonstration, hosts, whole_cycle
from orchestrator.lab.lab import Lab
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import CannotRunError, UsageError


@click.command("demo")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Folder for the cycle and its archive [default: var/demo/DATE-TIME].",
)
@click.option("--keep", is_flag=True, help="Leave the hosts running afterwards.")
@click.option(
    "--hosts", "count", default=len(HOSTS), show_default=True, help="Hosts; more ones are thin."
)
def demo_command(home: Path | None, keep: bool, count: int) -> int:
    """Run one whole cycle on throw-away real hosts on this machine (as root).

    Makes real hosts in network namespaces, runs all 13 steps with demo officers signing,
    writes documents and archive, verifies the archive, and takes the hosts down again.
    Exit code 1 is right: one update breaks its service and is rolled back, one host is down.

    \b
    Example: ./sop-run demo
             ./sop-run demo --keep --home /tmp/demo
    """
    if count < len(HOSTS):
        raise UsageError(f"the demo has at least {len(HOSTS)} hosts", "leave out --hosts")
    began = time.monotonic()
    home = (home or Path("var/demo") / datetime.now().strftime("%Y%m%d-%H%M%S")).absolute()
    if (home / "cycles").exists():
        raise UsageError(f"{home} holds cycles already", "name a new folder with --home")
    _say(f"making {count} throw-away hosts (the first time their base is built: minutes)")
    folder = home / "lab"
    try:
        lab = Lab.up(folder, hosts(count), _say)
        up = time.monotonic()
        today = date.today()
        shown = whole_cycle(lab, home, CycleId(today.year, today.month), Lines(), _say)
        cycle = time.monotonic()
    finally:
        if not keep and folder.exists():
            _say("taking the hosts down")
            Lab.load(folder).down()
    _summary(shown)
    say(
        f"\nHosts up in {up - began:.0f} s, cycle in {cycle - up:.0f} s, "
        f"all in {time.monotonic() - began:.0f} s."
    )
    if keep:
        inventory = folder / "inventory" / "hosts.yml"
        say(f"The hosts are still up: sop-run monthly --inventory {inventory}")
        say(f"Take them down with: sop-run lab down --dir {folder}")
    if not shown.audit.ok:
        raise CannotRunError("the audit of the demo's archive failed", "sop-run audit names what")
    if shown.broken_promises:
        raise CannotRunError(
            "the demo did not end as it should: " + "; ".join(shown.broken_promises),
            "the journal and the documents in the folder above say why",
        )
    return EXIT_FINDINGS if findings(shown.standing.state) else EXIT_DONE


def _say(words: str) -> None:
    say(f"         {words}", err=True)


def _summary(shown: Demonstration) -> None:
    state, documents = shown.standing.state, shown.standing.folder / "documents"
    click.echo(f"\n{verdict_table(state)}\n\n{t('Documents:')}")
    for name in state.documents:
        click.echo(f"  {documents / name}")
    say(f"Archive:\n  {shown.settings.home / state.archive_path}")
    held = sum(c.ok for c in shown.audit.checks)
    say(f"Audit: {held} of {len(shown.audit.checks)} checks hold.")
