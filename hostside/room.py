"""Whether file systems have room for the pending update and for daily work (SOP step 2)."""

from hostside import preflight

MB = 1024 * 1024
LOW_SHARE = 0.05
PLENTY = 5 * 1024 * MB
FEW_INODES = 5000
RESERVE_MB = 200


def low(disk):
    """What is short on one file system of `facts.disk`, as sentences."""
    found = []
    if disk["free"] < min(disk["total"] * LOW_SHARE, PLENTY):
        found.append("%s has %d MB free of %d MB" % (
            disk["mount"], disk["free"] // MB, disk["total"] // MB))
    if disk["free_inodes"] is not None and disk["free_inodes"] < FEW_INODES:
        found.append("%s has %d free inodes" % (disk["mount"], disk["free_inodes"]))
    return found


def short(disks, items, reserve_mb=RESERVE_MB):
    """All that is short: little room by itself, or less than the pending items will need."""
    found = [sentence for disk in disks for sentence in low(disk)]
    reason = preflight.space(items, reserve_mb)
    if reason:
        found.append(reason[1])
    return found
