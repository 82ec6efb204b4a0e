"""`sop-run documents` and `sop-run archive`."""

from __future__ import annotations

import click

from orchestrator.cli.complete import cycle_names
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE
from orchestrator.cli.words import say, t
from orchestrator.workflow.again import archive_again, courtesy_copies, documents_again
from orchestrator.workflow.monthly import find_cycle


@click.command("documents")
@click.argument("cycle", shell_complete=cycle_names)
@click.option("--language", help="Courtesy copies in this language, such as en; see below.")
@shared_options
def documents_command(*, cycle: str, language: str | None, options: Given) -> int:
    """Make the documents of CYCLE again that are missing or were changed.

    With --language, write courtesy copies under documents/LANGUAGE/ instead, each marked as a
    translation. They are for reading only: gates, journal and archive do not know them.

    \b
    Example: sop-run documents 2026-11
             sop-run documents 2026-11 --language en
    """
    folder = find_cycle(options.settings, cycle)
    if language is not None:
        for copy in courtesy_copies(options.settings, folder, language):
            click.echo(copy.path)
        return EXIT_DONE
    for name, words in documents_again(options.settings, folder):
        click.echo(f"{name}: {t(words)}")
    return EXIT_DONE


@click.command("archive")
@click.argument("cycle", shell_complete=cycle_names)
@shared_options
def archive_command(*, cycle: str, options: Given) -> int:
    """Bundle CYCLE once more (step 12 does it by itself), for example after a lost disk.

    \b
    Example: sop-run archive 2026-11
    """
    folder = find_cycle(options.settings, cycle)
    say(archive_again(options.settings, folder))
    return EXIT_DONE
