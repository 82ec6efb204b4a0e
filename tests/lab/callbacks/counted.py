# GPL-3.0-or-later
"""Callback plugin `counted`: a line for every task that begins on a host (tests/lab/counted.py)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: counted
type: aggregate
short_description: counts tasks
description: Appends time and host of every task to the file that COUNTED_TASKS names.
"""


class CallbackModule(CallbackBase):
    """Only counts, so it is enabled by name and prints nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "counted"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """A task begins on a host; delegated ones count for the host that they are for."""
        with Path(os.environ["COUNTED_TASKS"]).open("a", encoding="utf-8") as file:
            file.write(f"{time.time():.6f} {host.name}\n")
