"""Programs that the lab runs: failures in words, bounded time."""

from __future__ import annotations

import pytest

from orchestrator.lab.process import run
from orchestrator.model.errors import CannotRunError


def test_output_and_input() -> None:
    assert run(["cat"], text="hello") == "hello"


def test_a_failure_shows_what_the_program_wrote_last() -> None:
    with pytest.raises(CannotRunError, match=r"ended with 3:\nno space"):
        run(["sh", "-c", "echo no space >&2; exit 3"])


def test_a_missing_program_is_named() -> None:
    with pytest.raises(CannotRunError, match="lab-no-such-program is not installed"):
        run(["lab-no-such-program"])


def test_time_is_bounded() -> None:
    with pytest.raises(CannotRunError, match="took longer than"):
        run(["sleep", "60"], timeout=0.2)
