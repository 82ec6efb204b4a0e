"""What a guest and its hypervisor believe of each other, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostside import durable, hypervisor, hypervisors, prepare, proof, revert, state, told, virsh
from hostside.answer import Answer, frame
from hostside.unusable import Unusable

UUID = "775c6d3b-935a-401e-b4c3-5963dfb4f100"
BACKUP = "a" * 32
NAME = "sop-run-" + BACKUP
SHA = "b" * 64
BOOT = "0cf13d07-3eda-4ebc-8799-cb93b71d36c2"
SNAPSHOT = {
    "uuid": UUID, "cards": ["52:54:00:99:00:02"], "boot_id": BOOT, "sha256": SHA,
    "kind": "libvirt", "name": NAME, "domain": "guest01", "on": "kvm01",
    "created": "", "proof": ["it is there"],
}  # fmt: skip
REVERT = {"name": NAME, "uuid": UUID, "known": True, "proof": ["it is there"], "at": "now"}


@pytest.fixture(autouse=True)
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine, as if it were a guest with these facts."""
    (tmp_path / "uuid").write_text(UUID.upper() + "\n")
    monkeypatch.setattr(prepare, "PRODUCT_UUID", str(tmp_path / "uuid"))
    monkeypatch.setattr(state, "ROOT", str(tmp_path / "state"))
    monkeypatch.setattr(hypervisor.systemtree, "database_digest", lambda root: SHA)
    monkeypatch.setattr(hypervisor.hostinfo, "boot_id", lambda: BOOT)


def said(phase: str, key: str, facts: dict[str, Any], status: str = "ok") -> dict[str, Any]:
    answer = Answer(phase)
    answer.facts[key] = facts
    if status != "ok":
        answer.stop(status, "no-snapshot", "there is no room", "")
    return {"line": frame(answer.finish()), "reason": ""}


def test_an_answer_is_handed_on_whole_or_not_at_all() -> None:
    request = {"told": said("snapshot", "snapshot", SNAPSHOT)}
    assert told.facts(request, "snapshot", "snapshot") == SNAPSHOT
    line = request["told"]["line"]
    for wrong, words in (
        (line[:-8], "cannot be unpacked|cut short"),
        (line.replace("SOP-RUN", "SOP-RAN"), "not framed"),
        (line[:30] + ("0" if line[30] != "0" else "1") + line[31:], "altered"),
    ):
        with pytest.raises(Unusable, match=words):
            told.facts({"told": {"line": wrong}}, "snapshot", "snapshot")
    with pytest.raises(Unusable, match="another question"):
        told.facts(request, "proof", "snapshot")
    with pytest.raises(Unusable, match="there is no room"):
        told.facts({"told": said("snapshot", "snapshot", {}, "refused")}, "snapshot", "snapshot")
    with pytest.raises(Unusable, match="cannot be reached"):
        told.facts({"told": {"line": "", "reason": "it cannot be reached"}}, "snapshot", "snapshot")
    with pytest.raises(Unusable, match="was not asked"):
        told.facts({}, "snapshot", "snapshot")


def test_a_guest_waits_for_a_hypervisor_that_is_still_at_work() -> None:
    working = said("revert", "revert", {}, "running")
    found = told.still_running({"phase": "restore", "transaction": BACKUP, "told": working})
    assert (found["status"], found["phase"], found["transaction"]) == ("running", "restore", BACKUP)
    for other in ({}, {"told": said("revert", "revert", REVERT)}):
        assert told.still_running({"phase": "restore", **other}) is None


def test_a_guest_accepts_the_snapshot_of_itself_as_it_is() -> None:
    backend = hypervisor.BACKENDS["libvirt"]
    request = {"told": said("snapshot", "snapshot", SNAPSHOT)}
    assert backend.reason_against(request) == ""
    taken = backend.take(NAME, request)
    assert (taken["sha256"], taken["uuid"]) == (SHA, UUID)
    assert taken["location"] == "libvirt guest guest01 on kvm01"
    for changed, words in (
        ({"uuid": "0" + UUID[1:]}, "another guest's"),
        ({"boot_id": "9" + BOOT[1:]}, "was restarted"),
        ({"sha256": "c" * 64}, "packages were changed"),
        ({"name": "sop-run-" + "c" * 32}, "not of this backup"),
        ({"kind": "xen"}, "not of this backup"),
    ):
        wrong = {"told": said("snapshot", "snapshot", {**SNAPSHOT, **changed})}
        with pytest.raises(Unusable, match=words):
            backend.take(NAME, wrong)


def after(revert_facts: dict[str, Any], boot: str = BOOT) -> list[str]:
    request = {
        "phase": "restore",
        "backup": {"id": NAME, "sha256": SHA, "method": "libvirt"},
        "baseline": {"boot_id": boot},
        "told": said("revert", "revert", revert_facts),
    }
    found = hypervisor.after_revert(request, Answer("restore"))
    assert isinstance(found, list)
    return found


