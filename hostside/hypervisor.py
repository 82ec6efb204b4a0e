"""Backup back ends `libvirt` and its like, seen from the guest (SOP steps 6 to 8).

The snapshot is its hypervisor's (hostside/snapshot.py, proof.py, revert.py). What the hypervisor
told comes with the request as `told`, and nothing is believed that does not fit this guest.
"""

import time

from hostside import hostinfo, naming, prepare, state, systemtree, told, untested
from hostside.answer import utc
from hostside.unusable import Unusable

CLOCK_SECONDS = 2.0


class Hypervisor:
    """A snapshot of this guest that its hypervisor keeps."""

    stands_still = False

    def __init__(self, kind):
        self.kind = kind

    def reason_against(self, request):
        """Why the hypervisor has no snapshot for us; "" when it says that it has."""
        reason = untested.reason_against(self.kind, request.get("options", {}))
        if reason:
            return reason
        try:
            told.facts(request, "snapshot", "snapshot")
        except Unusable as error:
            return str(error)
        return ""

    def take(self, identity, request):
        """Accept the snapshot that the hypervisor proved, if it is of this guest as it is now."""
        found = told.facts(request, "snapshot", "snapshot")
        if found.get("name") != identity or found.get("kind") != self.kind:
            raise Unusable("the hypervisor's snapshot is not of this backup")
        own(found)
        if found.get("boot_id") != hostinfo.boot_id():
            raise Unusable("this guest was restarted while its snapshot was made")
        unchanged(found.get("sha256"))
        return {
            "location": "%s guest %s on %s" % (self.kind, found["domain"], found.get("on")),
            "size_bytes": 0,
            "sha256": found["sha256"], "uuid": found["uuid"],
            "proof": [*self.untested(), *found.get("proof", []),
                      "the package database has SHA-256 %s, as right before the snapshot"
                      % found["sha256"]],
        }

    def untested(self):
        """The sentence that stands first in every record of a back end that was never tried."""
        return [words for words in (untested.words(self.kind),) if words]

    def prove(self, identity, taken):
        """Before the update: the hypervisor has proved it again, and no package has changed."""
        found = told.facts(taken, "proof", "snapshot")
        if found.get("name") != identity:
            raise Unusable("the hypervisor proved another snapshot")
        own(found)
        unchanged(taken["sha256"])
        return found.get("proof", [])

    def restore(self, _identity, _taken, _record):
        """Only the hypervisor can: `after_revert` comes instead."""
        raise Unusable("only its hypervisor can put this guest back")

    def touched(self, _identity):
        """Nothing must be restarted: what ran at the snapshot runs on."""
        return []

    def short(self, _identity):
        """The room is the hypervisor's, and was looked at there before."""
        return "", False

    def delete(self, _identity):
        """The hypervisor keeps its own count (`backup_keep`)."""


BACKENDS = {kind: Hypervisor(kind) for kind in ("libvirt", "proxmox", "vmware")}


def own(found):
    """Raises Unusable unless what the hypervisor told is of this guest."""
    if found.get("uuid") != prepare.uuid():
        raise Unusable("the hypervisor's snapshot is another guest's")


def unchanged(checksum):
    """Raises Unusable unless the package database is what it was right before the snapshot."""
    if systemtree.database_digest("/") != checksum:
        raise Unusable("packages were changed since the snapshot was begun")


def after_revert(request, answer):
    """What a restore is for a guest: see that it went back, and set its clock.

    Proof is the guest's own disk, which has forgotten what was written after the snapshot, and
    its boot: memory went back, too. Returns proof sentences; raises Unusable or Damaged.
    """
    if request["phase"] != "restore":
        raise Unusable("only its hypervisor can put this guest back")
    taken = request["backup"]
    found = told.facts(request, "revert", "revert")
    if found.get("name") != taken["id"]:
        raise Unusable("the hypervisor put another snapshot back")
    own(found)
    receipt = state.load(naming.checked(taken["id"])[len("sop-run-"):], "receipt")
    if receipt is not None and receipt.get("status") == "ok":
        raise Unusable("this guest was not put back: it still has what was written later")
    proof = [*BACKENDS[taken["method"]].untested(), *found.get("proof", []),
             "its hypervisor put this guest back at %s" % found["at"],
             "the receipt of the backup, written after the snapshot, is gone"]
    before = (request.get("baseline") or {}).get("boot_id")
    if before == hostinfo.boot_id():
        proof.append("boot id %s, as at the snapshot: its memory went back, too" % before)
    elif not found.get("known"):
        raise Unusable("whether this guest was put back is not known: it was started anew since")
    unchanged(taken["sha256"])
    proof.append("its package database has SHA-256 %s, as recorded" % taken["sha256"])
    proof += set_clock(request, answer)
    return proof


def set_clock(request, answer):
    """Put the clock right, which went back with the memory; returns a sentence when it was."""
    wanted, now = request.get("clock"), time.time()
    if not isinstance(wanted, (int, float)):
        return []
    wanted += max(0.0, time.monotonic() - request.get("arrived", time.monotonic()))
    if wanted - now < CLOCK_SECONDS:
        return []
    try:
        time.clock_settime(time.CLOCK_REALTIME, float(wanted))
    except OSError as error:
        answer.problem("clock-not-set", "the clock is %d s behind: %s" % (wanted - now, error),
                       "Set it by hand.")
        return []
    return ["its clock was set from %s to %s" % (utc(now), utc(wanted))]
