"""`sop-run schedule`."""

from __future__ import annotations

import getpass
import json
import os
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE
from orchestrator.cli.words import say, t
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.office import Office
from orchestrator.office.load import load_office
from orchestrator.workflow.schedule import look, schedule_of, today_in, upcoming
from orchestrator.workflow.timer import (
    NAME,
    Units,
    activation,
    install,
    make_units,
    verify,
    write_units,
)


@click.command("schedule")
@click.option("--count", default=6, show_default=True, help="How many dates.",
              type=click.IntRange(1, 120))  # fmt: skip
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a systemd timer and service there.",
)
@click.option(
    "--install",
    "installed",
    is_flag=True,
    help="Write them where systemd looks and start the timer: as root for the system, else for "
    "your own systemd.",
)
@click.option(
    "--run-as",
    metavar="USER",
    help="As root: whose keys the service uses [default: who called sudo, else root].",
)
@click.option("--name", default=NAME, show_default=True, help="Name of the units.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@shared_options
def schedule_command(
    *,
    count: int,
    folder: Path | None,
    installed: bool,
    run_as: str | None,
    name: str,
    as_json: bool,
    options: Given,
) -> int:
    """Show when the next checks are due by office.yml; write or install a systemd timer.

    The timer only ever opens a month's cycle and checks the hosts, up to the first signature.

    \b
    Example: sop-run schedule
             sop-run schedule --write /tmp/units
             sudo sop-run schedule --install --run-as ops
    """
    settings = options.settings
    office = load_office(settings.office)
    schedule = schedule_of(office, settings)
    units = None
    if folder or installed:
        user = os.geteuid() != 0
        if run_as and user:
            raise UsageError("--run-as is for root; yours run as yourself", "leave out --run-as")
        me = os.environ.get("SUDO_USER") or getpass.getuser()
        units = make_units(settings, office, name=name, run_as=run_as or me, user=user)
        trouble = verify(units)
        if trouble:
            raise CannotRunError(f"systemd does not take the units: {trouble}", "nothing written")
    today = today_in(office)
    due = look(settings, office, today)
    facts: dict[str, Any] = {
        "rule": schedule.rule,
        "words": schedule.words,
        "shift": schedule.shift,
        "time": schedule.clock,
        "timezone": office.office.timezone,
        "today": today.isoformat(),
        "due_now": due.now,
        "why": due.words,
        "next": [
            {"period": period, "date": day.isoformat(), "weekday": f"{day:%A}"}
            for period, day in upcoming(settings, office, today, count)
        ],
        "files": [str(path) for path in _put(units, folder, installed)],
    }
    click.echo(json.dumps(facts, indent=2) if as_json else t(_text(facts)))
    if units is not None and not as_json:
        say(_advice(units, folder, installed, office))
    return EXIT_DONE


def _put(units: Units | None, folder: Path | None, installed: bool) -> list[Path]:
    paths = write_units(units, folder) if units and folder else []
    return paths + (install(units) if units and installed else [])


def _text(facts: dict[str, Any]) -> str:
    words = facts["words"]
    lines = [f"The check is due on {words}, at {facts['time']} {facts['timezone']}.", ""]
    for entry in facts["next"]:
        day = date.fromisoformat(entry["date"])
        lines.append(f"  {entry['period']}  {t(f'{day:%A}')} {day:%Y-%m-%d}")
    return "\n".join([*lines, "", f"Now: {facts['why']}."])


def _advice(units: Units, folder: Path | None, installed: bool, office: Office) -> str:
    lines = []
    if folder:
        where = "your own systemd (~/.config/systemd/user)" if units.user else "/etc/systemd/system"
        files = " ".join(shlex.quote(str(folder / name)) for name in units.files)
        lines += ["", f"Written: {files}", f"Copy them to {where}, then:"]
        lines += [f"  {shlex.join(words)}" for words in activation(units)]
    if installed:
        own = "--user " if units.user else ""
        lines += ["", f"The timer {units.name}.timer is on; look at it with:"]
        lines.append(f"  systemctl {own}list-timers {units.name}.timer")
        lines.append(f"  journalctl {own}-u {units.name}.service")
        if units.user:
            lines.append("So that it also runs while you are not logged in: loginctl enable-linger")
    return "\n".join(lines)
