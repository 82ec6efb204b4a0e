"""`sop-run doctor`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import click

from orchestrator.cli.cycle import ask_password
from orchestrator.cli.options import Given, shared_options
from orchestrator.cli.show import EXIT_DONE, EXIT_FINDINGS
from orchestrator.cli.table import styled, table, width
from orchestrator.cli.words import t, told
from orchestrator.model.errors import CannotRunError
from orchestrator.model.text import printable
from orchestrator.workflow.doctor.diagnose import diagnose
from orchestrator.workflow.doctor.records import Diagnosis, Facts, HostReport, Look

GB = 1000**3
COLOURS = {"ok": "green", "note": "cyan", "finding": "yellow"}
HEADER = ("HOST", "STATE", "ROOT", "PYTHON", "PACKAGES", "FREE", "CLOCK", "BACKUP", "ANTIVIRUS")


@click.command("doctor")
@click.option(
    "--limit", default="", metavar="HOSTS", help="Only these hosts (an Ansible host pattern)."
)
@click.option(
    "--ask-become-pass",
    is_flag=True,
    help="Ask once, on the terminal, for the password that sudo wants on the hosts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@shared_options
def doctor_command(*, limit: str, ask_become_pass: bool, as_json: bool, options: Given) -> int:
    """Look whether all is well: this machine, office.yml, every host; with a fix for each finding.

    Nothing is changed, on no host and not here. Exit code 0: all is well. 1: there are findings.

    \b
    Example: sop-run doctor
             sop-run doctor --limit 'web*' --json
    """
    password = ask_password() if ask_become_pass else ""
    settings = replace(options.settings, limit=limit, become_password=password)
    diagnosis = diagnose(settings, lambda words: click.echo(f"{t(words)} …", err=True))
    if as_json:
        click.echo(json.dumps(_plain(diagnosis), indent=2, ensure_ascii=False))
    else:
        click.echo(_text(diagnosis))
    if diagnosis.unable:
        hint = "what was seen until then stands above; correct the cause and call it again"
        raise CannotRunError(f"the hosts could not be asked: {diagnosis.unable}", hint)
    return EXIT_FINDINGS if diagnosis.findings else EXIT_DONE


def _text(diagnosis: Diagnosis) -> str:
    parts = [t("This machine"), *_looks(diagnosis.control)]
    parts += ["", t("Office and inventory"), *_looks(diagnosis.office)]
    if diagnosis.hosts:
        rows = [_row(host) for host in diagnosis.hosts]
        parts += ["", t("Hosts"), table(HEADER, rows, width())]
        found = [_finding(look) for host in diagnosis.hosts for look in host.findings]
        parts += ["", *found] if found else []
    count = len(diagnosis.findings)
    words = "All is well." if not count else f"{count} finding{'s' if count != 1 else ''}."
    return "\n".join([*parts, "", t(words)])


def _looks(looks: Sequence[Look]) -> list[str]:
    lines = []
    for look in looks:
        mark = styled(f"{t(look.level):<7}", COLOURS[look.level])
        lines.append(f"  {mark}  {t(look.name):<14}  {told(printable(look.words, 500))}")
        if look.fix:
            lines.append(f"           → {told(printable(look.fix, 500))}")
    return lines


def _finding(look: Look) -> str:
    mark = styled(t("finding"), COLOURS["finding"])
    words = f"  {mark}  {printable(look.name, 40)}: {printable(look.words, 400)}"
    return f"{words}\n           → {told(printable(look.fix, 500))}"


def _row(host: HostReport) -> tuple[str, ...]:
    """A host as a row of the table; '-' where nobody knows."""
    name = printable(host.host, 40)
    if host.facts is None:
        state = "no answer" if host.reached else "unreachable"
        return (name, t(state), *["-"] * (len(HEADER) - 2))
    facts, count = host.facts, len(host.findings)
    state = "ok" if not count else f"{count} finding{'s' if count != 1 else ''}"
    return (
        name,
        t(state),
        _root(facts),
        facts.python or "-",
        facts.package_manager or "-",
        _free(facts),
        _clock(facts, host.offset),
        facts.backup.method or t("none"),
        _antivirus(facts),
    )


def _root(facts: Facts) -> str:
    login = facts.login
    if not login.root:
        return "no"
    if login.by != "sudo":
        return "login"
    if login.password is None:
        return "sudo"
    return t("sudo, password") if login.password else "sudo"


def _free(facts: Facts) -> str:
    found = []
    for disk in facts.disk[:3]:
        free = disk.get("free")
        if isinstance(free, int):
            found.append(f"{disk.get('mount')} {free / GB:.1f} GB")
    return ", ".join(found) or "-"


def _clock(facts: Facts, offset: float | None) -> str:
    if offset is None:
        return "-"
    kept = facts.clock_sync.get("synchronized")
    words = ", kept" if kept is True else ", not kept" if kept is False else ""
    return t(f"{offset:+.0f} s{words}")


def _antivirus(facts: Facts) -> str:
    product = str(facts.antivirus.get("product") or "-")
    daily = [d for d in _dicts(facts.antivirus.get("databases")) if d.get("name") == "daily"]
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(str(daily[0]["built"]))
    except (IndexError, KeyError, TypeError, ValueError):
        return product  # TypeError: a time without zone
    return f"{product}, {max(age.days, 0)} d"


def _dicts(value: object) -> list[dict[str, Any]]:
    return [d for d in value if isinstance(d, dict)] if isinstance(value, list) else []


def _plain(diagnosis: Diagnosis) -> dict[str, Any]:
    """Everything as plain data, with texts of hosts made printable."""
    return {
        "ok": not diagnosis.findings and not diagnosis.unable,
        "findings": len(diagnosis.findings),
        "unable": diagnosis.unable,
        "control": [asdict(look) for look in diagnosis.control],
        "office": [asdict(look) for look in diagnosis.office],
        "hosts": [
            {
                "host": host.host,
                "login": host.login,
                "reached": host.reached,
                "clock_offset_seconds": host.offset,
                "findings": [
                    {"code": printable(f.code, 80), "message": printable(f.words, 400)}
                    | {"fix": f.fix}
                    for f in host.findings
                ],
                "facts": _safe(host.facts.model_dump(mode="json")) if host.facts else None,
            }
            for host in diagnosis.hosts
        ],
    }


def _safe(value: Any) -> Any:
    """The same structure with every text printable."""
    if isinstance(value, dict):
        return {printable(key, 80): _safe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_safe(item) for item in value]
    return printable(value, 400) if isinstance(value, str) else value
