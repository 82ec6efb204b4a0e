"""Back end `proxmox`, with stand-ins for `qm` and `pvesh`: what it asks, and what it refuses.

No proof that it works: no Proxmox VE was at hand. The answers are in the shape that the vendor's
documentation and source describe, none of them is recorded.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from hostside import hypervisors, proxmox, pveguest, revert, snapshot, state
from hostside.answer import Answer, frame
from hostside.unusable import Unusable
from tests.unit.hostside_changes.standin import StandIn

UUID = "3f1c7b52-9a40-4a0e-8a4b-6f2f4b8f9d10"
MAC = "bc:24:11:00:00:01"
TRANSACTION = "a" * 32
NAME, CALLED = "sop-run-" + TRANSACTION, "sop_run_" + TRANSACTION
GUEST = {"uuid": UUID, "cards": [MAC], "boot_id": "boot", "sha256": "b" * 64}
JSON = "--output-format json"
VM = "pvesh get /nodes/pve1/qemu/100"
CONFIG = {
    "name": "web01", "memory": "2048", "smbios1": f"uuid={UUID.upper()}", "cores": 2,
    "net0": f"virtio={MAC.upper()},bridge=vmbr0,firewall=1", "scsihw": "virtio-scsi-single",
    "scsi0": "local-lvm:vm-100-disk-0,iothread=1,size=32G", "efidisk0": "file=local-lvm:vm-100-e",
    "ide2": "local:iso/debian.iso,media=cdrom,size=600M", "unused0": "local-lvm:vm-100-disk-9",
    "digest": "d",
}  # fmt: skip
HELD = {**CONFIG, "vmstate": f"local-lvm:vm-100-state-{CALLED}", "snaptime": 1764000000}
CURRENT: dict[str, Any] = {"name": "current", "running": 1, "description": "You are here!"}
MADE: dict[str, Any] = {"name": CALLED, "vmstate": 1, "snaptime": 1764000000, "description": ""}
STATUS = {"status": "running", "qmpstatus": "running", "vmid": 100, "ha": {"managed": 0}}
STORE = {"active": 1, "enabled": 1, "avail": 50 * 2**30, "total": 10**12, "type": "lvmthin"}
MAKE = f"qm snapshot 100 {CALLED} --vmstate 1 --description made by sop-run before an update"
BEFORE: dict[str, Any] = {
    f"{VM}/config --current 1 {JSON}": CONFIG,
    f"{VM}/status/current {JSON}": STATUS,
    f"{VM}/snapshot {JSON}": [CURRENT],
    f"{VM}/feature --feature snapshot {JSON}": {"hasFeature": 1, "nodes": ["pve1"]},
    f"pvesh get /cluster/replication {JSON}": [],
    f"pvesh get /nodes/pve1/storage/local-lvm/status {JSON}": STORE,
    MAKE: {"becomes": ["after"]},
}
AFTER: dict[str, Any] = {
    **BEFORE,
    f"{VM}/config --current 1 {JSON}": {**CONFIG, "parent": CALLED},
    f"{VM}/config --snapshot {CALLED} {JSON}": HELD,
    f"{VM}/snapshot {JSON}": [MADE, {**CURRENT, "parent": CALLED}],
    f"qm rollback 100 {CALLED}": "",
}


class Node:
    """A node of a cluster: its folder /etc/pve, and its programs."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pve = root / "pve"
        monkeypatch.setattr(proxmox, "FOLDER", str(self.pve))
        monkeypatch.setattr(state, "ROOT", str(root / "state"))
        (root / "state/transactions").mkdir(parents=True)
        self.add("pve1", 100, UUID)
        (self.pve / "local").symlink_to("nodes/pve1")
        self.programs = StandIn(root / "bin", monkeypatch, "qm", "pvesh")
        self.tell(BEFORE, AFTER)

    def add(self, node: str, number: int, uuid: str) -> None:
        """A configuration file, with a snapshot of another UUID in it."""
        path = self.pve / "nodes" / node / "qemu-server" / f"{number}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"#note\nsmbios1: manufacturer=YQ==,base64=1,uuid={uuid}\nname: x\n\n"
            f"[old]\nsmbios1: uuid={'0' * 8}{uuid[8:]}\n"
        )

    def tell(self, before: dict[str, Any], after: dict[str, Any] | None = None) -> None:
        self.programs.answers(before)
        self.programs.answers(after or AFTER, "after")

    def snapshot(self, **options: Any) -> Answer:
        """What the phase `snapshot` answers."""
        told = Answer("prepare")
        told.facts["guest"] = GUEST
        answer = Answer("snapshot", TRANSACTION)
        snapshot.run(
            {
                "transaction": TRANSACTION, "host": "web01", "items": [],
                "told": {"line": frame(told.finish())},
                "options": {"kind": "proxmox", "untested": True, **options},
            },
            answer,
        )  # fmt: skip
        return answer


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    return Node(tmp_path, monkeypatch)


