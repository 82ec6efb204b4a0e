"""`sop-run audit`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from orchestrator.archive.audit import audit_archive, audit_cycle, is_archive
from orchestrator.archive.chain import archives_in, audit_chain
from orchestrator.archive.report import Check, Report
from orchestrator.archive.trust import Trusted, read_trusted
from orchestrator.cli.options import given, path_options
from orchestrator.cli.show import EXIT_DONE, EXIT_FINDINGS
from orchestrator.cli.words import t
from orchestrator.model.errors import UsageError
from orchestrator.model.text import printable
from orchestrator.workflow.monthly import find_cycle

UNKNOWN_KEYS = (
    "The keys are those that the journal itself names: compare them with the officers' own, or "
    "give those with --keys FILE."
)


@click.command("audit")
@click.argument("targets", metavar="CYCLE-or-FOLDER...", nargs=-1, required=True)
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    help="File with the officers' public keys from a source that you trust: .pub lines, or "
    "allowed_signers lines that say whose each key is.",
)
@click.option(
    "--trust-pdf",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Certificates (PEM) of authorities that PDF signatures must come from "
    "[default: the officers' own certificates, as office.yml had them].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@path_options
def audit_command(
    *,
    targets: tuple[str, ...],
    keys: Path | None,
    trust_pdf: Path | None,
    as_json: bool,
    inventory: Path | None,
    office: Path | None,
    home: Path | None,
) -> int:
    """Verify a cycle, or archives on any machine: chain, signatures, documents, files.

    A folder of archives, or several of them, is verified as a chain of months, too: each names
    the one before it. An archive is verified with nothing but itself and, if given, the
    officers' keys.

    Exit code 0: everything holds. 1: something does not; the first failure is named.

    \b
    Example: sop-run audit 2026-11
             sop-run audit /media/archive/2026/2026-11 --keys officers.pub
             sop-run audit var/archive
             sop-run audit 2026-11 --trust-pdf national-authority.pem
    """
    trusted = read_trusted(keys, trust_pdf)
    folders = [Path(t) for t in targets]
    if len(targets) == 1 and not folders[0].is_dir():
        report = _one_cycle(targets[0], trusted, inventory, office, home)
    elif len(targets) == 1 and is_archive(folders[0]):
        report = audit_archive(folders[0], trusted)
    else:
        report = audit_chain(archives_in(folders), trusted)
    checks = [asdict(c) for c in report.checks]
    click.echo(json.dumps(checks, indent=2) if as_json else _lines(report))
    return EXIT_DONE if report.ok else EXIT_FINDINGS


def _one_cycle(
    target: str,
    trusted: Trusted | None,
    inventory: Path | None,
    office: Path | None,
    home: Path | None,
) -> Report:
    if "/" in target:
        raise UsageError(f"{target} is no archive folder", "name the folder with bagit.txt in it")
    settings = given(inventory, office, home).settings
    return audit_cycle(find_cycle(settings, target), settings.home, trusted)


def _lines(report: Report) -> str:
    lines: list[str] = []
    archive = ""
    for check in report.checks:
        if check.archive != archive:
            archive = check.archive
            lines.append(f"\n{archive or t('All of them')}" if lines else archive)
        word = "ok  " if check.ok else t("FAIL")
        lines.append(f"{word}  {printable(check.name)}: {t(printable(check.detail, 300))}")
    first = report.failed
    if first is None:
        lines.append(t(f"\nEverything holds ({len(report.checks)} checks)."))
        if not report.trusted:
            lines.append(t(UNKNOWN_KEYS))
    else:
        lines.append(t(f"\nNOT in order. First failure: {_where(first)}"))
    return "\n".join(lines)


def _where(check: Check) -> str:
    archive = f"{check.archive}: " if check.archive else ""
    return f"{archive}{printable(check.name)}: {printable(check.detail, 300)}"
