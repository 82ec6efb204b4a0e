"""A guest is backed up, and put back, by the hypervisor that runs it: libvirt, for real."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hostside.answer import frame
from orchestrator.journal.state import CycleState
from orchestrator.lab.demo import whole_cycle
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.cycle import CycleId
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.progress import Silent
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs
from tests.lab.month import set_variables, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.emulated]

KVM, GUEST = "kvm01", "guest01"
ITEM = {
    "class": "security", "name": "lab-api", "arch": "all", "from": "1.0", "to": "2.0",
    "source": "Lab:lab-security", "size": 1000, "sha256": "",
}  # fmt: skip
SNAPSHOTS = f"virsh snapshot-list {GUEST} --name"
OURS = f"{SNAPSHOTS} | grep ^sop-run- || true"
ADMINISTRATORS = "before-the-move"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # The second host is entered as `deploy`, with sudo: here the hypervisor, the guest as root.
    specs = [HostSpec(GUEST, "guest", "guest"), HostSpec(KVM, "hypervisor", "hypervisor")]
    made = Lab.up(tmp_path_factory.mktemp("kvm") / "lab", specs, print)
    try:
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def cycle(lab: Lab, home: Path, month: int) -> CycleState:
    shown = whole_cycle(lab, home, CycleId(2026, month), Silent(), print)
    assert shown.audit.ok
    return shown.standing.state


def evidence(state: CycleState, phase: Phase) -> dict[str, Any]:
    outcome = state.last(GUEST, phase)
    assert outcome is not None and outcome.evidence is not None, outcome
    return outcome.evidence


def told_by(document: dict[str, Any]) -> dict[str, str]:
    """An answer as the control node hands it on."""
    return {"line": frame(document)}


def prepared(lab: Lab) -> dict[str, Any]:
    found = ask(lab, GUEST, "prepare", {})
    assert found["status"] == "ok", told(found)
    return found


def snapshot(lab: Lab, guest: dict[str, Any], number: int, **more: Any) -> dict[str, Any]:
    """What the hypervisor answers to a guest's `prepare`."""
    options = {"kind": "libvirt", "keep": 2, **more.pop("options", {})}
    asked = {"items": [ITEM], "host": GUEST, **more, "transaction": f"{number:032x}"}
    return ask(lab, KVM, "snapshot", options, told=told_by(guest), **asked)


def test_a_hypervisor_that_is_away_means_no_update(lab: Lab, tmp_path: Path) -> None:
    lab.cut(KVM)
    state = cycle(lab, tmp_path / "home", 11)
    lab.mend(KVM)
    verdict = state.verdicts[GUEST]
    assert verdict.verdict is Verdict.REFUSED, verdict
    assert f"the hypervisor {KVM} cannot be reached" in verdict.reason
    assert [str(o.phase) for o in state.outcomes[GUEST]] == ["check", "backup"]
    assert sh(lab, GUEST, "dpkg-query -W -f '${Version}' lab-api") == "1.0"
    assert sh(lab, KVM, OURS) == ""


@pytest.mark.parametrize(
    ("method", "consent", "words", "month"),
    [
        ("proxmox", False, "without backup_untested: true in the inventory it is refused", 9),
        ("proxmox", True, "qm is not on the hypervisor: only a node of Proxmox VE has it", 10),
        ("vmware", True, "the login to vSphere cannot be read", 10),
    ],
)
def test_an_untested_back_end_is_refused_by_name_before_anything_is_changed(
    lab: Lab, tmp_path: Path, method: str, consent: bool, words: str, month: int
) -> None:
    """On a hypervisor that is neither: no more than this can be tried here."""
    text = lab.inventory.read_text(encoding="utf-8")
    set_variables(lab, GUEST, backup_method=method, backup_untested=consent)
    try:
        state = cycle(lab, tmp_path / "home", month)
    finally:
        lab.inventory.write_text(text, encoding="utf-8")
    verdict = state.verdicts[GUEST]
    assert verdict.verdict is Verdict.REFUSED, verdict
    assert f"backup_method is {method}, but" in verdict.reason
    assert words in told(evidence(state, Phase.BACKUP))["no-backup"]
    assert [str(o.phase) for o in state.outcomes[GUEST]] == ["check", "backup"]
    assert sh(lab, GUEST, "dpkg-query -W -f '${Version}' lab-api") == "1.0"
    assert sh(lab, KVM, OURS) == ""


