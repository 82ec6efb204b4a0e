"""Reads values of unknown shape, as hosts send them, into printable words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.documents.content.clock import NONE
from orchestrator.model.text import printable


def say(value: object, limit: int = 400) -> str:
    """One printable line; '–' for nothing at all."""
    return NONE if value is None else printable(value, limit) or NONE


def text_of(facts: Mapping[str, Any], key: str, limit: int = 400) -> str:
    """A fact as a printable line, '–' when missing or not a plain value."""
    value = facts.get(key)
    return say(value, limit) if isinstance(value, str | int | float) else NONE


def table_of(facts: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A fact that should be a list of mappings; whatever else stands there is left out."""
    value = facts.get(key)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def mapping_of(facts: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A fact that should be a mapping, empty when it is not."""
    value = facts.get(key)
    return value if isinstance(value, Mapping) else {}


def words_of(facts: Mapping[str, Any], key: str, limit: int = 400) -> tuple[str, ...]:
    """A fact that should be a list of plain values, as printable lines."""
    value = facts.get(key)
    if not isinstance(value, list):
        return ()
    return tuple(say(word, limit) for word in value if isinstance(word, str | int | float))


def whole_of(facts: Mapping[str, Any], key: str) -> int:
    """A fact that should be a whole number, 0 when it is not."""
    value = facts.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def joined(words: tuple[str, ...] | list[str], most: int = 12) -> str:
    """Words with commas; what is beyond `most` is counted; '–' when there are none."""
    if not words:
        return NONE
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" (+{rest})" if rest > 0 else "")
