"""Command line: parse, call, print, exit."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from orchestrator.cli.words import choose, translate_help

# Command → module under orchestrator.cli that defines it; imported only when asked for, since
# ansible-runner, typst and openpyxl together cost more than a second.
COMMANDS = {
    "init": "start",
    "monthly": "cycle",
    "remediate": "cycle",
    "sign": "gates",
    "return": "gates",
    "restore": "restore",
    "note": "note",
    "status": "status",
    "watch": "watch",
    "recap": "recap",
    "documents": "records",
    "archive": "records",
    "audit": "audit",
    "sop": "sop",
    "doctor": "doctor",
    "schedule": "schedule",
    "notify": "notify",
    "demo": "demo",
    "lab": "lab",
    "completion": "start",
}


class LazyGroup(click.Group):
    """Loads a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of use, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"orchestrator.cli.{COMMANDS[cmd_name]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return translate_help(command)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sop-run")
def cli() -> None:
    """Run the monthly server update procedure (SOP): check, sign, update, test, report, archive.

    Exit codes: 0 done; 1 done with findings or failed hosts; 2 wrong use or configuration;
    3 waiting for a signature; 4 could not run.
    """


def main() -> None:
    """Entry point of `sop-run`."""
    from orchestrator.cli.errors import guarded

    choose(sys.argv[1:])
    translate_help(cli)
    sys.exit(guarded(cli))
