"""`sop-run sop`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE
from orchestrator.cli.words import say, t
from orchestrator.model.errors import UsageError
from orchestrator.model.office import ROLE_NAMES, Office, Role
from orchestrator.office.load import load_office
from orchestrator.sop.procedure import whole
from orchestrator.sop.relaxed import relaxations
from orchestrator.sop.step import Procedure, Step

AROUND = {
    "basis": "Legal basis (Dasar Hukum)",
    "qualifications": "Qualification (Kualifikasi Pelaksana)",
    "related": "Related procedures (Keterkaitan)",
    "equipment": "Equipment (Peralatan)",
    "warnings": "Warnings (Peringatan)",
    "records": "Records (Pencatatan dan pendataan)",
}
"""Parts of the procedure around its steps, with their headings."""


@click.command("sop")
@click.option("--full", is_flag=True, help="Print needs, outputs, legal basis, warnings, too.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the flowchart into FILE (.svg, .png or .pdf).",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--markdown", is_flag=True, help="Print the steps as a Markdown table.")
@shared_options
def sop_command(
    *, full: bool, picture: Path | None, as_json: bool, markdown: bool, options: Given
) -> int:
    """Print the procedure's 13 steps as this office runs them, and what it relaxes.

    \b
    Example: sop-run sop
             sop-run sop --full
             sop-run sop --picture sop.svg
    """
    office = load_office(options.settings.office)
    sop = whole(office)
    if picture is not None:
        _draw(office, picture, options)
    elif as_json:
        roles = {role: office.role_name(role) for role in ROLE_NAMES}
        relaxed = [asdict(r) for r in relaxations(office)]
        facts = {**asdict(sop), "roles": roles, "relaxed": relaxed}
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    elif markdown:
        click.echo(markdown_table(sop.steps, {r: office.role_name(r) for r in ROLE_NAMES}))
    else:
        click.echo("\n".join(_lines(office, sop, full=full)))
    return EXIT_DONE


def _draw(office: Office, picture: Path, options: Given) -> None:
    from orchestrator.documents.pdf.flowchart import FORMATS, flowchart  # typst costs 0.1 s
    from orchestrator.documents.render import write_atomically

    form = next((f for f in FORMATS if picture.suffix.lower() == f".{f}"), None)
    if form is None:
        raise UsageError(f"{picture} is no picture", "name a file that ends in .svg, .png or .pdf")
    if not picture.parent.is_dir():
        raise UsageError(f"there is no folder {picture.parent}", "make it first")
    write_atomically(picture, flowchart(office, form, options.settings.templates))
    say(f"wrote {picture}", err=True)


def _lines(office: Office, sop: Procedure, *, full: bool) -> list[str]:
    width = max(len(office.role_name(r)) for r in ROLE_NAMES)
    lines = [sop.title, ""] if full else []
    for step in sop.steps:
        minutes = t(f"{step.minutes} min") if step.minutes else "–"
        role = office.role_name(step.role) if step.role else "–"
        gate = t("signed by ") + t(" and ").join(step.signers) if step.signers else ""
        if step.returns_to is not None:
            gate += t(f", or back to {step.returns_to}")
        lines.append(f"{step.number:>2}  {t(step.title):<20} {minutes:>8}  {role:<{width}}  {gate}")
        if full:
            more = (
                ("", step.kegiatan),
                ("needs: ", "; ".join(step.needs)),
                ("gives: ", step.output),
                ("remark: ", step.remark),
            )
            lines += [f"    {t(name)}{words}" for name, words in more if words]
    if full:
        for name, heading in AROUND.items():
            lines += ["", t(heading)]
            lines += [f"  {n}. {words}" for n, words in enumerate(getattr(sop, name), 1)]
    relaxed = relaxations(office)
    if relaxed:
        lines += ["", t("Relaxed here (journal and report say so):")]
        lines += [f"  {r.words}" for r in relaxed]
    return [line.rstrip() for line in lines]


def markdown_table(steps: tuple[Step, ...], names: Mapping[Role, str] = ROLE_NAMES) -> str:
    """The steps as the table that README shows."""
    rows = [
        "| # | Step | Kegiatan | Role | Standard time | Signed by |",
        "|---|---|---|---|---|---|",
    ]
    for step in steps:
        role = names[step.role] if step.role else "–"
        minutes = f"{step.minutes} min" if step.minutes else "–"
        signed = ", ".join(names[s] for s in step.signers) or "–"
        rows.append(
            f"| {step.number} | {step.title} | {step.kegiatan} | {role} | {minutes} | {signed} |"
        )
    return "\n".join(rows)
