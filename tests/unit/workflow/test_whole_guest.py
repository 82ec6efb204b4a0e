"""A restore that takes data back, too, is never ordered unawares."""

from __future__ import annotations

import pytest

from hostside import hypervisor
from orchestrator.model.errors import UsageError
from orchestrator.workflow.restoring import _require_no_guest
from tests.unit.cycles import Chain, evidence, item


def backed_up_by(method: str) -> Chain:
    chain = Chain()
    chain.check(item(1))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    backup = {"method": method, "created": "2026-11-02T01:00:00Z\x1b[2J"}
    chain.run("backup", {"web1": {"evidence": evidence("backup", facts={"backup": backup})}})
    return chain


@pytest.mark.parametrize("method", hypervisor.BACKENDS)
def test_a_hypervisors_snapshot_needs_a_word_more(method: str) -> None:
    with pytest.raises(UsageError, match="data too") as refused:
        _require_no_guest(backed_up_by(method).state, ("web1",))
    assert "--whole-guest" in refused.value.hint and "\x1b" not in refused.value.message


@pytest.mark.parametrize("method", ["btrfs", "snapper", "lvm", "packages", "command"])
def test_other_backups_do_not(method: str) -> None:
    _require_no_guest(backed_up_by(method).state, ("web1",))
