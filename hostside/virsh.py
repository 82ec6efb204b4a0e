"""libvirt's guests, found and snapshotted by its own client on the hypervisor (SOP steps 6 and 8).

Only internal snapshots with memory are made, in qcow2 files: libvirt before 9.10 cannot revert any
other kind of a running guest. A guest is found by its UUID, never by a name alone.
"""

import json
import os
from xml.etree import ElementTree

from hostside import guestmatch, leftovers, lvmroom
from hostside.command import ENVIRONMENT, run, which
from hostside.outcome import one_line
from hostside.unusable import Unusable

TOOLS = {"virsh": "libvirt-clients", "qemu-img": "qemu-utils"}
URI = "qemu:///system"
SECONDS = 60
MB = 1024 * 1024
EMPTY = ("cdrom", "floppy")  # removable media hold no state of the guest's
UNITS = {"b": 1, "bytes": 1, "kib": 1024, "k": 1024, "mib": MB, "m": MB, "gib": 1024 * MB}


class Disk:
    """A disk of a guest that a snapshot must hold."""

    def __init__(self, target, path):
        self.target = target
        self.path = path


class Guest:
    """A guest as libvirt describes it."""

    def __init__(self, text):
        tree = parsed(text)
        self.uuid = (tree.findtext("uuid") or "").strip().lower()
        self.name = (tree.findtext("name") or "").strip()
        self.cards = {
            (mac.get("address") or "").lower() for mac in tree.findall("devices/interface/mac")}
        self.memory = size_of(tree.find("memory"))
        self.disks, self.reasons = [], []
        for disk in tree.findall("devices/disk"):
            self.add(disk)

    def add(self, disk):
        """Take a disk in, or the reason why no snapshot of libvirt can hold it."""
        driver, source, target = (disk.find(part) for part in ("driver", "source", "target"))
        name = "?" if target is None else target.get("dev", "?")
        if disk.get("device", "disk") in EMPTY or disk.find("readonly") is not None:
            return
        kind = "" if driver is None else driver.get("type", "")
        path = "" if source is None else source.get("file") or ""
        if disk.get("type") != "file" or kind != "qcow2" or not path:
            self.reasons.append("its disk %s is no qcow2 file (%s, %s)" % (
                name, disk.get("type"), kind or "no format"))
        elif disk.find("shareable") is not None or disk.find("transient") is not None:
            self.reasons.append("its disk %s is shared or transient" % name)
        else:
            self.disks.append(Disk(name, path))


class Snapshot:
    """A snapshot as libvirt describes it."""

    def __init__(self, text):
        tree = parsed(text)
        memory = tree.find("memory")
        self.name = tree.findtext("name") or ""
        self.state = tree.findtext("state") or ""
        self.uuid = (tree.findtext("domain/uuid") or "").strip().lower()
        self.memory = "" if memory is None else memory.get("snapshot", "")
        self.disks = {
            disk.get("name", "") for disk in tree.findall("disks/disk")
            if disk.get("snapshot") == "internal"}


def parsed(text):
    """XML of libvirt's as a tree; raises Unusable for anything else."""
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise Unusable("libvirt's answer is no XML: %s" % error) from None


def size_of(element):
    """Bytes in an element of libvirt's with a unit (KiB where it has none); 0 without one."""
    if element is None or not (element.text or "").strip().isdigit():
        return 0
    return int(element.text) * UNITS.get(element.get("unit", "KiB").lower(), 1024)


def virsh(*words, **more):
    """How virsh ended; what a killed attempt left of it is waited for before."""
    seconds = more.get("seconds", SECONDS)
    leftovers.let_end(ENVIRONMENT.get(leftovers.MARKER, ""), "virsh", seconds)
    return run(["virsh", "--connect", URI, "--quiet", *words], timeout=seconds)


def said(*words, **more):
    """What virsh printed; raises Unusable, in its own words, when it failed."""
    result = virsh(*words, **more)
    if result.code is None:
        raise Unusable("virsh %s took longer than %d s" % (words[0], more.get("seconds", SECONDS)))
    if not result.ok:
        raise Unusable("virsh %s: %s" % (words[0], one_line(result.tail(3))))
    return result.out


