"""Back end `vmware`, with a stand-in for `govc`: what it asks, and what it refuses.

No proof that it works: no vSphere was at hand. The answers were recorded from the real govc, asked
of VMware's simulator; its snapshots hold no memory, so what that looks like is from VMware's API
reference.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hostside import govcenv, hypervisors, revert, snapshot, state, vmguest
from hostside.answer import Answer, frame
from hostside.unusable import Unusable
from tests.unit.hostside_changes.standin import StandIn

RECORDED = Path(__file__).parents[2] / "contract/hostside/vmware/guest.json"
CASE = json.loads(RECORDED.read_text(encoding="utf-8"))
INFO, (DEVICES, UUID) = CASE["input"], CASE["arguments"]
TRANSACTION = "0123456789abcdef" * 2
NAME = "sop-run-" + TRANSACTION
MAC, REFERENCE, PASSWORD = "00:0c:29:66:66:34", "VirtualMachine:vm-138", "correct horse"
GUEST = {"uuid": UUID, "cards": [MAC], "boot_id": "boot", "sha256": "b" * 64}
LOGIN = f"# a comment\nGOVC_URL=vc.example\nexport GOVC_USERNAME='sop'\nGOVC_PASSWORD={PASSWORD}\n"
OURS, OTHER = "snapshot-163", "snapshot-161"
FIND = f"govc find -json -i / -type m -config.uuid {UUID}"
FIND_SWAPPED = f"govc find -json -i / -type m -config.uuid {vmguest.swapped(UUID)}"
SHOW, LIST = f"govc vm.info -json {REFERENCE}", f"govc device.info -json -vm {REFERENCE}"
ROOM = "govc datastore.info -json Datastore:datastore-121"
MAKE = (
    f"govc snapshot.create -vm {REFERENCE} -m=true -q=false "
    f"-d made by sop-run before an update {NAME}"
)
BACK = f"govc snapshot.revert -vm {REFERENCE} -s=false {OURS}"
STORE = {"datastores": [{"summary": {"name": "ds1", "freeSpace": 10**11, "accessible": True}}]}


def with_memory() -> dict[str, Any]:
    """The recorded guest, its second snapshot with memory."""
    info = copy.deepcopy(INFO)
    layout = info["virtualMachines"][0]["layoutEx"]
    (ours,) = [one for one in layout["snapshot"] if one["key"]["value"] == OURS]
    ours["memoryKey"] = 99
    layout["file"].append({"key": 99, "name": "x.vmem", "type": "snapshotMemory", "size": 4096})
    return dict(info)


def without_ours() -> dict[str, Any]:
    """The recorded guest as before its second snapshot."""
    info = copy.deepcopy(INFO)
    tree = info["virtualMachines"][0]["snapshot"]
    tree["currentSnapshot"]["value"] = OTHER
    tree["rootSnapshotList"][0]["childSnapshotList"] = None
    return dict(info)


BEFORE: dict[str, Any] = {
    FIND: [REFERENCE], FIND_SWAPPED: "null", SHOW: without_ours(), LIST: DEVICES, ROOM: STORE,
    MAKE: {"becomes": ["after"]},
}  # fmt: skip
AFTER: dict[str, Any] = {**BEFORE, SHOW: with_memory(), BACK: ""}


class Station:
    """A management host with govc and its login."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(state, "ROOT", str(root / "state"))
        (root / "state/transactions").mkdir(parents=True)
        self.login = root / "govc.env"
        monkeypatch.setattr(govcenv, "PATH", str(self.login))
        monkeypatch.setattr(govcenv, "OWNER", os.geteuid())
        self.write(LOGIN)
        self.govc = StandIn(root / "bin", monkeypatch, "govc")
        self.tell(BEFORE)

    def write(self, text: str, mode: int = 0o600) -> None:
        self.login.unlink(missing_ok=True)
        self.login.write_text(text)
        self.login.chmod(mode)

    def tell(self, before: dict[str, Any], after: dict[str, Any] | None = None) -> None:
        self.govc.answers(before)
        self.govc.answers(after or AFTER, "after")

    def snapshot(self, **options: Any) -> Answer:
        """What the phase `snapshot` answers."""
        told = Answer("prepare")
        told.facts["guest"] = {**GUEST, **options.pop("guest", {})}
        answer = Answer("snapshot", TRANSACTION)
        snapshot.run(
            {
                "transaction": TRANSACTION, "host": "web01", "items": [],
                "told": {"line": frame(told.finish())},
                "options": {"kind": "vmware", "untested": True, **options},
            },
            answer,
        )  # fmt: skip
        return answer


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    return Station(tmp_path, monkeypatch)


def reason(answer: Answer) -> str:
    assert (answer.status, "snapshot" in answer.facts) == ("refused", False), answer.finish()
    return str(answer.problems[0]["message"])


