"""Phase `prepare` (SOP step 6): what a guest is, right before its hypervisor's snapshot.

It changes nothing but what waits to be written to the guest's disks. What it tells goes to the
hypervisor, which finds the guest by it, and comes back to the guest with the snapshot, which
holds its package database unchanged only if that is still the same then.
"""

import os
import re

from hostside import hostinfo, packagelock, systemtree
from hostside.unusable import Unusable

PRODUCT_UUID = "/sys/class/dmi/id/product_uuid"
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
CARDS = "/sys/class/net"
LOCK_SECONDS = 120
NO_CARD = "00:00:00:00:00:00"


def run(request, answer):
    """`facts.guest`: identity, boot, and the package database's checksum, all taken under lock."""
    try:
        with packagelock.dpkg_held(float(request["options"].get("lock_seconds", LOCK_SECONDS))):
            answer.facts["guest"] = {
                "uuid": uuid(), "cards": cards(), "boot_id": hostinfo.boot_id(),
                "sha256": systemtree.database_digest("/"),
            }
            os.sync()
    except TimeoutError as error:
        answer.stop("blocked", "package-lock", str(error), "Wait for that process to end.")
    except (Unusable, OSError) as error:
        answer.stop("refused", "no-backup", str(error), "See backup_method.")


def uuid():
    """The machine's UUID, as its hypervisor gave it; Unusable where it has none."""
    found = hostinfo.read(PRODUCT_UUID, 100).strip().lower()
    if not UUID.match(found):
        raise Unusable("the firmware tells no UUID (%s): is this host a guest?" % PRODUCT_UUID)
    return found


def cards():
    """Addresses of the network cards."""
    found = set()
    for name in os.listdir(CARDS):
        found.add(hostinfo.read(os.path.join(CARDS, name, "address"), 100).strip().lower())
    return sorted(found - {"", NO_CARD})