def test_what_is_not_surely_this_guest_gets_no_snapshot(lab: Lab) -> None:
    guest = prepared(lab)
    facts = guest["facts"]["guest"]
    other = {**guest, "facts": {"guest": {**facts, "uuid": "0" * 8 + facts["uuid"][8:]}}}
    cards = {**guest, "facts": {"guest": {**facts, "cards": ["52:54:00:00:00:01"]}}}
    large = {"items": [{**ITEM, "size": 10**12}]}
    locked = {**guest, "status": "blocked"}
    for number, (said, more, words) in enumerate(
        (
            (other, {}, "virsh dumpxml: error: failed to get domain"),
            (cards, {}, "two machines may have the same UUID"),
            (guest, {"options": {"domain": "guest02"}}, f"is {GUEST}, not guest02"),
            (guest, {"options": {"kind": "xen"}}, "'xen' is no hypervisor that sop-run knows"),
            (guest, large, "/var/lib/libvirt/images has "),
            (locked, {}, "it said 'blocked'"),
        ),
        start=1,
    ):
        found = snapshot(lab, said, number, **more)
        assert found["status"] == "refused", found
        assert words in told(found)["no-snapshot"]
        assert "snapshot" not in found["facts"]
    assert sh(lab, KVM, OURS) == ""


def test_the_guest_goes_back_whole_and_only_once(lab: Lab, tmp_path: Path) -> None:
    sh(lab, KVM, f"virsh snapshot-create-as {GUEST} {ADMINISTRATORS}")
    boot = sh(lab, GUEST, "cat /proc/sys/kernel/random/boot_id")
    state = cycle(lab, tmp_path / "home", 12)
    assert state.verdicts[GUEST].verdict is Verdict.ROLLED_BACK, state.verdicts
    assert state.verdicts[KVM].verdict is Verdict.NOTHING_TO_DO
    backup, restore = evidence(state, Phase.BACKUP), evidence(state, Phase.RESTORE)
    taken = backup["facts"]["backup"]
    assert taken["method"] == "libvirt"
    assert "with memory" in " ".join(taken["proof"])
    assert evidence(state, Phase.UPDATE)["facts"]["packages_changed"]["lab-api"] == ["1.0", "2.0"]
    proof = " / ".join(restore["facts"]["restore"]["proof"])
    assert f"boot id {boot}, as at the snapshot" in proof
    assert "the receipt of the backup, written after the snapshot, is gone" in proof
    assert "its clock was set from" in proof
    assert [item["after"] for item in restore["items"]] == ["1.0", "1.0"]
    answers = "curl -sf localhost:8080; curl -sf localhost:8081"
    assert sh(lab, GUEST, answers) == "lab-web 1.0\nlab-api 1.0"
    assert sh(lab, GUEST, "dpkg --audit; dpkg -V lab-api lab-web") == ""
    assert abs(time.time() - float(sh(lab, GUEST, "date +%s"))) < 90
    # Asked again, the hypervisor has its receipt; what was written since stays.
    sh(lab, GUEST, "echo since >/root/since; sync")
    asked = {"backup": taken, "host": GUEST, "transaction": restore["transaction"]}
    again = ask(lab, KVM, "revert", {}, **asked)
    assert (again["status"], again["attached"]) == ("ok", True)
    assert sh(lab, GUEST, "cat /root/since") == "since"
    # The guest has no receipt of its update any more, and yet none can begin once more.
    said = ask(lab, KVM, "proof", {}, host=GUEST, backup=taken)
    assert "that ended its update" in told(said)["no-snapshot"]
    update = evidence(state, Phase.UPDATE)
    sh(lab, GUEST, f"test ! -e /var/lib/sop-run/transactions/{update['transaction']}")
    asked = {"backup": taken, "transaction": update["transaction"], "items": [ITEM]}
    found = ask(lab, GUEST, "update", {}, told=told_by(said), **asked)
    assert found["status"] == "refused"
    assert sh(lab, GUEST, "dpkg-query -W -f '${Version}' lab-api") == "1.0"