def test_a_snapshot_with_memory_is_made_once_and_listed(station: Station) -> None:
    made = station.snapshot()
    assert made.status == "ok", made.finish()
    assert station.govc.changes() == [
        ["govc", "snapshot.create", "-vm", REFERENCE, "-m=true", "-q=false",
         "-d", "made by sop-run before an update", NAME]
    ]  # fmt: skip
    facts = made.facts["snapshot"]
    assert (facts["name"], facts["domain"], facts["uuid"]) == (NAME, "DC1_H0_VM0", UUID)
    assert "it holds the guest's memory, 4096 bytes" in facts["proof"]
    assert station.snapshot().status == "ok"
    assert len(station.govc.changes()) == 1


def test_the_login_is_on_no_command_line_and_in_no_answer(station: Station) -> None:
    station.tell({**BEFORE, SHOW: {"code": 1, "err": f"login failed: sop {PASSWORD}"}})
    answer = station.snapshot()
    assert "login failed: sop ***" in reason(answer)
    for one in station.govc.called():
        assert PASSWORD not in " ".join(one["argv"])
        assert one["env"]["GOVC_PASSWORD"] == PASSWORD
        assert one["env"]["GOVC_PERSIST_SESSION"] == "false"
    assert PASSWORD not in json.dumps(answer.finish())
    kept = Path(state.ROOT).rglob("*")
    assert not [path for path in kept if path.is_file() and PASSWORD in path.read_text()]


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (LOGIN, 0o604, "must be a file of root's with mode 0600"),
        (LOGIN + "GOVC_INSECURE=1\n", 0o600, "line 5: only NAME=VALUE"),
        (LOGIN + PASSWORD + "\n", 0o600, "line 5: only NAME=VALUE"),
        ("GOVC_USERNAME=sop\n", 0o600, "names no GOVC_URL"),
        (f"GOVC_URL=sop:{PASSWORD}@vc.example\n", 0o600, "not into GOVC_URL"),
        ("GOVC_URL=http://vc.example\n", 0o600, "must begin with https://"),
    ],
)
def test_a_login_that_is_not_safe_is_not_used(
    station: Station, text: str, mode: int, words: str
) -> None:
    station.write(text, mode)
    said = reason(station.snapshot())
    assert words in said and PASSWORD not in said
    station.login.rename(station.login.with_name("else"))
    station.login.symlink_to(station.login.with_name("else"))
    assert "cannot be read" in reason(station.snapshot())
    assert station.govc.called() == []


def test_without_consent_nothing_is_asked(station: Station) -> None:
    for given in (False, None, "true", 1):
        assert "without backup_untested: true" in reason(station.snapshot(untested=given))
    assert station.govc.called() == []


