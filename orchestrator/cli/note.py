"""`sop-run note`."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from orchestrator.cli.complete import cycle_names
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE
from orchestrator.cli.words import say
from orchestrator.journal.book import machine_actor
from orchestrator.model.note import NoteKind
from orchestrator.workflow.note import Remark, note


@click.command("note")
@click.argument("cycle", shell_complete=cycle_names)
@click.argument("text")
@click.option("--step", type=int, required=True, metavar="N", help="The step that it is about.")
@click.option("--as", "officer", required=True, metavar="OFFICER", help="Whose note it is.")
@click.option(
    "--kind",
    type=click.Choice(get_args(NoteKind)),
    help="overrun: why the step took longer; deviation: what was done otherwise than the SOP says; "
    "remark and suggestion: at step 9 they stand in the draft, under Catatan and Saran "
    "[default: overrun when the step lacks that reason, else remark].",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="Sign the note with this key. Without it the note is unsigned, and the journal and the "
    "report name the user and machine that wrote it.",
)
@shared_options
def note_command(
    *,
    cycle: str,
    text: str,
    step: int,
    officer: str,
    kind: str | None,
    key: Path | None,
    options: Given,
) -> int:
    """Add a note to a step of CYCLE: why it took longer, what deviated, what the report should say.

    Notes stand in the journal, in `sop-run status` and in the report. After the cycle is closed
    none is added.

    \b
    Example: sop-run note 2026-11 --step 3 --as analis 'cuti bersama 24 Desember'
             sop-run note 2026-11 --step 9 --as pengelola --kind suggestion 'tambah ruang disk db01'
             sop-run note 2026-11 --step 10 --as jf --key ~/.ssh/id_ed25519 'perjalanan dinas'
    """
    remark = Remark(step, text, cast("NoteKind | None", kind))
    _, recorded = note(options.settings, cycle, officer, remark, key=key)
    whose = f"signed by {officer}" if key else f"unsigned, by {machine_actor()} for {officer}"
    say(f"Cycle {cycle}: noted at step {step} as {recorded}, {whose}.")
    return EXIT_DONE
