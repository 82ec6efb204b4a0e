"""How `monthly` and `remediate` give their result: in words, as JSON, as JUnit XML."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.junit import write_junit
from orchestrator.cli.options import Given
from orchestrator.cli.show import (
    EXIT_DONE,
    EXIT_FINDINGS,
    EXIT_WAITING,
    explain,
    findings,
    notify,
    verdict_table,
)
from orchestrator.cli.status import facts_of
from orchestrator.cli.words import say
from orchestrator.workflow.monthly import Standing


def result_options(function: Callable[..., int]) -> Callable[..., int]:
    """Adds --dry-run, --junit and --json."""

    @functools.wraps(function)
    def command(**given: Any) -> int:
        return function(**given)

    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        click.option(
            "--junit",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Write the result as JUnit XML: one test case for each host and phase.",
        ),
        click.option(
            "--dry-run",
            is_flag=True,
            help="Check and rehearse only: no host is changed, nobody signs, it is no cycle.",
        ),
    ):
        command = option(command)
    return command


def give(standing: Standing, options: Given, *, as_json: bool, junit: Path | None) -> int:
    """Print where the run ended and write the report; returns the exit code."""
    if junit is not None:
        write_junit(junit, standing.state)
    if not as_json:
        return explain_dry_run(standing) if standing.state.rehearsal else explain(standing, options)
    code = exit_code(standing)
    click.echo(json.dumps(result_facts(standing, code), indent=2))
    if not standing.state.rehearsal:
        notify(standing, options)
    return code


def exit_code(standing: Standing) -> int:
    """The exit code that `explain` would return."""
    if standing.gate is not None:
        return EXIT_WAITING
    if standing.next == "monthly":
        return EXIT_DONE
    return EXIT_FINDINGS if findings(standing.state) else EXIT_DONE


def result_facts(standing: Standing, code: int) -> dict[str, Any]:
    """The result as plain data."""
    state = standing.state
    return {
        **facts_of(state),
        "dry_run": state.rehearsal,
        "selection": state.selection.model_dump(mode="json"),
        "items": len(state.plan.items) if state.plan else 0,
        "reasons": {host: v.reason for host, v in state.verdicts.items()},
        "documents": [str(standing.folder / "documents" / name) for name in state.documents],
        "exit_code": code,
    }


def explain_dry_run(standing: Standing) -> int:
    """Say how the dry run ended; returns the exit code."""
    state = standing.state
    click.echo(verdict_table(state))
    say(
        f"\nDry run of cycle {state.cycle}: no host was changed, and nothing of it counts or can "
        "be signed."
    )
    say(f"Its documents, marked as a trial: {standing.folder / 'documents'}")
    return EXIT_FINDINGS if findings(state) else EXIT_DONE