def test_the_guest_may_tell_its_uuid_in_the_other_order_of_bytes(station: Station) -> None:
    assert vmguest.swapped("00112233-4455-6677-8899-aabbccddeeff") == (
        "33221100-5544-7766-8899-aabbccddeeff"
    )
    made = station.snapshot(guest={"uuid": vmguest.swapped(UUID)})
    assert made.status == "ok", made.finish()
    assert made.facts["snapshot"]["uuid"] == vmguest.swapped(UUID)
    station.tell({**BEFORE, FIND_SWAPPED: ["VirtualMachine:vm-7"]})
    assert "several guests have the UUID" in reason(station.snapshot())
    station.tell({**BEFORE, FIND: ["-dump"]})
    assert "has not the shape" in reason(station.snapshot())
    station.tell({**BEFORE, FIND: "null"})
    assert "knows no guest with the UUID" in reason(station.snapshot())
    station.tell(BEFORE)
    wrong = {"cards": ["52:54:00:00:00:01"]}
    assert "two machines may have the same UUID" in reason(station.snapshot(guest=wrong))


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of an answer with something else at `path`."""
    copied = copy.deepcopy(document)
    *steps, last = [int(x) if x.isdigit() else x for x in path.split(".")]
    place: Any = copied
    for step in steps:
        place = place[step]
    place[last] = value
    return copied


VM = "virtualMachines.0."
DISK = next(n for n, one in enumerate(DEVICES["devices"]) if one["type"] == "VirtualDisk")
BACKING = f"devices.{DISK}.backing."


@pytest.mark.parametrize(
    ("key", "path", "value", "words"),
    [
        (SHOW, VM + "runtime.powerState", "poweredOff", "does not run here"),
        (SHOW, VM + "runtime.connectionState", "orphaned", "does not run here"),
        (SHOW, VM + "runtime.question", {"id": "1"}, "does not run here"),
        (SHOW, VM + "runtime.consolidationNeeded", True, "need consolidation"),
        (SHOW, VM + "config.template", True, "it is a template"),
        (SHOW, VM + "config.uuid", "0" * 36, "about another guest"),
        (SHOW, VM + "self.value", "vm-7", "about another guest"),
        (SHOW, VM + "self.value", "-vm", "has not the shape"),
        (SHOW, VM + "datastore.0.value", "../x", "has not the shape"),
        (SHOW, VM + "config.template", "no", "has not the shape"),
        (LIST, BACKING + "diskMode", "independent_persistent", "snapshots leave its disk"),
        (LIST, BACKING + "sharing", "sharingMultiWriter", "is shared"),
        (LIST, BACKING + "compatibilityMode", "physicalMode", "is a raw device"),
        (LIST, BACKING + "diskMode", None, "has not the shape"),
        (LIST, f"devices.{DISK}.type", "VirtualPCIPassthrough", "no snapshot holds its device"),
        (LIST, f"devices.{DISK}.type", "VirtualUnknown", "it has no disk"),
        (ROOM, "datastores.0.summary.freeSpace", 10**8, "MB free, and the snapshot needs"),
        (ROOM, "datastores.0.summary.accessible", False, "is not accessible"),
    ],
)
def test_what_makes_a_snapshot_worthless_is_refused_before_it(
    station: Station, key: str, path: str, value: Any, words: str
) -> None:
    station.tell({**BEFORE, key: changed(BEFORE[key], path, value)})
    assert words in reason(station.snapshot())
    assert station.govc.changes() == []


def test_answers_in_another_shape_are_refused(station: Station) -> None:
    older = {"VirtualMachines": INFO["virtualMachines"]}  # govc before 0.32
    for key in (FIND, SHOW, LIST, ROOM):
        for wrong in ("", "no JSON", "[]", "{}", "null", "3", '[{"name": 1}]', older):
            station.tell({**BEFORE, key: wrong})
            reason(station.snapshot())
    assert station.govc.changes() == []


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (INFO, "does not hold the running guest's memory"),  # as the simulator really answers
        (without_ours(), "the guest has 0 snapshots with the name"),
        (changed(with_memory(), VM + "snapshot.currentSnapshot.value", OTHER), "goes on from"),
        (changed(with_memory(), VM + "layoutEx.file", []), "guest's memory"),
        (changed(with_memory(), VM + "layoutEx.snapshot.1.disk", []), "hold every disk"),
        (
            changed(with_memory(), VM + "snapshot.rootSnapshotList.0.name", NAME),
            "the guest has 2 snapshots with the name",
        ),
        (
            changed(
                with_memory(),
                VM + "snapshot.rootSnapshotList.0.childSnapshotList.0.vm.value",
                "vm-7",
            ),
            "is another guest's",
        ),
    ],
)
def test_a_snapshot_that_is_not_proven_is_none(
    station: Station, info: dict[str, Any], words: str
) -> None:
    station.tell(BEFORE, {**AFTER, SHOW: info})
    assert words in reason(station.snapshot())


def put_back() -> Answer:
    taken = {"id": NAME, "method": "vmware", "uuid": UUID}
    answer = Answer("revert", "c" * 32)
    state.private_folder(state.folder("c" * 32))
    revert.run({"transaction": "c" * 32, "host": "web01", "backup": taken, "options": {}}, answer)
    return answer


def test_a_guest_is_put_back_once_by_the_reference_of_its_snapshot(station: Station) -> None:
    assert station.snapshot().status == "ok"
    found = put_back()
    assert (found.status, found.facts["revert"]["known"]) == ("ok", True), found.finish()
    assert station.govc.changes()[1:] == [BACK.split()]
    again = put_back()
    assert (again.status, again.facts["revert"]["known"]) == ("ok", False)
    assert len(station.govc.changes()) == 2


def test_a_revert_that_is_not_listed_is_failed(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revert, "WAIT_SECONDS", 0)
    off = changed(with_memory(), VM + "runtime.powerState", "poweredOff")
    for told, words in (
        ({**AFTER, BACK: {"code": 1, "err": "no such snapshot"}}, "no such snapshot"),
        ({**AFTER, BACK: {"becomes": ["after"]}}, "does not say that the guest went back"),
        ({**AFTER, BACK: {"becomes": ["off"]}}, "does not run after it was put back"),
    ):
        hypervisors.write(NAME, {
            "name": NAME, "kind": "vmware", "uuid": UUID, "created": 1.0, "host": "web01",
            "guest": GUEST,
        })  # fmt: skip
        (Path(state.folder("c" * 32)) / "notes.json").unlink(missing_ok=True)
        station.tell(told, {**AFTER, SHOW: changed(
            with_memory(), VM + "snapshot.currentSnapshot.value", OTHER)})  # fmt: skip
        station.govc.answers({**AFTER, SHOW: off}, "off")
        found = put_back()
        assert (found.status, "revert" in found.facts) == ("failed", False)
        assert words in found.problems[0]["message"]


def test_a_snapshot_goes_alone_and_by_its_reference(station: Station) -> None:
    station.govc.answers({
        **AFTER, f"govc snapshot.remove -vm {REFERENCE} -r=false -c=true {OURS}": "",
    })  # fmt: skip
    works = hypervisors.adapter("vmware")
    found = works.find(GUEST)
    works.delete(found, NAME, 60)
    assert station.govc.changes()[0][1:2] == ["snapshot.remove"]
    with pytest.raises(Unusable, match="0 snapshots"):
        works.delete(found, "sop-run-" + "9" * 32, 60)
