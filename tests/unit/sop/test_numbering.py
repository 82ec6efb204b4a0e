"""The number of the documents."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from orchestrator.model.office import Letters
from orchestrator.sop.numbering import counts, letter_number


def test_a_number_that_is_not_given_yet_is_open() -> None:
    pattern = "500.12.12/{number:04d}/{month_roman}/{year}"
    assert letter_number(pattern, "2026-11", None) == "500.12.12/…/XI/2026"
    assert letter_number(pattern, "2026-11", 123) == "500.12.12/0123/XI/2026"
    assert letter_number("{cycle}/{month}", "2026-02-i01", None) == "2026-02-i01/2"


def test_only_a_pattern_with_a_number_counts() -> None:
    assert counts("{number}/{year}") and counts("{number:03d}")
    assert not counts("{{number}}/{year}") and not counts("000/{cycle}")


@pytest.mark.parametrize("pattern", ["{host}", "{number", "{0}", "{number!x}", "{number:q}"])
def test_a_pattern_that_cannot_be_filled_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"may use \{number\}"):
        Letters.model_validate({"number_pattern": pattern})
