"""Parsers of the host programs on recorded outputs of real programs; one JSON file per case.

A case names a parser, the recorded input, and what must come of it. A new one needs no Python.
`through` names what the input goes through first (`zypp.Said`: zypper's XML).
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from hostside.command import Result

CASES = sorted(Path(__file__).parent.glob("*/*.json"))


def plain(value: Any) -> Any:
    """A parser's answer as JSON can hold it: sets sorted, records as dicts, tuple keys joined."""
    if isinstance(value, dict):
        return {
            " ".join(map(str, k)) if isinstance(k, tuple) else k: plain(v) for k, v in value.items()
        }
    if isinstance(value, set | frozenset):
        return sorted(plain(v) for v in value)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return plain(vars(value)) if hasattr(value, "__dict__") else value


def named(words: str) -> Callable[..., Any]:
    """The function or class `module.name` of the host programs."""
    module, name = words.split(".")
    return cast("Callable[..., Any]", getattr(importlib.import_module(f"hostside.{module}"), name))


def argument(recorded: Any) -> Any:
    """The recorded input: lines of text, how a command ended, or an object as it is."""
    if isinstance(recorded, list):
        return "\n".join(recorded)
    if "code" in recorded:
        out, err = ("\n".join(recorded[k]) for k in ("out", "err"))
        return Result(["apt-get"], recorded["code"], out, err)
    return recorded


def test_there_are_cases() -> None:
    assert len(CASES) > 20


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_parser_on_recorded_output(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    recorded = argument(case["input"])
    if "through" in case:
        recorded = named(case["through"])(recorded)
    found = named(case["parser"])(recorded, *case.get("arguments", []))
    assert plain(found) == case["expect"], case["what"]
