"""What LVM says about its logical volumes, as `lvs` reports it; sizes in bytes."""

import json
import os

from hostside import naming
from hostside.command import run, which
from hostside.unusable import Unusable

SECONDS = 120
FIELDS = (
    "vg_name", "lv_name", "lv_attr", "lv_size", "origin", "pool_lv", "data_percent",
    "metadata_percent", "vg_free", "lv_kernel_major", "lv_kernel_minor",
)
TOOLS = ("lvs", "lvcreate", "lvchange", "lvextend", "lvremove")


class Volume:
    """One logical volume: `group`, `name`, `attributes` (lv_attr, see lvs(8)), `size`, `origin`,
    `pool`, `data` and `metadata` (percent used, None where it has none), `free` (of its group),
    `device` (number, None when it is not active).
    """

    def __init__(self, row):
        self.group = row["vg_name"]
        self.name = row["lv_name"]
        self.attributes = row["lv_attr"].ljust(10, "-")
        self.size = int(row["lv_size"])
        self.origin = row["origin"]
        self.pool = row["pool_lv"]
        self.data = percent(row["data_percent"])
        self.metadata = percent(row["metadata_percent"])
        self.free = int(row["vg_free"])
        major, minor = int(row["lv_kernel_major"]), int(row["lv_kernel_minor"])
        self.device = os.makedev(major, minor) if major >= 0 and minor >= 0 else None

    @property
    def path(self):
        """GROUP/NAME, as LVM's commands take it."""
        return "%s/%s" % (self.group, self.name)

    @property
    def thin(self):
        """Whether it lies in a thin pool."""
        return bool(self.pool)

    @property
    def read_only(self):
        """Whether it cannot be written to."""
        return self.attributes[1] in "rR"

    @property
    def state(self):
        """The letter of its state: `a` active, `I` invalid snapshot, `-` inactive, …"""
        return self.attributes[4]

    @property
    def health(self):
        """The letter of what is wrong with it, `-` for nothing."""
        return self.attributes[8]


def percent(text):
    """A share in percent, None where LVM reports none."""
    return float(text) if text else None


def parse(text):
    """The volumes of lvs' JSON report. Raises Unusable when it is none."""
    try:
        return [Volume(row) for part in json.loads(text)["report"] for row in part["lv"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable("lvs reports nothing that can be read: %s" % error) from None


def volumes():
    """All logical volumes. Raises Unusable when lvs fails."""
    words = ["lvs", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", ",".join(FIELDS)]
    result = run(words, timeout=SECONDS)
    if not result.ok:
        raise Unusable("lvs: %s" % result.tail(3))
    return parse(result.out)


def root_among(found):
    """That of these volumes which is mounted at /, None when / is on none."""
    device = os.stat("/").st_dev
    return next((one for one in found if one.device == device), None)


def root_volume():
    """The logical volume that is mounted at /, None when / is on none."""
    return root_among(volumes())


def find(identity):
    """The snapshot's volume, None when there is none. Raises Unusable for another's volume.

    It belongs to us when it bears our name and its origin is the volume of /.
    """
    name, reported = naming.checked(identity), volumes()
    root = root_among(reported)
    if root is None:
        raise Unusable("/ is not on a logical volume")
    for one in reported:
        if (one.group, one.name) == (root.group, name):
            if one.origin != root.name or one.name == root.name:
                raise Unusable("%s is no snapshot of %s, on which / is" % (one.path, root.path))
            return one
    return None


def pool_of(volume):
    """The thin pool in which a volume lies. Raises Unusable when LVM does not report it."""
    for one in volumes():
        if (one.group, one.name) == (volume.group, volume.pool):
            return one
    raise Unusable("lvs does not report the pool %s/%s" % (volume.group, volume.pool))


def missing_tool():
    """The first of LVM's programs that is not installed; "" when all are."""
    return next((tool for tool in TOOLS if not which(tool)), "")


def change(*words):
    """Run one of LVM's changing commands without questions; raises Unusable when it fails."""
    result = run([words[0], "--yes", "--quiet", *words[1:]], timeout=SECONDS)
    if not result.ok:
        raise Unusable("%s: %s" % (" ".join(words), result.tail(3)))