class Libvirt:
    """Guests of libvirt's system instance on this host."""

    tells_of_revert = True

    def find(self, guest, name=""):
        """The guest that is `{uuid, cards}`, running here; Unusable when there is no doubt-free
        one. `name` is what the office expects it to be called, where it does."""
        for tool, package in TOOLS.items():
            if not which(tool):
                raise Unusable("%s is not on the hypervisor: install %s" % (tool, package))
        found = Guest(said("dumpxml", "--domain", guest["uuid"]))
        if found.uuid != guest["uuid"]:
            raise Unusable("libvirt knows no guest with the UUID %s" % guest["uuid"])
        guestmatch.require(found, guest, name)
        guestmatch.require_running(found, self.state(found))
        return found

    def state(self, guest):
        """(state, reason) of a guest, as `("running", "from snapshot")`."""
        return state_of(said("domstate", "--domain", guest.uuid, "--reason"))

    def names(self, guest):
        """Names of the guest's snapshots."""
        return said("snapshot-list", "--domain", guest.uuid, "--name").split()

    def lacking(self, guest, request):
        """Why no snapshot can be made of the guest; "" when one can."""
        if guest.reasons or not guest.disks:
            return "; ".join(guest.reasons) or "it has no disk"
        need = guest.memory + lvmroom.room(request)
        for disk in guest.disks:
            room = os.statvfs(disk.path)
            free = room.f_bavail * room.f_frsize
            if free < need:
                return "%s has %d MB free, and the snapshot needs %d MB" % (
                    os.path.dirname(disk.path), free // MB, need // MB)
        return ""

    def make(self, guest, name, seconds):
        """Make the snapshot; the guest stands still while its memory is written."""
        said("snapshot-create-as", "--domain", guest.uuid, "--name", name,
             "--description", "made by sop-run before an update", seconds=seconds)

    def proof(self, guest, name):
        """Sentences that prove the snapshot: libvirt's record, and each disk's own list."""
        made = Snapshot(said("snapshot-dumpxml", "--domain", guest.uuid, "--snapshotname", name))
        if (made.uuid, made.name) != (guest.uuid, name):
            raise Unusable("the snapshot %s is another guest's" % name)
        if made.state != "running" or made.memory != "internal":
            raise Unusable("the snapshot %s does not hold the running guest's memory" % name)
        for disk in guest.disks:
            if disk.target not in made.disks or name not in listed(disk.path):
                raise Unusable("the snapshot %s does not hold the disk %s" % (name, disk.target))
        return ["libvirt lists the snapshot %s of the guest %s with memory" % (name, guest.uuid),
                "the qcow2 file of every disk lists it: %s" % ", ".join(
                    disk.target for disk in guest.disks)]

    def revert(self, guest, name, seconds):
        """Put the guest back; it runs on from the moment of the snapshot."""
        said("snapshot-revert", "--domain", guest.uuid, "--snapshotname", name, "--running",
             seconds=seconds)

    def delete(self, guest, name, seconds):
        """Delete a snapshot by its exact name."""
        said("snapshot-delete", "--domain", guest.uuid, "--snapshotname", name, seconds=seconds)


def listed(path):
    """Names of the snapshots that a qcow2 file holds; read while the guest has it open."""
    result = run(["qemu-img", "info", "-U", "-f", "qcow2", "--output=json", path], timeout=SECONDS)
    if not result.ok:
        raise Unusable("qemu-img: %s" % one_line(result.tail(3)))
    return names_in(result.out)


def names_in(text):
    """Names of the snapshots in what `qemu-img info` says; Unusable when it is malformed."""
    try:
        return {one["name"] for one in json.loads(text).get("snapshots", [])}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unusable("what qemu-img says is unusable: %s" % one_line(text)) from None


def state_of(text):
    """(state, reason) in what `virsh domstate --reason` says: `running (from snapshot)`."""
    state, _, reason = text.strip().partition(" (")
    return state, reason.rstrip(")")
