"""Shared set-up: lab tests need root on Debian or Ubuntu, and say so when they are left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """`sop-run` of an empty environment with nothing but the wheel and the locked packages.

    The packages come from .wheelhouse/, which tests/run fills; nothing is fetched here.
    """
    work = tmp_path_factory.mktemp("wheel")
    wheelhouse = root / ".wheelhouse"
    assert (wheelhouse / "lock").is_file(), "tests/run makes .wheelhouse/; run it once"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", work, root)
    subprocess.run([*pip, *build], check=True, timeout=120)
    (wheel,) = work.glob("sop_run-*.whl")
    subprocess.run([sys.executable, "-m", "venv", work / "venv"], check=True, timeout=120)
    # An environment of its own, also where the outer one is found by a variable.
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    subprocess.run(
        [
            work / "venv/bin/pip",
            *pip[3:],
            "install",
            "--no-index",
            "--find-links",
            wheelhouse,
            wheel,
        ],
        check=True,
        timeout=300,
        env=bare,
    )
    return work / "venv/bin/sop-run"
