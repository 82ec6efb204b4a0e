"""What a cycle that puts hosts back (`sop-run restore` after the closing) goes back to. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from orchestrator.model.evidence import Record


class RestoreSource(Record):
    """The closed cycle whose backups are used, and what its hosts said of them then."""

    cycle: str
    plan_id: str
    manifest: str  # SHA-256 of its archive's manifest
    backups: dict[str, dict[str, Any]] = Field(default_factory=dict)  # host → facts.backup
    baselines: dict[str, dict[str, Any]] = Field(default_factory=dict)  # host → facts.baseline
