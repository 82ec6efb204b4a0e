"""lab.json: written first, enough to remove a lab by, never over somebody's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.scenario import HostSpec, plan_hosts
from orchestrator.lab.state import FILE, create, load, plan_state
from orchestrator.model.errors import UsageError

WEB = [HostSpec("web01", "full", "clean")]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    state = plan_state(tmp_path / "lab", plan_hosts(3, 1, 2))
    create(state)
    assert load(tmp_path / "lab") == state
    assert state.namespaces[0] == state.prefix
    assert all(name.startswith(state.prefix) for name in state.namespaces)


def test_addresses_are_unique_and_never_the_controllers() -> None:
    state = plan_state(Path("/x"), plan_hosts(60, 20, 800))
    addresses = [host.address for host in state.hosts]
    assert len(set(addresses)) == 880
    assert "10.99.0.1" not in addresses
    assert all(0 < int(part) < 255 for a in addresses for part in a.split(".")[3:])


def test_both_ways_to_root_occur() -> None:
    users = {host.user for host in plan_state(Path("/x"), plan_hosts(2, 0, 0)).hosts}
    assert users == {"root", "deploy"}


def test_two_labs_never_share_a_prefix() -> None:
    assert plan_state(Path("/x"), WEB).prefix != plan_state(Path("/x"), WEB).prefix


@pytest.mark.parametrize(
    "specs",
    [
        [],
        WEB * 2,
        [HostSpec("../evil", "full", "clean")],
        [HostSpec("web01", "rpm", "clean")],
        [HostSpec("web01", "full", "nope")],
    ],
)
def test_impossible_hosts_are_refused(specs: list[HostSpec]) -> None:
    with pytest.raises(UsageError):
        plan_state(Path("/x"), specs)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="is not empty"):
        create(plan_state(tmp_path, WEB))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_second_lab_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    create(plan_state(tmp_path, WEB))
    with pytest.raises(UsageError, match="already") as caught:
        create(plan_state(tmp_path, WEB))
    assert f"lab down --dir {tmp_path}" in caught.value.hint


def test_a_folder_that_ssh_cannot_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="space"):
        create(plan_state(tmp_path / "my lab", WEB))


def test_no_lab_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no lab"):
        load(tmp_path)
    for text in ("{", "[]", '{"schema": "sop-run/lab/1"}'):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(UsageError, match="is damaged"):
            load(tmp_path)
    (tmp_path / FILE).write_text('{"schema": "other"}')
    with pytest.raises(UsageError, match="another version"):
        load(tmp_path)