def reason(answer: Answer) -> str:
    assert (answer.status, "snapshot" in answer.facts) == ("refused", False), answer.finish()
    return str(answer.problems[0]["message"])


def test_a_snapshot_with_memory_is_made_once_and_listed(node: Node) -> None:
    made = node.snapshot()
    assert made.status == "ok", made.finish()
    assert node.programs.changes() == [
        ["qm", "snapshot", "100", CALLED, "--vmstate", "1",
         "--description", "made by sop-run before an update"]
    ]  # fmt: skip
    facts = made.facts["snapshot"]
    assert (facts["name"], facts["domain"], facts["uuid"]) == (NAME, "web01", UUID)
    assert "it holds every disk: efidisk0, scsi0" in facts["proof"]
    assert node.snapshot().status == "ok"
    assert len(node.programs.changes()) == 1


def test_without_consent_nothing_is_asked(node: Node) -> None:
    for given in (False, None, "true", 1):
        assert "without backup_untested: true" in reason(node.snapshot(untested=given))
    assert node.programs.called() == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("config", {"memory": "much"}, "has not the shape"),
        ("config", {"smbios1": f"uuid={'0' * 8}{UUID[8:]}"}, "another guest"),
        ("config", {"net0": "virtio=BC:24:11:00:00:02"}, "two machines may have the same UUID"),
        ("config", {"lock": "backup"}, r"is locked \(backup\)"),
        ("config", {"template": 1}, "it is a template"),
        ("config", {"args": "-drive file=/x"}, "arguments of its own"),
        ("config", {"scsi1": "/dev/sdb,size=1G"}, r"scsi1 is no volume of a storage \(/dev/sdb\)"),
        ("config", {"scsi1": "local-lvm:vm-100-disk-1,snapshot=1"}, "throws away"),
        ("config", {"hostpci0": "0000:01:00.0"}, "no snapshot with memory holds"),
        ("status/current", {"status": "stopped"}, "does not run here"),
        ("status/current", {"qmpstatus": "paused"}, "does not run here"),
        (
            "status/current",
            {"qmpstatus": None},
            r"has not the shape that sop-run knows \(qmpstatus\)",
        ),
        ("status/current", {"ha": {"managed": 1}}, "it is managed by HA"),
        ("status/current", {"ha": {}}, "has not the shape"),
        ("config", {"vmstatestorage": "../x"}, "has not the shape"),
        ("feature", {"hasFeature": 0}, "cannot make snapshots"),
        ("feature", {"hasFeature": []}, "has not the shape"),
        ("storage", {"avail": 3 * 2**30}, "MB free, and the snapshot needs 5108 MB"),
        ("storage", {"active": 0}, "is not active"),
    ],
)
def test_what_makes_a_snapshot_worthless_is_refused_before_it(
    node: Node, key: str, value: dict[str, Any], words: str
) -> None:
    told = copy.deepcopy(BEFORE)
    (asked,) = [k for k in told if f"/{key}" in k and "replication" not in k]
    told[asked].update(value)
    node.tell(told)
    assert_matches(words, reason(node.snapshot()))
    assert node.programs.changes() == []


def assert_matches(words: str, message: str) -> None:
    with pytest.raises(Unusable, match=words):
        raise Unusable(message)


def test_answers_in_another_shape_are_refused(node: Node) -> None:
    for key in BEFORE:
        for wrong in ("", "no JSON", "[]", "{}", "null", "3", '[{"name": 1}]'):
            if key == MAKE or (wrong == "[]" and "replication" in key):
                continue
            node.tell({**BEFORE, key: wrong})
            reason(node.snapshot())
    assert node.programs.changes() == []


