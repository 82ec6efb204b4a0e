"""`sop-run notify`."""

from __future__ import annotations

import json
from typing import Any

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, EXIT_FINDINGS
from orchestrator.cli.words import say, t
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.notification import Target
from orchestrator.model.text import printable
from orchestrator.office.notifications import load_notifications, notifications_path
from orchestrator.workflow.notify.tell import HOW_TO_INSTALL, installed, try_all


@click.command("notify")
@click.option("--test", "try_it", is_flag=True, help="Send a test message to every target.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@shared_options
def notify_command(*, try_it: bool, as_json: bool, options: Given) -> int:
    """Show who is notified of what; with --test, send a message to everybody.

    Addresses are secrets: they stand in notifications.yml beside office.yml and are never shown.
    Exit code 1: a test message did not arrive.

    \b
    Example: sop-run notify
             sop-run notify --test
    """
    targets = load_notifications(options.settings.office).targets
    path = notifications_path(options.settings.office)
    if try_it and not targets:
        raise UsageError(f"nobody is to be notified: there is no target in {path}",
                         "docs/how-to/notifications.md shows how it is written")  # fmt: skip
    if try_it and not installed():
        raise CannotRunError("apprise is not installed, and it sends the notifications",
                             f"install it: {HOW_TO_INSTALL}")  # fmt: skip
    tried = {t.name: trouble for t, trouble in try_all(options.settings)} if try_it else {}
    if as_json:
        click.echo(json.dumps([_facts(t, tried) for t in targets], indent=2))
    elif not targets:
        say(f"Nobody is notified: there is no target in {path}.")
    else:
        click.echo("\n".join(_line(t, tried) for t in targets))
    return EXIT_FINDINGS if any(tried.values()) else EXIT_DONE


def _facts(target: Target, tried: dict[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": target.name,
        "kind": target.scheme,
        "events": list(target.events),
        "roles": list(target.roles),
    }
    if target.name in tried:
        facts |= {"sent": not tried[target.name], "trouble": tried[target.name]}
    return facts


def _line(target: Target, tried: dict[str, str]) -> str:
    words = f"{printable(target.name, 40):<24} {printable(target.scheme):<10} "
    words += ", ".join(target.events)
    if target.roles:
        words += " " + t(f"(gate: {', '.join(target.roles)})")
    if target.name in tried:
        trouble = tried[target.name]
        words += "\n" + t(f"  → {'NOT sent: ' + trouble if trouble else 'sent'}")
    return words
