"""Names in an inventory are data: what is no host's name is refused, and shown harmlessly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.fleet.inventory import read_inventory
from orchestrator.model.errors import UsageError

NAMES = [
    "../../etc/x",
    "a\x1b]0;owned\x07\x1b[2J",
    "{{ 7 * 7 }}",
    "web\u202e01",
    "=cmd|'x'!A1",
    "-rf",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_host_name_is_refused(tmp_path: Path, name: str) -> None:
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {name: {}, "web01": {}}}}))
    with pytest.raises(UsageError) as refused:
        read_inventory(inventory)
    assert all(c == "\n" or c.isprintable() for c in refused.value.message), refused.value.message


def test_a_hostile_address_is_shown_harmlessly(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.json"
    address = "192.0.2.1\x1b[2J" + "9" * 500
    inventory.write_text(json.dumps({"all": {"hosts": {"web01": {"ansible_host": address}}}}))
    (shown,) = read_inventory(inventory).addresses.values()
    assert shown.isprintable() and len(shown) <= 80
