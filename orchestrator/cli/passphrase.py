"""The passphrase of an officer's PKCS#12 file: never on a command line, never stored or shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from orchestrator.cli.words import t
from orchestrator.model.errors import UsageError
from orchestrator.workflow.signed import PdfKeyFile

PASSPHRASE_VARIABLE = "SOP_RUN_PDF_PASSPHRASE"  # noqa: S105 - a name


def key_file(path: Path | None, passphrase_file: Path | None) -> PdfKeyFile | None:
    """The key to sign PDFs with, and its passphrase: from a file, the environment, or the terminal.

    Without any of them it is taken to have none. Raises UsageError for a file that is not there.
    """
    # Taken out of the environment at once, so that no program started from here gets it.
    given = os.environ.pop(PASSPHRASE_VARIABLE, None)
    if path is None:
        if passphrase_file is not None:
            raise UsageError("--pdf-passphrase-file goes with --pdf-key", "leave it out, or add it")
        return None
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "name a PKCS#12 file with --pdf-key FILE.p12")
    if passphrase_file is not None:
        try:
            lines = passphrase_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{passphrase_file} cannot be read: {error}") from error
        return PdfKeyFile(path, lines[0] if lines else "")
    if given is None and sys.stdin.isatty():
        given = click.prompt(
            t(f"Passphrase of {path}"), hide_input=True, default="", show_default=False, err=True
        )
    return PdfKeyFile(path, given or "")
