"""Numbers of hosts, said as a number or as a percentage of the hosts in scope. Pure.

In scope are the hosts that have approved items. Percentages are rounded down: never more hosts at
once, and never more failures, than was said. Only a wave is never smaller than one host.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator

UNLIMITED = "unlimited"
_PERCENT = re.compile(r"(100|[1-9]?[0-9])%")


def _read(value: Any, *, least: int, word: str = "") -> int | str:
    """A number, `N%` or the one word allowed; raises ValueError with what may be written."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and text.isascii() and text.isdigit():
        text = int(text)
    if isinstance(text, int) and not isinstance(text, bool) and least <= text <= 1_000_000:
        return text
    if isinstance(text, str) and _PERCENT.fullmatch(text) and int(text[:-1]) >= least:
        return text
    if word and text == word:
        return text
    also = f", or {word}" if word else ""
    raise ValueError(f"write a number from {least}, a percentage such as {max(least, 10)}%{also}")


def _read_canary(value: Any) -> int | str:
    """`off` (which YAML reads as false) and 0% mean 0: no canary."""
    return 0 if value is False or value in ("off", "0%") else _read(value, least=0, word="off")


Wave = Annotated[int | str, BeforeValidator(partial(_read, least=1))]
"""Hosts in a wave: 10, or 25%."""

Canary = Annotated[int | str, BeforeValidator(_read_canary)]
"""Hosts in the first wave: 1, or 5%; 0 (also written `off`): no canary."""

Limit = Annotated[int | str, BeforeValidator(partial(_read, least=0, word=UNLIMITED))]
"""Failed hosts that are borne: 1, or 10%, or `unlimited`."""


def _percent(amount: int | str) -> int | None:
    return int(amount[:-1]) if isinstance(amount, str) else None


def wave_size(amount: int | str, hosts: int) -> int:
    """How many hosts a wave of this size has, where `hosts` are in scope; at least one."""
    percent = _percent(amount)
    return int(amount) if percent is None else max(1, hosts * percent // 100)


def canary_size(amount: int | str, hosts: int) -> int:
    """How many hosts go first; 0 when the canary is off."""
    return 0 if amount == 0 else wave_size(amount, hosts)


def borne_failures(amount: int | str, hosts: int) -> int | None:
    """How many hosts may fail before no wave begins any more; None: all of them."""
    if amount == UNLIMITED:
        return None
    percent = _percent(amount)
    return int(amount) if percent is None else hosts * percent // 100
