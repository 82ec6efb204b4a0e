"""Where the project's own files lie: in a checkout at its top, in an installed wheel inside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = _PACKAGE / "_shipped"
"""A wheel carries playbooks, roles, host programs and templates here (see pyproject.toml)."""

INSTALLED = _SHIPPED.is_dir()
"""Whether this is an installed wheel: its own folder is then no place for an office's files."""

ROOT = _SHIPPED if INSTALLED else _PACKAGE.parent
"""The folder that holds playbooks/, roles/, plugins/, hostside/, report_templates/, inventory/."""
