"""`sop-run lab`: throw-away test hosts on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import click

from orchestrator.lab import cache
from orchestrator.lab.lab import Lab
from orchestrator.lab.scenario import demo_hosts, plan_hosts

folder_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/lab"),
    show_default=True,
    help="Folder of the lab.",
)


@click.group("lab")
def lab_command() -> None:
    """Make real test hosts on this machine (root, Debian or Ubuntu), and remove them.

    Example: sop-run lab up --full 7 --rpm 1 && sop-run lab status && sop-run lab down
    """


@lab_command.command("up")
@folder_option
@click.option("--full", type=click.IntRange(0, 60), help="Hosts with systemd.")
@click.option("--rpm", type=click.IntRange(0, 20), help="Hosts with dnf or zypper (imitations).")
@click.option("--thin", type=click.IntRange(0, 800), help="Small hosts without services.")
@click.option("--vm", type=click.IntRange(0, 8), help="Emulated machines with / on LVM.")
def up_command(
    directory: Path, full: int | None, rpm: int | None, thin: int | None, vm: int | None
) -> None:
    """Make hosts; without sizes, one for everything that the demo shows.

    Example: sop-run lab up --dir /tmp/lab --full 3 --rpm 1 --thin 20
    """
    if full is rpm is thin is vm is None:
        specs = demo_hosts()
    else:
        specs = plan_hosts(full or 0, rpm or 0, thin or 0, vm or 0)
    lab = Lab.up(directory, specs, click.echo)
    click.echo(f"inventory: {lab.inventory}")


@lab_command.command("down")
@folder_option
@click.option("--purge", is_flag=True, help="Remove the cached base under /var/cache, too.")
def down_command(directory: Path, purge: bool) -> None:
    """End and remove the hosts; nothing is left, also after a crash.

    Example: sop-run lab down --purge
    """
    if Lab.exists(directory):
        Lab.load(directory).down()
        click.echo(f"lab: removed what was in {directory}")
    else:
        click.echo(f"lab: there is no lab in {directory}; nothing to remove")
    cache.tidy()
    if purge:
        click.echo(cache.purge())


@lab_command.command("status")
@folder_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status_command(directory: Path, as_json: bool) -> None:
    """Show the hosts: what each is there for, and whether it runs.

    Example: sop-run lab status --json
    """
    facts = Lab.load(directory).status()
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    click.echo(f"lab {facts['prefix']} in {facts['directory']}")
    for host in facts["hosts"]:
        condition = ("running" if host["running"] else "off") + (
            "" if host["link"] else ", cut off"
        )
        line = f"{host['name']:<12}{host['kind']:<6}{host['address']:<14}{condition:<18}"
        click.echo(line + host["shows"])
