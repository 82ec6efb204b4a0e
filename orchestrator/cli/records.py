"""`sop-run documents`, `sop-run archive` and `sop-run audit`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from orchestrator.archive.audit import Report, audit_archive, audit_cycle
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, EXIT_FINDINGS
from orchestrator.model.errors import UsageError
from orchestrator.model.text import printable
from orchestrator.workflow.again import archive_again, courtesy_copies, documents_again
from orchestrator.workflow.monthly import find_cycle


@click.command("documents")
@click.argument("cycle")
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
        click.echo(f"{name}: {words}")
    return EXIT_DONE


@click.command("archive")
@click.argument("cycle")
@shared_options
def archive_command(*, cycle: str, options: Given) -> int:
    """Bundle CYCLE once more (step 12 does it by itself), for example after a lost disk.

    \b
    Example: sop-run archive 2026-11
    """
    folder = find_cycle(options.settings, cycle)
    click.echo(archive_again(options.settings, folder))
    return EXIT_DONE


@click.command("audit")
@click.argument("target", metavar="CYCLE-or-FOLDER")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    help="File with the officers' public keys from a source that you trust.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@shared_options
def audit_command(
    *,
    target: str,
    keys: Path | None,
    as_json: bool,
    options: Given,
) -> int:
    """Verify a cycle, or an archive folder on any machine: chain, signatures, documents, files.

    Exit code 0: everything holds. 1: something does not; the first failure is named.

    \b
    Example: sop-run audit 2026-11
             sop-run audit /media/archive/2026/2026-11 --keys officers.pub
    """
    if Path(target).is_dir() and (Path(target) / "bagit.txt").is_file():
        report = audit_archive(Path(target), keys)
    elif "/" in target:
        raise UsageError(f"{target} is no archive folder", "name the folder with bagit.txt in it")
    else:
        folder = find_cycle(options.settings, target)
        report = audit_cycle(folder, options.settings.home, keys)
    click.echo(
        json.dumps([asdict(c) for c in report.checks], indent=2) if as_json else _lines(report)
    )
    return EXIT_DONE if report.ok else EXIT_FINDINGS


def _lines(report: Report) -> str:
    lines = [
        f"{'ok  ' if c.ok else 'FAIL'}  {c.name}: {printable(c.detail, 300)}" for c in report.checks
    ]
    first = next((c for c in report.checks if not c.ok), None)
    if first is None:
        lines.append(f"\nEverything holds ({len(report.checks)} checks).")
    else:
        lines.append(f"\nNOT in order. First failure: {first.name}: {printable(first.detail, 300)}")
    return "\n".join(lines)
