"""Proxmox VE's guests, found and snapshotted by `qm` and `pvesh` on their node (SOP 6 and 8).

UNTESTED on a real Proxmox VE, see hostside/untested.py. Only snapshots with memory are made: by
them a guest is started anew after its rollback, where it stood. Nothing counts but what Proxmox VE
lists afterwards: the snapshot as the guest's current one, whole, with memory and every disk.
"""

import os
import re

from hostside import guestmatch, hostinfo, lvmroom, pveguest
from hostside.outcome import one_line
from hostside.pveguest import Guest, called, meant, truth
from hostside.unusable import Unusable
from hostside.vendor import Program, part, unknown

FOLDER = "/etc/pve"  # the cluster's own file system: what any node writes there, all nodes see
FILE = re.compile(r"^([1-9][0-9]{2,8})\.conf\Z")
MB = 1024 * 1024
ADVICE = "only a node of Proxmox VE has it"


class Proxmox:
    """Guests of Proxmox VE on this node; never containers, never those of another node."""

    tells_of_revert = False

    def __init__(self):
        self.qm = Program("qm", ADVICE)
        self.pvesh = Program("pvesh", ADVICE)

    def find(self, guest, name=""):
        """The guest that is `{uuid, cards}`, running here; Unusable when there is no doubt-free
        one. `name` is what the office expects it to be called, where it does."""
        self.qm.let_end()
        node, there = local_node(), candidates(guest["uuid"])
        if not there:
            raise Unusable("Proxmox VE knows no virtual machine with the UUID %s (of containers "
                           "there are no backups)" % guest["uuid"])
        if len(there) > 1:
            raise Unusable("several guests have the UUID %s: %s" % (
                guest["uuid"], ", ".join("%s on %s" % one[::-1] for one in there)))
        (where, number), = there
        if where != node:
            raise Unusable("the guest is %s on the node %s, not on this one, %s" % (
                number, one_line(where), node))
        found = self.read(node, number)
        if found.uuid != guest["uuid"]:
            raise Unusable("Proxmox VE answered about another guest than %s" % number)
        guestmatch.require(found, guest, name)
        if found.lock:
            raise Unusable("%s is locked (%s): something else is done with it" % (
                one_line(found.name), one_line(found.lock)))
        guestmatch.require_running(found, self.state(found))
        return found

    def ask(self, *path, **arguments):
        """What the API answers to a GET below /nodes/NODE."""
        words = [word for key, value in sorted(arguments.items()) for word in ("--" + key, value)]
        return self.pvesh.answered("get", "/".join(("/nodes", *path)), *words,
                                   "--output-format", "json")

    def read(self, node, number, **which):
        """The guest's configuration: without pending changes, or that of a `snapshot`."""
        which = which or {"current": "1"}
        return Guest(self.ask(node, "qemu", number, "config", **which), number, node)

    def state(self, guest):
        """(state, reason) of a guest; Proxmox VE tells no reason."""
        found = self.ask(guest.node, "qemu", guest.number, "status", "current")
        words = part(found, str, "status"), part(found, str, "qmpstatus")
        return ("running" if words == ("running", "running") else one_line("/".join(words)), "")

    def listed(self, guest):
        """{name: entry} of the guest's snapshots, `current` among them: the guest as it is."""
        answer = self.ask(guest.node, "qemu", guest.number, "snapshot")
        found = {part(one, str, "name"): one for one in part([answer], list, 0)}
        if "current" not in found:
            raise unknown(["current"])
        return found

    def names(self, guest):
        """Names of the guest's snapshots."""
        return [meant(name) for name in self.listed(guest) if name != "current"]

    def lacking(self, guest, request):
        """Why no snapshot can be made of the guest; "" when one can."""
        if guest.reasons or not guest.disks:
            return one_line("; ".join(guest.reasons) or "it has no disk")
        status = self.ask(guest.node, "qemu", guest.number, "status", "current")
        if truth(part(status, (int, str), "ha", "managed")):
            return "it is managed by HA, which may start it elsewhere while it is put back"
        able = self.ask(guest.node, "qemu", guest.number, "feature", feature="snapshot")
        if not truth(part(able, (int, str), "hasFeature")):
            return "Proxmox VE says that a storage of its disks cannot make snapshots"
        jobs = self.pvesh.answered("get", "/cluster/replication", "--output-format", "json")
        for job in part([jobs], list, 0):
            if str(part(job, (int, str), "guest")) == guest.number:
                return "it is replicated, and then Proxmox VE may refuse to put it back"
        return self.short_of_room(guest, lvmroom.room(request) + guest.state_size())

    def short_of_room(self, guest, need):
        """Which of the guest's storages has no room for the snapshot; "" when all have."""
        for storage in guest.storages():
            found = self.ask(guest.node, "storage", storage, "status")
            if not truth(part(found, (int, str), "active")):
                return "the storage %s is not active" % one_line(storage)
            free = part(found, int, "avail")
            if free < need:
                return "the storage %s has %d MB free, and the snapshot needs %d MB" % (
                    one_line(storage), free // MB, need // MB)
        return ""

    def make(self, guest, name, seconds):
        """Make the snapshot, with memory; qm ends when the task has."""
        self.qm.said("snapshot", guest.number, called(name), "--vmstate", "1",
                     "--description", "made by sop-run before an update", seconds=seconds)

    def proof(self, guest, name):
        """Sentences that prove the snapshot: Proxmox VE's own list of it, its memory and disks."""
        there, wanted = self.listed(guest), called(name)
        made = there.get(wanted)
        if made is None:
            raise Unusable("Proxmox VE does not list the snapshot %s" % wanted)
        if made.get("snapstate"):
            raise Unusable("the snapshot %s is not whole (%s)" % (
                wanted, one_line(made["snapstate"])))
        if there["current"].get("parent") != wanted:
            raise Unusable("the snapshot %s is not the one that the guest goes on from: another "
                           "was made or put back since" % wanted)
        held = self.read(guest.node, guest.number, snapshot=wanted)
        now = self.read(guest.node, guest.number)
        if not truth(made.get("vmstate")) or not held.state:
            raise Unusable("the snapshot %s does not hold the running guest's memory" % wanted)
        if held.uuid != guest.uuid or not held.cards & now.cards:
            raise Unusable("the snapshot %s is another guest's" % wanted)
        if now.reasons or not held.disks or held.disks != now.disks:
            raise Unusable("the snapshot %s does not hold every disk of the guest" % wanted)
        return ["Proxmox VE lists the snapshot %s of the guest %s as its current one" % (
                    wanted, guest.number),
                "it holds the guest's memory: %s" % one_line(held.state),
                "it holds every disk: %s" % one_line(", ".join(sorted(held.disks)))]

    def revert(self, guest, name, seconds):
        """Put the guest back; with the snapshot's memory Proxmox VE starts it, too.

        No `--start`: it is needed only without memory, and older releases do not know it.
        """
        self.qm.said("rollback", guest.number, called(name), seconds=seconds)
        now = self.read(guest.node, guest.number)
        if now.parent != called(name) or now.lock:
            raise Unusable("Proxmox VE does not say that the guest went back to %s" % called(name))

    def delete(self, guest, name, seconds):
        """Delete a snapshot by its exact name; those after it stay."""
        self.qm.said("delsnapshot", guest.number, called(name), seconds=seconds)


def local_node():
    """This node's name in its cluster; Unusable when this is none."""
    try:
        found = os.path.basename(os.readlink(os.path.join(FOLDER, "local")))
    except OSError:
        raise Unusable("this host is no running node of Proxmox VE: it has no %s/local"
                       % FOLDER) from None
    if not re.match(r"^[A-Za-z0-9][A-Za-z0-9.-]*\Z", found):
        raise Unusable("the node's name is not one that sop-run knows: %s" % one_line(found))
    return found


def candidates(uuid):
    """[(node, number)] of the virtual machines of the whole cluster with this UUID."""
    found = []
    for node in sorted(os.listdir(os.path.join(FOLDER, "nodes"))):
        folder = os.path.join(FOLDER, "nodes", node, "qemu-server")
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            match = FILE.match(entry)
            text = hostinfo.read(os.path.join(folder, entry)) if match else ""
            if match and pveguest.uuid_in(text) == uuid:
                found.append((node, match.group(1)))
    return found
