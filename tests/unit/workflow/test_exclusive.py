"""The same host is not in the change phase of two cycles: by lock, and by journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.journal.store import write_copy
from orchestrator.model.errors import CannotRunError
from orchestrator.workflow.exclusive import alone_on
from orchestrator.workflow.settings import Settings
from tests.unit.cycles import Chain, evidence, item
from tests.unit.journal.test_restore import changed, order, order_own, own_cycle, planned


def settings(home: Path) -> Settings:
    return Settings(home / "hosts.yml", home / "office.yml", home)


def journal(home: Path, chain: Chain, name: str = "2026-11") -> None:
    folder = home / "cycles" / name
    folder.mkdir(parents=True)
    write_copy(chain.entries, folder / "journal.db")


def ordered() -> Chain:
    chain = Chain()
    chain.check(item(), item(2, host="web2"))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    return chain


def test_a_cycle_that_is_ordered_and_waits_bars_nobody(tmp_path: Path) -> None:
    journal(tmp_path, ordered())
    with alone_on(settings(tmp_path), "2026-11-i01", ["web1"]):
        pass


def test_a_change_that_was_begun_and_interrupted_bars_its_hosts(tmp_path: Path) -> None:
    chain = ordered()
    chain.add("phase.started", {"phase": "backup", "wave": 0, "hosts": ["web1"]})
    journal(tmp_path, chain)
    here = settings(tmp_path)
    with (
        pytest.raises(CannotRunError, match="2026-11 has begun to change web1"),
        alone_on(here, "2026-11-i01", ["web2", "web1"]),
    ):
        pass
    with alone_on(here, "2026-11-i01", ["web2"]), alone_on(here, "2026-11", ["web1"]):
        pass


def test_a_host_with_its_verdict_is_free_again(tmp_path: Path) -> None:
    chain = ordered()
    chain.run("backup", {"web1": {"evidence": evidence("backup", "t")}})
    chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host="web1")
    journal(tmp_path, chain)
    with alone_on(settings(tmp_path), "2026-11-i01", ["web1"]):
        pass


def test_a_lock_names_who_holds_it(tmp_path: Path) -> None:
    here = settings(tmp_path)
    with (
        alone_on(here, "2026-11", ["web1"]),
        pytest.raises(CannotRunError, match="web1 is being changed by cycle 2026-11, process"),
        alone_on(here, "2026-11-i01", ["db1", "web1"]),
    ):
        pass
    with alone_on(here, "2026-11-i01", ["db1", "web1"]):
        pass


def test_a_journal_without_entries_bars_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "cycles" / "2026-10"
    folder.mkdir(parents=True)
    write_copy([], folder / "journal.db")
    with alone_on(settings(tmp_path), "2026-11", ["web1"]):
        pass


def test_a_host_that_is_ordered_back_is_nobody_elses_until_it_is_judged(tmp_path: Path) -> None:
    """Killed between the order and the work: its backup must still be the latest afterwards."""
    chain = changed()
    order(chain)
    journal(tmp_path, chain)
    here = settings(tmp_path)
    with (
        pytest.raises(CannotRunError, match="2026-11 has begun to change web1"),
        alone_on(here, "2026-11-i01", ["web1"]),
    ):
        pass
    with alone_on(here, "2026-11", ["web1"]), alone_on(here, "2026-11-i01", ["web2"]):
        pass


def test_a_cycle_of_its_own_bars_its_hosts_as_soon_as_it_is_ordered(tmp_path: Path) -> None:
    chain = own_cycle()
    planned(chain)
    here = settings(tmp_path)
    journal(tmp_path, chain, "2026-11-i01")
    with alone_on(here, "2026-12", ["web1"]):
        pass
    order_own(chain)
    for left in (tmp_path / "cycles/2026-11-i01").iterdir():
        left.unlink()
    write_copy(chain.entries, tmp_path / "cycles/2026-11-i01/journal.db")
    with (
        pytest.raises(CannotRunError, match="2026-11-i01 has begun to change web1"),
        alone_on(here, "2026-12", ["web1"]),
    ):
        pass