def test_a_snapshot_counts_only_while_the_packages_are_what_they_were(lab: Lab) -> None:
    """And it is made once, older ones of ours go, an administrator's stays."""
    before = sh(lab, KVM, OURS).split()
    assert len(before) == 1
    guest = prepared(lab)
    made = snapshot(lab, guest, 21, options={"keep": 1})
    assert made["status"] == "ok", told(made)
    name = made["facts"]["snapshot"]["name"]
    assert set(sh(lab, KVM, SNAPSHOTS).split()) == {name, ADMINISTRATORS}
    as_another = snapshot(lab, guest, 23, host="web01")
    assert f"was backed up as the host {GUEST} before" in told(as_another)["no-snapshot"]
    again = snapshot(lab, prepared(lab), 21, options={"keep": 1})
    assert again["attached"] and again["facts"] == made["facts"]
    asked: dict[str, Any] = {"items": [ITEM], "told": told_by(made), "transaction": f"{21:032x}"}
    wrong = ask(lab, GUEST, "backup", {"method": "libvirt"}, **{**asked, "transaction": "e" * 32})
    assert "is not of this backup" in told(wrong)["no-backup"]
    found = ask(lab, GUEST, "backup", {"method": "libvirt"}, **asked)
    assert found["status"] == "ok", told(found)
    sh(lab, GUEST, "apt-mark hold lab-web")
    try:
        said = ask(lab, KVM, "proof", {}, host=GUEST, backup=found["facts"]["backup"])
        assert said["status"] == "ok", told(said)
        asked = {**asked, "backup": found["facts"]["backup"], "told": told_by(said)}
        update = ask(lab, GUEST, "update", {}, **{**asked, "transaction": f"{22:032x}"})
        assert "packages were changed since the snapshot" in told(update)["no-backup"]
        sh(lab, KVM, f"virsh snapshot-delete {GUEST} {name}")
        gone = ask(lab, KVM, "proof", {}, host=GUEST, backup=found["facts"]["backup"])
        assert gone["status"] == "refused"
    finally:
        sh(lab, GUEST, "apt-mark unhold lab-web")


SLOW = """#!/bin/sh
/usr/bin/virsh "$@"
code=$?
case "$*" in *snapshot-revert*) echo once >>/root/reverts; sleep 60;; esac
exit $code
"""


def test_a_revert_that_is_cut_off_is_not_done_twice(lab: Lab) -> None:
    """Its worker is killed when libvirt has put the guest back, before it could say so."""
    guest = prepared(lab)
    made = snapshot(lab, guest, 31)
    assert made["status"] == "ok", told(made)
    facts = made["facts"]["snapshot"]
    taken = {"id": facts["name"], "method": "libvirt", "uuid": facts["uuid"]}
    taken["sha256"] = facts["sha256"]
    sh(lab, KVM, f"rm -f /root/reverts; echo '{SLOW}' >/usr/local/bin/virsh")
    sh(lab, KVM, "chmod 755 /usr/local/bin/virsh")
    try:
        for number, known in ((32, True), (33, False)):
            sh(lab, KVM, "rm -f /root/reverts")
            with ThreadPoolExecutor() as side:
                asked = {"backup": taken, "host": GUEST, "transaction": f"{number:032x}"}
                answer = side.submit(ask, lab, KVM, "revert", {}, **asked)
                wait_for(lab, KVM, "test -e /root/reverts", 120)
                holder = json.loads(sh(lab, KVM, "cat /var/lib/sop-run/lock"))
                sh(lab, KVM, f"kill -9 {holder['pid']}")
                found = answer.result()
            assert found["status"] == "ok", told(found)
            # Where libvirt does not tell the two times apart, nothing is claimed.
            assert found["facts"]["revert"]["known"] is known
            assert ("recovered" in told(found)) is not known
            assert sh(lab, KVM, "cat /root/reverts") == "once"
    finally:
        sh(lab, KVM, "rm -f /usr/local/bin/virsh")
    baseline = {"boot_id": facts["boot_id"], "packages": {"lab-api": "1.0"}}
    asked = {"backup": taken, "baseline": baseline, "items": [ITEM], "transaction": "f" * 32}
    restored = ask(lab, GUEST, "restore", {}, told=told_by(found), **asked)
    assert restored["status"] == "ok", told(restored)
    assert restored["items"][0]["result"] == "restored"
