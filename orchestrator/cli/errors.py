"""Turns expected errors into messages and exit codes; only here does the program exit."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Never

import click

from orchestrator.cli.scratch import own_temporary_folder
from orchestrator.cli.table import plain
from orchestrator.cli.words import say, told
from orchestrator.model.errors import CannotRunError, SopRunError


def guarded(command: click.Command) -> int:
    """Run the command line; returns the exit code (0 to 4; 130 for Ctrl-C, 143 for SIGTERM)."""
    signal.signal(signal.SIGTERM, _end)
    try:
        own_temporary_folder()
        # False: never a colour; None: where the stream is a terminal.
        result = command.main(standalone_mode=False, color=False if plain() else None)
    except SopRunError as error:
        click.echo(f"sop-run: {told(error.message)}", err=True)
        if error.hint:
            click.echo(f"  → {told(error.hint)}", err=True)
        return error.exit_code
    except OSError as error:  # a full or read-only disk, a folder that is not ours
        click.echo(f"sop-run: {error}", err=True)
        say("  → correct the cause, then run the same command again: it goes on", err=True)
        return CannotRunError.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        say("sop-run: stopped; run the same command again to go on", err=True)
        return 130
    except Terminated as end:
        say("sop-run: stopped; run the same command again to go on", err=True)
        return end.exit_code
    return result if isinstance(result, int) else 0


class Terminated(BaseException):
    """SIGTERM ends like Ctrl-C: temporary folders are removed and terminals given back."""

    exit_code = 128 + signal.SIGTERM


def _end(_number: int, _frame: FrameType | None) -> Never:
    raise Terminated