def receipt(status: str) -> None:
    folder = Path(state.folder(BACKUP))
    folder.mkdir(parents=True, exist_ok=True)
    durable.write_sealed(str(folder / "receipt.json"), {"status": status})


def test_going_back_is_proven_by_the_guest_itself() -> None:
    assert f"boot id {BOOT}, as at the snapshot: its memory went back, too" in after(REVERT)
    receipt("refused")  # an earlier try, before the snapshot, went back with the disk
    assert after(REVERT)
    # Started anew since, or not known to the hypervisor: one doubt is borne, two are not.
    assert after(REVERT, boot="other")
    assert after({**REVERT, "known": False})
    with pytest.raises(Unusable, match="not known"):
        after({**REVERT, "known": False}, boot="other")
    with pytest.raises(Unusable, match="another snapshot"):
        after({**REVERT, "name": "sop-run-" + "c" * 32})
    receipt("ok")
    with pytest.raises(Unusable, match="still has what was written later"):
        after(REVERT)


def test_no_guest_puts_itself_back() -> None:
    request = {"phase": "update", "backup": {"id": NAME}}
    with pytest.raises(Unusable, match="only its hypervisor"):
        hypervisor.after_revert(request, Answer("restore"))


class Works:
    """A hypervisor whose guest is in a state."""

    tells_of_revert = True

    def __init__(self, *now: str) -> None:
        self.now = now

    def state(self, _guest: object) -> tuple[str, ...]:
        return self.now


@pytest.mark.parametrize(
    ("noted", "now", "known"),
    [
        ({}, ("running", "booted"), "no"),
        ({"boot_id": BOOT, "before": ["running", "booted"]}, ("running", "booted"), "no"),
        ({"boot_id": BOOT, "before": ["running", "booted"]}, ("running", "from snapshot"), "yes"),
        ({"boot_id": BOOT, "before": ["running", "booted"]}, ("shut off", "crashed"), "unknown"),
        ({"boot_id": "0", "before": ["running", "booted"]}, ("running", "booted"), "unknown"),
        (
            {"boot_id": BOOT, "before": ["running", "from snapshot"]},
            ("running", "from snapshot"),
            "unknown",
        ),
    ],
)
def test_a_revert_that_was_cut_off_is_repeated_only_if_it_surely_did_nothing(
    noted: dict[str, Any], now: tuple[str, str], known: str
) -> None:
    assert revert.went_back(Works(*now), None, noted) == known


def test_where_the_hypervisor_does_not_tell_a_revert_is_never_repeated() -> None:
    works = Works("running", "")
    works.tells_of_revert = False
    assert revert.went_back(works, None, {}) == "no"
    noted = {"boot_id": BOOT, "before": ["running", ""]}
    assert revert.went_back(works, None, noted) == "unknown"


def test_a_guest_that_was_put_back_is_not_updated_again() -> None:
    record = {
        "name": NAME, "kind": "libvirt", "uuid": UUID, "created": 1.0,
        "host": "guest01", "guest": {"uuid": UUID, "cards": []}, "reverted": "2026-11-25T16:53:30Z",
    }  # fmt: skip
    hypervisors.write(NAME, record)
    taken = {"id": NAME, "method": "libvirt", "uuid": UUID}
    answer = Answer("proof")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(virsh.Libvirt, "find", lambda *_: None)
        proof.run({"backup": taken, "host": "guest01"}, answer)
        assert answer.status == "refused"
        assert "that ended its update" in answer.problems[0]["message"]
        with pytest.raises(Unusable, match="another guest's"):
            proof.guest_of({"backup": taken, "host": "web01"})
        for changed in ({"uuid": "0" + UUID[1:]}, {"method": "xen"}):
            with pytest.raises(Unusable, match="another guest's"):
                proof.guest_of({"backup": {**taken, **changed}, "host": "guest01"})
    with pytest.raises(Unusable, match="no record"):
        proof.guest_of({"backup": {**taken, "id": "sop-run-" + "c" * 32}})
    Path(hypervisors.path(NAME)).write_text("{}")
    with pytest.raises(Unusable, match="sealed"):
        proof.guest_of({"backup": taken, "host": "guest01"})


def test_room_is_asked_where_the_disks_lie(tmp_path: Path) -> None:
    disk = tmp_path / "disk.qcow2"
    disk.touch()
    text = (
        "<domain><uuid>%s</uuid><memory unit='KiB'>1024</memory><devices><disk type='file'>"
        "<driver type='qcow2'/><source file='%s'/><target dev='vda'/></disk></devices></domain>"
    )
    found = virsh.Guest(text % (UUID, disk))
    works = virsh.Libvirt()
    assert works.lacking(found, {"items": []}) == ""
    assert f"{tmp_path} has " in works.lacking(found, {"items": [{"size": 10**15}]})
    found.memory = 10**18
    assert "the snapshot needs" in works.lacking(found, {"items": []})
    found.disks = []
    assert works.lacking(found, {"items": []}) == "it has no disk"
    with pytest.raises(Unusable, match="no XML"):
        virsh.Guest("error: no such domain")