def test_a_guest_elsewhere_replicated_or_not_alone_is_refused(node: Node) -> None:
    node.tell({**BEFORE, f"pvesh get /cluster/replication {JSON}": [{"guest": 100}]})
    assert "it is replicated" in reason(node.snapshot())
    node.add("pve2", 200, UUID)
    assert f"several guests have the UUID {UUID}: 100 on pve1, 200 on pve2" in reason(
        node.snapshot()
    )
    (node.pve / "nodes/pve1/qemu-server/100.conf").unlink()
    assert "the guest is 200 on the node pve2, not on this one, pve1" in reason(node.snapshot())
    (node.pve / "nodes/pve2/qemu-server/200.conf").unlink()
    assert "knows no virtual machine with the UUID" in reason(node.snapshot())
    (node.pve / "local").unlink()
    assert "no running node of Proxmox VE" in reason(node.snapshot())
    (node.programs.folder / "qm").unlink()
    assert "qm is not on the hypervisor" in reason(node.snapshot())


LIST, SNAP = f"{VM}/snapshot {JSON}", f"{VM}/config --snapshot {CALLED} {JSON}"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (LIST, [{**MADE, "snapstate": "prepare"}, {**CURRENT, "parent": CALLED}], "is not whole"),
        (LIST, [{**MADE, "vmstate": 0}, {**CURRENT, "parent": CALLED}], "guest's memory"),
        (LIST, [MADE, {**CURRENT, "parent": "later"}], "not the one that the guest goes on from"),
        (LIST, [CURRENT], "does not list the snapshot"),
        (LIST, [MADE], "has not the shape"),
        (SNAP, CONFIG, "guest's memory"),
        (SNAP, {**HELD, "smbios1": "uuid=x"}, "another guest's"),
        (SNAP, {**HELD, "scsi0": "local-lvm:vm-100-disk-7"}, "does not hold every disk"),
        (SNAP, {"vmstate": "x"}, "another guest's"),
    ],
)
def test_a_snapshot_that_is_not_proven_is_none(
    node: Node, key: str, value: Any, words: str
) -> None:
    node.tell(BEFORE, {**AFTER, key: value})
    assert words in reason(node.snapshot())


def test_a_task_that_fails_is_refused_in_its_own_words(node: Node) -> None:
    node.tell({**BEFORE, MAKE: {"code": 255, "err": "VM is locked (backup)\n"}})
    assert "qm snapshot: VM is locked (backup)" in reason(node.snapshot())


def put_back(node: Node) -> Answer:
    taken = {"id": NAME, "method": "proxmox", "uuid": UUID}
    answer = Answer("revert", "c" * 32)
    state.private_folder(state.folder("c" * 32))
    revert.run({"transaction": "c" * 32, "host": "web01", "backup": taken, "options": {}}, answer)
    return answer


def test_a_guest_is_put_back_once_and_started_by_its_memory(node: Node) -> None:
    assert node.snapshot().status == "ok"
    found = put_back(node)
    assert (found.status, found.facts["revert"]["known"]) == ("ok", True), found.finish()
    assert node.programs.changes()[1:] == [["qm", "rollback", "100", CALLED]]
    again = put_back(node)
    assert (again.status, again.facts["revert"]["known"]) == ("ok", False)
    assert len(node.programs.changes()) == 2


def test_a_rollback_that_is_not_listed_is_failed(node: Node) -> None:
    assert node.snapshot().status == "ok"
    rollback = f"qm rollback 100 {CALLED}"
    for told, words in (
        (
            {**AFTER, rollback: {"code": 255, "err": "can't rollback"}},
            "qm rollback: can't rollback",
        ),
        ({**AFTER, rollback: {"becomes": ["after"]}}, "does not say that the guest went back"),
    ):
        (Path(state.folder("c" * 32)) / "notes.json").unlink(missing_ok=True)
        node.tell(told, BEFORE)
        found = put_back(node)
        assert (found.status, "revert" in found.facts) == ("failed", False)
        assert words in found.problems[0]["message"]


def test_old_snapshots_of_ours_go_by_their_exact_name(node: Node) -> None:
    assert node.snapshot().status == "ok"
    hypervisors.forget(NAME)
    old = "sop-run-" + "d" * 32
    record = {"name": old, "kind": "proxmox", "uuid": UUID, "created": 1.0, "host": "web01"}
    hypervisors.write(old, {**record, "guest": GUEST})
    hypervisors.write(NAME, {**record, "name": NAME, "created": 2.0, "guest": GUEST})
    others = [{"name": pveguest.called(old), "vmstate": 1}, {"name": "sop_run_mine"}]
    gone = f"qm delsnapshot 100 {pveguest.called(old)}"
    node.tell({**AFTER, LIST: [*AFTER[LIST], *others], gone: ""})
    assert node.snapshot(keep=1).status == "ok"
    assert node.programs.changes()[1:] == [gone.split()]
