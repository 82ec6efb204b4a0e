"""What a shell may offer while a command is typed; never an error, for nothing was asked yet."""

from __future__ import annotations

import click

from orchestrator.cli.options import given
from orchestrator.model.errors import SopRunError
from orchestrator.office.load import load_office
from orchestrator.workflow.monthly import cycles
from orchestrator.workflow.settings import Settings


def cycle_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Cycles in the home folder, the newest first."""
    settings = _settings(ctx)
    known = cycles(settings.home) if settings else []
    return [name for name in reversed(known) if name.startswith(incomplete)]


def officer_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Officers of office.yml."""
    settings = _settings(ctx)
    try:
        officers = load_office(settings.office).officers if settings else ()
    except SopRunError:
        return []
    return [o.id for o in officers if o.id.startswith(incomplete)]


def _settings(ctx: click.Context) -> Settings | None:
    try:
        named = (ctx.params.get(name) for name in ("inventory", "office", "home"))
        return given(*named).settings
    except SopRunError:
        return None
