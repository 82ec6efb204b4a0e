"""`sop-run init` and `sop-run completion`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.show import EXIT_DONE
from orchestrator.cli.words import say
from orchestrator.office.scaffold import scaffold


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init_command(folder: Path) -> int:
    """Make an office's own folder DIR: inventory, office.yml, settings, a guide to keys.

    Nothing that is there already is written over.

    \b
    Example: sop-run init ~/office
    """
    for path in scaffold(folder):
        click.echo(f"  {path}", err=True)
    say(
        f"Made the office's folder. Next:\n"
        f"  cd {shlex.quote(str(folder))}\n"
        f"  # list your servers in inventory/hosts.yml\n"
        f"  # put letterhead and officers into inventory/office.yml; keys: PANDUAN-KUNCI.md\n"
        f"  sop-run doctor\n"
        f"  sop-run monthly"
    )
    return EXIT_DONE


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> int:
    """Print what makes your shell complete commands, options, cycles and officers.

    \b
    Example: sop-run completion bash > ~/.local/share/bash-completion/completions/sop-run
             sop-run completion zsh > ~/.zfunc/_sop-run
             sop-run completion fish > ~/.config/fish/completions/sop-run.fish
    """
    from orchestrator.cli import cli

    made = get_completion_class(shell)
    assert made is not None  # the three shells that click knows
    click.echo(made(cli, {}, "sop-run", "_SOP_RUN_COMPLETE").source())
    return EXIT_DONE
