"""Snapshots of LVM as backups, thick and thin, on emulated machines with / on a volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.demo import whole_cycle
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.cycle import CycleId
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.progress import Silent
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs
from tests.lab.month import set_rules

pytestmark = [pytest.mark.lab, pytest.mark.emulated]

THICK, THIN = "lvm01", "thinlv01"
ITEM = {
    "class": "security", "name": "lab-api", "arch": "all", "from": "1.0", "to": "2.0",
    "source": "Lab:lab-security", "size": 1000, "sha256": "",
}  # fmt: skip
MOVE_BOOT = """set -e
lvcreate -qq -y -Wn -L 96m -n boot sys
mkfs.ext4 -q /dev/sys/boot
mount /dev/sys/boot /mnt
cp -a /boot/. /mnt/
umount /mnt
mount /dev/sys/boot /boot
"""
BOOT_FILES = (
    "cd /boot && find . ! -type d -printf '%p %m %U:%G %TY-%Tm-%Td %TT %s\\n' | sort; md5sum *-*"
)
HOG_FILE = "/etc/apt/apt.conf.d/99hog"
HOG = """DPkg::Pre-Invoke {
 "dd if=/dev/zero of=/root/much bs=4M count=112 oflag=direct status=none; sleep 60";
};"""
OURS = "lvs --noheadings -o lv_name -S 'lv_name=~^sop-run-' sys"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    specs = [HostSpec(THICK, "vm", "lvm"), HostSpec(THIN, "vm", "lvm-thin")]
    made = Lab.up(tmp_path_factory.mktemp("vm") / "lab", specs, print)
    try:
        set_rules(made, canary=2)  # both at once
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def backup(lab: Lab, host: str, number: int, **options: Any) -> dict[str, Any]:
    """A backup of lab-api under a transaction of its own."""
    return ask(lab, host, "backup", options, transaction=f"{number:032x}", items=[ITEM])


def test_both_kinds_of_volume_go_back(lab: Lab, tmp_path: Path) -> None:
    shown = whole_cycle(lab, tmp_path / "home", CycleId(2026, 11), Silent(), print)
    state = shown.standing.state
    verdicts = {host: v.verdict for host, v in state.verdicts.items()}
    assert verdicts == dict.fromkeys((THICK, THIN), Verdict.ROLLED_BACK), state.verdicts
    assert shown.audit.ok
    for host, kind in ((THICK, "ext4"), (THIN, "xfs")):
        found = {}
        for phase in (Phase.UPDATE, Phase.RESTORE):
            outcome = state.last(host, phase)
            evidence = outcome.read() if outcome else None
            assert evidence is not None, (host, phase)
            found[phase] = evidence.facts
        assert found[Phase.UPDATE]["rebooted"] is (host == THIN)
        assert found[Phase.RESTORE]["restore"]["method"] == "lvm"
        proof = " / ".join(found[Phase.RESTORE]["restore"]["proof"])
        assert "is a read-only LVM snapshot of root" in proof and "as recorded" in proof
        assert sh(lab, host, "stat -f -c %T /").startswith(kind[:3])
        answers = "curl -sf localhost:8080; curl -sf localhost:8081"
        assert sh(lab, host, answers) == "lab-web 1.0\nlab-api 1.0"
        assert sh(lab, host, "dpkg --audit; dpkg -V lab-api lab-web") == ""
        assert sh(lab, host, "grep sop-run /proc/mounts || true") == ""
    assert sh(lab, THIN, "lvs --noheadings -o lv_active -S 'lv_name=~^sop-run-' sys") == ""


def test_no_room_no_snapshot(lab: Lab) -> None:
    """Fault 19: an office that wants LVM gets a refusal, one that leaves it open another way."""
    sh(lab, THICK, "lvcreate -qq -y -Wn -l 95%FREE -n other sys")
    found = backup(lab, THICK, 1, method="lvm")
    assert found["status"] == "refused"
    assert "MB free, and the snapshot needs 513 MB" in told(found)["no-backup"]
    found = backup(lab, THICK, 2)
    assert found["facts"]["backup"]["method"] == "packages", told(found)
    sh(lab, THICK, "lvremove -qq -y sys/other; mount -t tmpfs tmpfs /boot")
    found = backup(lab, THICK, 3, method="lvm")
    sh(lab, THICK, "umount /boot")
    assert "/boot is a file system of its own (tmpfs)" in told(found)["no-backup"]
    sh(lab, THIN, "lvcreate -qq -y -V 500m --thin -n other sys/pool")
    sh(lab, THIN, "dd if=/dev/zero of=/dev/sys/other bs=4M count=100 conv=fsync status=none")
    found = backup(lab, THIN, 1, method="lvm")
    assert "the pool sys/pool" in told(found)["no-backup"], told(found)
    sh(lab, THIN, "lvremove -qq -y sys/other")


def test_a_boot_of_its_own_goes_back_with_the_snapshot(lab: Lab) -> None:
    """Also when an attempt that was killed left the snapshot mounted."""
    sh(lab, THIN, MOVE_BOOT)
    taken = backup(lab, THIN, 2)["facts"]["backup"]
    assert taken["method"] == "lvm" and "/boot is copied to" in " ".join(taken["proof"])
    before = sh(lab, THIN, BOOT_FILES)
    sh(
        lab,
        THIN,
        "cd /boot; rm config-*; echo broken >System.map; touch new; mkdir -p extra/deep;"
        "chmod 600 vmlinuz-*; echo 2.0 >/usr/bin/lab-api;"
        f"lvchange -qq -ay -K {taken['location']}; mkdir -p /run/sop-run/{taken['id']};"
        f"mount -o ro,norecovery,nouuid {taken['location']} /run/sop-run/{taken['id']}",
    )
    asked = {"items": [ITEM], "backup": taken}
    found = ask(lab, THIN, "restore", {}, transaction="3" * 32, **asked)
    assert found["status"] == "ok", told(found)
    assert "/boot included" in " ".join(found["facts"]["restore"]["proof"])
    assert sh(lab, THIN, BOOT_FILES) == before
    assert sh(lab, THIN, "dpkg -V lab-api; grep sop-run /proc/mounts || true") == ""
    sh(lab, THIN, "umount /boot")
    found = ask(lab, THIN, "restore", {}, transaction="4" * 32, **asked)
    assert "/boot is not mounted as it was" in told(found)["no-backup"]


def test_a_snapshot_that_runs_full_is_noticed_before_it_is_relied_on(lab: Lab) -> None:
    """Fault 20: an update that fills it is ended and put back; one that is lost is no backup."""
    taken = backup(lab, THICK, 4, method="lvm")["facts"]["backup"]
    sh(lab, THICK, "lvcreate -qq -y -s -L 8m -n sop-run-administrator sys/root")
    sh(lab, THICK, f"lvcreate -qq -y -Wn -l 95%FREE -n other sys; echo '{HOG}' >{HOG_FILE}")
    asked = {"items": [ITEM], "backup": taken}
    found = ask(lab, THICK, "update", {}, transaction=f"{5:032x}", **asked)
    assert found["status"] == "failed"
    assert "and more could not be put back" in told(found)["disk-filling"], told(found)
    sh(lab, THICK, f"rm {HOG_FILE}")
    found = ask(lab, THICK, "restore", {}, transaction=f"{6:032x}", **asked)
    assert found["status"] == "ok", told(found)
    sh(lab, THICK, "dd if=/dev/zero of=/root/more bs=4M count=40 oflag=direct status=none")
    assert "I" in sh(lab, THICK, f"lvs --noheadings -o lv_attr {taken['location']}")
    for phase, number in (("update", 7), ("restore", 8)):
        found = ask(lab, THICK, phase, {}, transaction=f"{number:032x}", **asked)
        assert found["status"] == "refused"
        assert "no valid snapshot any more" in told(found)["no-backup"]
    assert sh(lab, THICK, "dpkg-query -W -f '${Version}' lab-api") == "1.0"
    sh(lab, THICK, "rm /root/much /root/more; dpkg --audit")
    # There is no room but that of the lost one; nobody else's snapshot is touched.
    again = backup(lab, THICK, 9, method="lvm", keep=1)
    assert again["status"] == "ok" and "sweep-failed" not in told(again), told(again)
    left = set(sh(lab, THICK, OURS).split())
    assert left == {"sop-run-administrator", again["facts"]["backup"]["id"]}
