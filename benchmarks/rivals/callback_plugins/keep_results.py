# GPL-3.0-or-later
"""Callback plugin `keep_results`: what each task said, host by host, as one file at the end."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: keep_results
type: aggregate
short_description: Keeps the results of tasks in a file
description: For benchmarks/run, which compares them with what sop-run found.
"""
KEPT = ("stdout", "stat", "ansible_facts", "rc")


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Writes {host: {task: result}} to the file that BENCH_RESULTS names."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "keep_results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, Any]] = {}

    def v2_runner_on_ok(self, result: Any) -> None:
        """Keep a result."""
        kept = {key: result._result[key] for key in KEPT if key in result._result}
        self.found.setdefault(result._host.name, {})[result._task.name] = kept

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write all of them."""
        Path(os.environ["BENCH_RESULTS"]).write_text(
            json.dumps(self.found, default=str), encoding="utf-8"
        )
