"""`sop-run watch`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from orchestrator.cli.complete import cycle_names
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import (
    EXIT_DONE,
    EXIT_FINDINGS,
    EXIT_WAITING,
    findings,
    verdict_table,
    waiting_words,
)
from orchestrator.cli.table import colours
from orchestrator.cli.watchlines import Changes
from orchestrator.cli.watchview import Line, Sight, screen
from orchestrator.cli.words import t
from orchestrator.journal.follow import Follower, holder
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import now_utc
from orchestrator.workflow.monthly import Standing, find_cycle
from orchestrator.workflow.survey import Watched

STOPPED = 130
Draw = Callable[[Sight], None]


@click.command("watch")
@click.argument("cycle", shell_complete=cycle_names)
@click.option(
    "--until-gate", is_flag=True, help="End, with code 3, when the cycle waits for a signature."
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@shared_options
def watch_command(*, cycle: str, until_gate: bool, interval: float, options: Given) -> int:
    """Show CYCLE live: steps and hosts, while this or another process works on it.

    It only reads, so it may be started, stopped and run as often as one likes. On a terminal it
    draws a screen; elsewhere it prints one line for each change. It ends when the cycle is closed,
    with code 0 or, where there are findings, 1; Ctrl-C ends it before, with code 130.

    \b
    Example: sop-run watch 2026-11
             sop-run watch 2026-11 --until-gate
             sop-run watch 2026-11 --interval 10 > watch.log
    """
    folder = find_cycle(options.settings, cycle)
    try:
        state = _watch(folder, interval, until_gate=until_gate)
    except KeyboardInterrupt:
        return STOPPED
    return _ended(state, folder, options)


def _watch(folder: Path, interval: float, *, until_gate: bool) -> CycleState:
    """Look on until the end; returns the cycle as it stands then."""
    follower, watched, changes = Follower(folder), Watched(), Changes()
    live = draws()
    begun = False
    with _screen() if live else _no_screen() as draw:
        while True:
            state = follower.state
            before = holder(folder)
            for entry, state in follower.new():
                watched.see(entry, state)
                if begun and not live:
                    _say(changes.entry(entry, state, watched))
            if state is not None:
                # Nobody works on it only if nobody did before the entries were read and after.
                sight = Sight(state, watched, now_utc(), holder(folder) or before)
                if live:
                    draw(sight)
                else:
                    _say(changes.look(sight) if begun else changes.begin(sight))
                begun = True
                if state.closed_at or (until_gate and state.gate is not None):
                    return state
            time.sleep(interval)


def _ended(state: CycleState, folder: Path, options: Given) -> int:
    """Say how it ended; returns the exit code."""
    if state.closed_at:
        if draws():
            click.echo(f"{verdict_table(state)}\n")
        closed = state.closed_at[:16].replace("T", " ")
        click.echo(t(f"Cycle {state.cycle} is closed on {closed} UTC."))
        return EXIT_FINDINGS if findings(state) else EXIT_DONE
    click.echo(waiting_words(Standing(state, folder, state.gate, "sign"), options))
    return EXIT_WAITING


def draws() -> bool:
    """Whether standard output is a terminal on which a screen can be drawn."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def _say(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


@contextmanager
def _no_screen() -> Iterator[Draw]:
    yield lambda _: None


@contextmanager
def _screen() -> Iterator[Draw]:
    """The terminal's other screen, which leaves the first as it was."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False, no_color=not colours())
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:

        def text_of(line: Line) -> Text:
            return Text(line.text, style=line.look, no_wrap=True, overflow="crop")

        def draw(sight: Sight) -> None:
            size = console.size
            lines = screen(sight, size.width, size.height)
            live.update(Group(*(text_of(line) for line in lines)), refresh=True)

        yield draw
