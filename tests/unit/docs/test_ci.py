"""The CI examples are valid, and do just what the page shows and tries as shell commands."""

from __future__ import annotations

from typing import Any

import yaml

from tests.unit.docs.test_docs import FENCE, text

PAGE = text("docs/how-to/ci.md")


def blocks(language: str) -> list[str]:
    return [block for kind, block in FENCE.findall(PAGE) if kind == language]


def commands(words: list[str]) -> list[str]:
    return [line for line in words if line.startswith("./sop-run")]


def test_both_examples_run_the_commands_that_the_page_shows() -> None:
    shown = next(block for block in blocks("sh") if "lab up" in block)
    github, gitlab = (yaml.safe_load(block) for block in blocks("yaml"))
    expected = commands(shown.splitlines())
    assert len(expected) == 3
    steps: list[dict[str, Any]] = github["jobs"]["rehearse"]["steps"]
    assert commands([step.get("run", "") for step in steps]) == expected
    job = gitlab["rehearse"]
    assert commands([*job["script"], *job["after_script"]]) == expected


def test_both_examples_keep_the_report_also_of_a_failed_run() -> None:
    github, gitlab = (yaml.safe_load(block) for block in blocks("yaml"))
    kept = github["jobs"]["rehearse"]["steps"][-1]
    assert kept["if"] == "always()" and "ci/report.xml" in kept["with"]["path"]
    assert gitlab["rehearse"]["artifacts"]["reports"]["junit"] == "ci/report.xml"
