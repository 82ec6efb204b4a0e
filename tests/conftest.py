"""Shared set-up: lab tests need root on Debian or Ubuntu, and say so when they are left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

LOCAL = Path(__file__).with_name("local")
"""Tests that check this machine, and change nothing on it."""


def _why_no_lab() -> str:
    if os.geteuid() != 0:
        return "needs root (it makes network namespaces and containers)"
    if shutil.which("apt-get") is None:
        return "needs Debian or Ubuntu (it installs what it needs with apt-get)"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = _why_no_lab()
    if reason and os.environ.get("CI"):
        raise pytest.UsageError(f"in CI no lab test may be left out, but this machine {reason}")
    no_apt = "checks this machine, so needs Debian or Ubuntu"
    for item in items:
        if reason and item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.skip(reason=reason))
        elif shutil.which("apt-get") is None and LOCAL in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=no_apt))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted (`record_property("figure", …)`), also when they pass quietly."""
    figures = [
        f"{report.nodeid.rsplit('/', 1)[-1]}: {value}"
        for report in terminalreporter.getreports("passed")
        if report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(figures))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[1]
