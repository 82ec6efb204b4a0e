"""A cycle that was opened earlier: the same journal with all its times moved into the past."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.journal.entry import GENESIS, Entry
from orchestrator.journal.store import read_entries, write_copy
from orchestrator.model.plan import Part, PlanWriter


def age(cycle: Path, by: timedelta, *, check_seconds: float | None = None) -> None:
    """Move every entry of a cycle that waits at step 3; the plan is bound to the new first entry.

    `check_seconds` is how long the check is to have taken.
    """
    journal, prev, origin = cycle / "journal.db", GENESIS, ""
    aged: list[Entry] = []
    for entry in read_entries(journal):
        moved = datetime.fromisoformat(entry.at) - by
        body: dict[str, Any] = json.loads(json.dumps(entry.body))
        if entry.kind == "cycle.opened":
            writer = PlanWriter(body["cycle"], tuple(body["hosts"]))
        if entry.kind == "plan.part":
            part = Part.model_validate({**body, "host": entry.host})
            writer.add(part, partial(Part.model_validate, {**body, "host": entry.host}))
        if entry.kind == "plan.made":
            body["plan"]["origin"] = origin
            body["id"] = writer.plan(origin, body["plan"]["revision"]).id
        if entry.kind == "phase.ended" and check_seconds is not None:
            body["seconds"] = check_seconds
        at = moved.isoformat(timespec="microseconds")
        sealed = replace(entry, at=at, body=body, prev=prev).sealed()
        aged.append(sealed)
        prev, origin = sealed.hash, origin or sealed.hash
    for path in (*cycle.glob("journal.db*"), cycle / "journal.head"):
        path.unlink()
    write_copy(aged, journal)
