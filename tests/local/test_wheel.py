"""An office that installs the wheel, with pipx or pip, has everything that a checkout has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import sop_run
from tests.local.conftest import LocalOffice, only_this_machine

PERIOD = ("monthly", "--period", "2026-11")


@pytest.fixture(scope="module")
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


def test_a_whole_cycle_from_another_folder(installed: Path, tmp_path: Path) -> None:
    called = sop_run("init", tmp_path / "office", program=installed)
    assert called.code == 0, called.text
    office = LocalOffice(tmp_path / "office", installed)
    only_this_machine(office)
    assert office.run(*PERIOD).code == 3
    assert office.sign("analis", *office.defer_all()).code == 3
    assert office.sign("kepala").code == 0
    assert office.run(*PERIOD).code == 3
    for officer, code in (("analis", 3), ("pengelola", 3), ("jf", 3), ("kepala", 0)):
        assert office.sign(officer).code == code
    closed = office.run(*PERIOD)
    assert closed.code in (0, 1) and "Cycle 2026-11 is closed" in closed.out, closed.text
    audit = office.run("audit", "2026-11")
    assert audit.code == 0 and "Everything holds" in audit.out, audit.text


def test_without_an_inventory_this_machine_is_looked_at(installed: Path, tmp_path: Path) -> None:
    """Cycles then lie where the user stands, never in the program's own folder."""
    called = sop_run("status", program=installed, cwd=tmp_path)
    assert called.code == 0 and f"No cycles in {tmp_path / 'var'}" in called.out


def test_the_man_page_travels_along(installed: Path) -> None:
    page = installed.parents[1] / "share/man/man1/sop-run.1"
    assert ".SH NAME" in page.read_text(encoding="utf-8")
