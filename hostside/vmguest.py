"""VMware vSphere's guests as `govc` describes them in JSON (SOP steps 6 and 8).

UNTESTED on a real vSphere, see hostside/untested.py. Written from VMware's API reference and the
source of govc, whose JSON has camelCase names since its release 0.32. An older one is refused.
"""

import re

from hostside.vendor import part, unknown

REFERENCE = re.compile(r"^(?:VirtualMachine:)?[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
MB = 1024 * 1024
LONGEST_CHAIN = 31  # vSphere allows 32 snapshots in a chain, this one included
PASSED_THROUGH = ("VirtualPCIPassthrough", "VirtualSriovEthernetCard", "VirtualNVDIMM")


class Snapshot:
    """One snapshot in a guest's tree; `depth` counts from 1."""

    def __init__(self, entry, depth):
        self.reference = reference(entry, "snapshot", "value")
        self.owner = part(entry, str, "vm", "value")
        self.name = part(entry, str, "name")
        self.state = part(entry, str, "state")
        self.depth = depth


class Guest:
    """A guest: `uuid` as it tells it itself, whatever order of bytes vSphere writes it in."""

    def __init__(self, info, devices, uuid):
        vm = part(info, dict, "virtualMachines", 0)
        self.uuid = uuid
        self.identity = part(vm, str, "config", "uuid").lower()
        self.key = reference(vm, "self", "value")
        self.reference = "VirtualMachine:" + self.key
        self.name = part(vm, str, "config", "name")
        self.memory = part(vm, int, "config", "hardware", "memoryMB") * MB
        self.datastores = ["Datastore:" + reference(one, "value")
                           for one in part(vm, list, "datastore")]
        self.snapshots = list(flat(vm))
        self.current = current(vm)
        self.layout = vm.get("layoutEx") or {}
        self.cards, self.disks, self.reasons = set(), {}, []
        self.runs = running(vm)
        if part(vm, bool, "config", "template"):
            self.reasons.append("it is a template")
        if part(vm, bool, "runtime", "consolidationNeeded"):
            self.reasons.append("its disks need consolidation, which earlier snapshots left behind")
        for device in part(devices, list, "devices"):
            self.add(device)

    def add(self, device):
        """Take a device in, and the reason why no snapshot can hold it."""
        kind = part(device, str, "type")
        name = part(device, str, "name")
        if isinstance(device.get("macAddress"), str):
            self.cards.add(device["macAddress"].lower())
        if kind in PASSED_THROUGH:
            self.reasons.append("no snapshot holds its device %s (%s)" % (name, kind))
        if kind != "VirtualDisk":
            return
        key, backing = part(device, int, "key"), part(device, dict, "backing")
        mode = part(backing, str, "diskMode")
        self.disks[name] = key
        if mode != "persistent":
            self.reasons.append("snapshots leave its disk %s out (%s)" % (name, mode))
        elif backing.get("sharing") not in (None, "", "sharingNone"):
            self.reasons.append("its disk %s is shared" % name)
        elif "compatibilityMode" in backing or "lunUuid" in backing:
            self.reasons.append("its disk %s is a raw device (RDM)" % name)

    def held(self, snapshot):
        """(bytes of memory, keys of disks) that the files of a snapshot hold; None for no memory.

        The snapshot's own state says only that the guest ran, not that its memory was taken.
        """
        layouts = [one for one in self.layout.get("snapshot") or []
                   if part(one, str, "key", "value") == snapshot.reference]
        if len(layouts) != 1:
            return None, set()
        key, memory = part(layouts[0], int, "memoryKey"), None
        for entry in self.layout.get("file") or []:
            if part(entry, int, "key") == key and part(entry, str, "type") == "snapshotMemory":
                memory = part(entry, int, "size")
        return memory, {part(disk, int, "key") for disk in layouts[0].get("disk") or []}

    def depth(self):
        """How many snapshots are in the chain that the guest writes to."""
        return max([one.depth for one in self.snapshots if one.reference == self.current] or [0])


def running(vm):
    """Whether a guest runs, is connected and waits for nobody's answer."""
    runtime = part(vm, dict, "runtime")
    return (part(runtime, str, "powerState") == "poweredOn"
            and part(runtime, str, "connectionState") == "connected"
            and not runtime.get("question"))


def current(vm):
    """The reference of the snapshot that the guest goes on from; "" when it has none."""
    if not vm.get("snapshot"):
        return ""
    return part(vm, str, "snapshot", "currentSnapshot", "value")


def flat(vm):
    """The guest's snapshots, parents before children."""
    waiting = []
    if vm.get("snapshot"):
        waiting = [(one, 1) for one in part(vm, list, "snapshot", "rootSnapshotList")]
    while waiting:
        entry, depth = waiting.pop()
        yield Snapshot(entry, depth)
        waiting += [(one, depth + 1) for one in entry.get("childSnapshotList") or []]


def references(listed):
    """The references in what `govc find -json -i` says: a list, or null when nothing was found."""
    if listed is None:
        return set()
    return {reference(listed, number) for number in range(len(part([listed], list, 0)))}


def reference(document, *path):
    """A reference in govc's answer, which goes into a command again; Unusable for anything else."""
    found = part(document, str, *path)
    if not REFERENCE.match(found):
        raise unknown(path)
    return found


def swapped(uuid):
    """A UUID with the bytes of its first three fields the other way round.

    Guests of newer virtual hardware read them from their firmware in the order that SMBIOS 2.6
    has; vSphere and guests of older hardware write them as they stand.
    """
    first, second, third, rest = uuid.split("-", 3)
    turned = ["".join(reversed([field[i:i + 2] for i in range(0, len(field), 2)]))
              for field in (first, second, third)]
    return "-".join([*turned, rest])
