"""Room for snapshots of LVM: what is asked for, what is short, what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hostside import lvmreport, lvmroom, roomwatch
from hostside.unusable import Unusable

GB = 1024**3
MB = 1024**2
ROW = {
    "vg_name": "sys", "lv_name": "root", "lv_attr": "owi-aos---", "lv_size": str(10 * GB),
    "origin": "", "pool_lv": "", "data_percent": "", "metadata_percent": "",
    "vg_free": str(GB), "lv_kernel_major": "253", "lv_kernel_minor": "0",
}  # fmt: skip
SNAPSHOT = {
    **ROW, "lv_name": "sop-run-" + "a" * 32, "lv_attr": "sri-a-s---", "lv_size": str(1000 * MB),
    "origin": "root", "data_percent": "0.01", "lv_kernel_minor": "2",
}  # fmt: skip


def volume(row: dict[str, str], **changed: str) -> Any:
    return lvmreport.Volume({**row, **changed})


def items(size: int) -> dict[str, Any]:
    return {"items": [{"size": size}]}


def test_a_thick_snapshot_has_a_fifth_or_what_the_update_needs_and_never_more_than_all() -> None:
    assert lvmroom.reserved(volume(ROW), items(MB)) == 2049 * MB
    assert lvmroom.reserved(volume(ROW), items(400 * MB)) == (8 * 400 + 512 + 1) * MB
    small = volume(ROW, lv_size=str(GB))
    assert lvmroom.reserved(small, items(400 * MB)) < 1.1 * GB


@pytest.mark.parametrize(
    ("percent", "free", "short", "urgent"),
    [
        ("40.0", 0, False, False),
        ("60.0", 0, True, False),
        ("60.0", 2 * GB, False, False),
        ("90.0", 0, True, True),
    ],
)
def test_a_thick_snapshot_is_short_when_what_was_written_could_not_be_put_back(
    percent: str, free: int, short: bool, urgent: bool
) -> None:
    words, hurry = lvmroom.short(volume(SNAPSHOT, data_percent=percent, vg_free=str(free)))
    assert (bool(words), hurry) == (short, urgent)


def test_an_overflowed_or_suspended_snapshot_counts_as_full() -> None:
    for letter in "IS":
        lost = volume(SNAPSHOT, lv_attr=f"swi-{letter}-s---", data_percent="100.00")
        assert lvmroom.used(lost) == 100
    with pytest.raises(Unusable, match="full to 96 %"):
        lvmroom.healthy(*[volume(SNAPSHOT, data_percent="96.0")] * 2)


def test_an_inactive_volume_has_no_device_and_nonsense_is_no_report() -> None:
    off = volume(ROW, lv_kernel_major="-1", lv_kernel_minor="-1", lv_attr="-wi-------")
    assert off.device is None and off.state == "-"
    for text in ("", "[]", '{"report": [{"lv": [{}]}]}', "lvs: command failed"):
        with pytest.raises(Unusable):
            lvmreport.parse(text)


def test_a_look_that_takes_long_is_taken_seldom() -> None:
    looks = iter([("", False), ("full", True)])
    seldom = roomwatch.Seldom(lambda: next(looks), seconds=0.05)
    found = [seldom() for _ in range(3)]
    assert found == [("", False)] * 3
    time.sleep(0.06)
    assert [seldom(), seldom()] == [("full", True)] * 2, "it stands until the next look"
