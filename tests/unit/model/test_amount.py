"""Hosts by number or percentage: what may be written, and how it is rounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orchestrator.model.amount import (
    UNLIMITED,
    Canary,
    Limit,
    Wave,
    borne_failures,
    canary_size,
    wave_size,
)

READ: dict[str, TypeAdapter[Any]] = {
    "canary": TypeAdapter(Canary),
    "wave": TypeAdapter(Wave),
    "limit": TypeAdapter(Limit),
}
HOSTS = st.integers(0, 20_000)
PERCENT = st.integers(1, 100)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("canary", 2, 2),
        ("canary", " 2 ", 2),
        ("canary", "5%", "5%"),
        ("canary", "off", 0),
        ("canary", False, 0),  # YAML reads `off` so
        ("canary", "0%", 0),
        ("wave", "25%", "25%"),
        ("wave", "100%", "100%"),
        ("limit", 0, 0),
        ("limit", "0%", "0%"),
        ("limit", "unlimited", UNLIMITED),
    ],
)
def test_what_may_be_written(kind: str, written: object, value: object) -> None:
    assert READ[kind].validate_python(written) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("canary", True),
        ("canary", -1),
        ("canary", "unlimited"),
        ("wave", 0),
        ("wave", "0%"),
        ("wave", False),
        ("wave", "off"),
        ("wave", "101%"),
        ("wave", "٥%"),
        ("wave", "5 %"),
        ("wave", 2.5),
        ("wave", None),
        ("wave", 10**9),
        ("limit", False),  # `off` could mean both no limit and no failure
        ("limit", "off"),
        ("limit", "many"),
        ("limit", "-1"),
    ],
)
def test_what_may_not_be_written(kind: str, written: object) -> None:
    with pytest.raises(ValidationError, match="write a number from"):
        READ[kind].validate_python(written)


@pytest.mark.parametrize(
    ("percent", "hosts", "wave", "failures"),
    [(10, 100, 10, 10), (10, 19, 1, 1), (10, 9, 1, 0), (33, 10, 3, 3), (100, 7, 7, 7)],
)
def test_percentages_are_rounded_down(percent: int, hosts: int, wave: int, failures: int) -> None:
    assert wave_size(f"{percent}%", hosts) == wave
    assert borne_failures(f"{percent}%", hosts) == failures


@given(PERCENT, HOSTS)
def test_never_more_than_was_said(percent: int, hosts: int) -> None:
    said = f"{percent}%"
    assert wave_size(said, hosts) == canary_size(said, hosts)
    assert wave_size(said, hosts) * 100 <= max(100, hosts * percent), "more than the percentage"
    assert (wave_size(said, hosts) + 1) * 100 > hosts * percent, "a whole host too few"
    borne = borne_failures(said, hosts)
    assert borne is not None and borne * 100 <= hosts * percent < (borne + 1) * 100


@given(PERCENT, HOSTS, HOSTS)
def test_more_hosts_never_make_a_smaller_wave(percent: int, one: int, more: int) -> None:
    said = f"{percent}%"
    assert wave_size(said, one) <= wave_size(said, one + more)


@given(st.integers(1, 1_000_000), HOSTS)
def test_numbers_stay_as_they_are(number: int, hosts: int) -> None:
    assert wave_size(number, hosts) == canary_size(number, hosts) == number
    assert borne_failures(number, hosts) == number


@given(HOSTS)
def test_no_canary_and_no_limit(hosts: int) -> None:
    assert canary_size(0, hosts) == 0
    assert borne_failures(UNLIMITED, hosts) is None
