"""VMware vSphere's guests, found and snapshotted by `govc` on a management host (SOP 6 and 8).

UNTESTED on a real vSphere, see hostside/untested.py. Only snapshots with memory are made, and
nothing counts but what vSphere lists afterwards: the snapshot as the guest's current one, with
memory and every disk. Guest and snapshot are addressed by their references, since names repeat.
"""

from hostside import govcenv, guestmatch, lvmroom, vmguest
from hostside.outcome import one_line
from hostside.unusable import Unusable
from hostside.vendor import Program, part

MB = 1024 * 1024
FIND_SECONDS = 300  # all guests of the vCenter are asked for their UUID


class VMware:
    """Guests of the vCenter or ESXi host that /etc/sop-run/govc.env names."""

    tells_of_revert = False

    def __init__(self):
        login = govcenv.environment()
        self.govc = Program("govc", "install govc, 0.32 or later", login, [
            login[name] for name in ("GOVC_PASSWORD",) if login.get(name)])

    def find(self, guest, name=""):
        """The guest that is `{uuid, cards}`, running; Unusable when there is no doubt-free one."""
        self.govc.path()
        references = set()
        for uuid in sorted({guest["uuid"], vmguest.swapped(guest["uuid"])}):
            listed = self.govc.answered("find", "-json", "-i", "/", "-type", "m",
                                        "-config.uuid", uuid, seconds=FIND_SECONDS)
            references |= vmguest.references(listed)
        if not references:
            raise Unusable("vSphere knows no guest with the UUID %s" % guest["uuid"])
        if len(references) > 1:
            raise Unusable("several guests have the UUID %s: %s" % (
                guest["uuid"], one_line(", ".join(sorted(references)))))
        found = self.read(references.pop(), guest["uuid"])
        guestmatch.require(found, guest, name)
        guestmatch.require_running(found, self.state(found))
        return found

    def read(self, reference, uuid):
        """The guest of a reference, as it is now; Unusable when its UUID is another."""
        found = vmguest.Guest(
            self.govc.answered("vm.info", "-json", reference),
            self.govc.answered("device.info", "-json", "-vm", reference), uuid)
        if found.reference != reference or found.identity not in (uuid, vmguest.swapped(uuid)):
            raise Unusable("vSphere answered about another guest than %s" % one_line(reference))
        return found

    def again(self, guest):
        """The same guest, asked once more."""
        return self.read(guest.reference, guest.uuid)

    def state(self, guest):
        """(state, reason); vSphere tells no reason."""
        return ("running" if self.again(guest).runs else "not running", "")

    def names(self, guest):
        """Names of the guest's snapshots."""
        return [one.name for one in self.again(guest).snapshots]

    def lacking(self, guest, request):
        """Why no snapshot can be made of the guest; "" when one can."""
        if guest.reasons or not guest.disks:
            return one_line("; ".join(guest.reasons) or "it has no disk")
        if guest.depth() >= vmguest.LONGEST_CHAIN:
            return "it has %d snapshots in a chain; vSphere allows 32" % guest.depth()
        need = guest.memory + lvmroom.room(request)
        for reference in guest.datastores:
            info = self.govc.answered("datastore.info", "-json", reference)
            free = part(info, int, "datastores", 0, "summary", "freeSpace")
            name = part(info, str, "datastores", 0, "summary", "name")
            if not part(info, bool, "datastores", 0, "summary", "accessible"):
                return "the datastore %s is not accessible" % one_line(name)
            if free < need:
                return "the datastore %s has %d MB free, and the snapshot needs %d MB" % (
                    one_line(name), free // MB, need // MB)
        return ""

    def make(self, guest, name, seconds):
        """Make the snapshot, with memory."""
        self.govc.said("snapshot.create", "-vm", guest.reference, "-m=true", "-q=false",
                       "-d", "made by sop-run before an update", name, seconds=seconds)

    def proof(self, guest, name):
        """Sentences that prove the snapshot: vSphere's own list of it, its memory and disks."""
        now = self.again(guest)
        made = only(now, name)
        if made.owner != now.key:
            raise Unusable("the snapshot %s is another guest's" % name)
        if now.current != made.reference:
            raise Unusable("the snapshot %s is not the one that the guest goes on from: another "
                           "was made or put back since" % name)
        memory, held = now.held(made)
        if made.state != "poweredOn" or memory is None:
            raise Unusable("the snapshot %s does not hold the running guest's memory" % name)
        if not now.disks or set(now.disks.values()) - held or now.reasons:
            raise Unusable("the snapshot %s does not hold every disk of the guest" % name)
        return ["vSphere lists the snapshot %s (%s) of the guest %s as its current one" % (
                    name, made.reference, now.key),
                "it holds the guest's memory, %d bytes" % memory,
                "it holds every disk: %s" % one_line(", ".join(sorted(now.disks)))]

    def revert(self, guest, name, seconds):
        """Put the guest back; it must run on from the moment of the snapshot."""
        made = only(self.again(guest), name)
        self.govc.said("snapshot.revert", "-vm", guest.reference, "-s=false", made.reference,
                       seconds=seconds)
        now = self.again(guest)
        if now.current != made.reference:
            raise Unusable("vSphere does not say that the guest went back to %s" % name)

    def delete(self, guest, name, seconds):
        """Delete a snapshot; those after it stay."""
        made = only(self.again(guest), name)
        self.govc.said("snapshot.remove", "-vm", guest.reference, "-r=false", "-c=true",
                       made.reference, seconds=seconds)


def only(guest, name):
    """The guest's one snapshot of a name; Unusable when it has none or several."""
    found = [one for one in guest.snapshots if one.name == name]
    if len(found) != 1:
        raise Unusable("the guest has %d snapshots with the name %s" % (len(found), name))
    return found[0]
