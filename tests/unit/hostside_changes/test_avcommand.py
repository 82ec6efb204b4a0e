"""Another antivirus product: its definition, the order of its versions, what counts as reached."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostside import avcommand, avproduct

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/antivirus.md"


def documented() -> dict[str, Any]:
    """The example of the page for offices."""
    block = re.search(r"```yaml\n(antivirus_command:.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    return dict(yaml.safe_load(block[1])["antivirus_command"])


def test_the_documented_definition_is_a_good_one() -> None:
    assert avcommand.definition_errors("auto", documented()) == []
    assert set(documented()) == set(avcommand.KEYS)
    for key in avcommand.KEYS:
        needed = "yes" if key in avcommand.NEEDED else "no"
        assert f"| `{key}` | {needed} |" in PAGE.read_text()
    for method in avcommand.METHODS:
        assert f"| `{method}`" in PAGE.read_text()


@pytest.mark.parametrize("key", avcommand.NEEDED)
def test_what_is_needed_is_asked_for(key: str) -> None:
    definition = {**documented(), key: ""}
    assert avcommand.definition_errors("", definition) == [f"antivirus_command needs `{key}`"]


@pytest.mark.parametrize(
    ("method", "given", "taken"),
    [
        ("", False, "clamav"),
        ("auto", False, "clamav"),
        ("auto", True, "command"),
        ("clamav", True, "clamav"),
        ("none", True, "none"),
        (None, True, "command"),
    ],
)
def test_the_method(method: str | None, given: bool, taken: str) -> None:
    assert avcommand.method_of(method, documented() if given else {}) == taken


@pytest.mark.parametrize(
    ("version", "wanted", "enough"),
    [
        ("27393", "27393", True),
        ("27394", "27393", True),
        ("9", "10", False),
        ("1.10.0", "1.9.9", True),
        ("2026-11-25.2", "2026-11-25.10", False),
        ("v12 (stable)", "v12 (stable)", True),
        ("v13 (beta)", "v12 (stable)", False),
        ("1.2.3", "1.2", False),
        ("stable", "beta", False),
    ],
)
def test_the_order_of_versions(version: str, wanted: str, enough: bool) -> None:
    assert avcommand.not_older(version, wanted) is enough


@pytest.mark.parametrize(
    ("to", "before", "after", "trouble", "result"),
    [
        ("9", "7", "9", "", "updated"),
        ("9", "9", "9", "", "updated"),  # something else updated it since the check
        ("9", "7", "10", "", "updated"),
        ("9", "7", "7", "", "failed"),
        ("9", "7", "", "", "failed"),
        ("9", "7", "9", "ended with exit code 1", "updated"),
        ("latest", "7", "7", "", "unchanged"),
        ("latest", "7", "8", "", "updated"),
        ("latest", "7", "8", "ended with exit code 1", "failed"),
        ("latest", "7", "", "", "failed"),
    ],
)
def test_what_counts_as_reached(
    to: str, before: str, after: str, trouble: str, result: str
) -> None:
    item = {"name": "x signatures", "from": "7", "to": to}
    assert avproduct.judge(item, before, after, trouble)["result"] == result
