"""Proxmox VE's guests as `pvesh` describes them in JSON (SOP steps 6 and 8).

UNTESTED on a real Proxmox VE, see hostside/untested.py. Written from the documentation of qm(1),
pvesh(1) and qm.conf(5), and from the source of qemu-server.
"""

import re

from hostside.vendor import unknown

MB = 1024 * 1024
DISK = re.compile(r"^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0)\Z")
CARD = re.compile(r"^net\d+\Z")
MAC = re.compile(r"^[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")
NEVER_HELD = re.compile(r"^(?:hostpci|virtiofs)\d+\Z")
STORAGE = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]*\Z")
VOLUME = re.compile(r"^([A-Za-z][A-Za-z0-9_.-]*):\S+\Z")
TRUE = ("1", "on", "yes", "true")
STATE_MB = 500  # that Proxmox VE reserves for the devices' state, beside twice the memory


class Guest:
    """A guest's configuration, as it is now or as a snapshot of it holds it."""

    def __init__(self, config, number, node):
        if not isinstance(config, dict):
            raise unknown(["config"])
        self.number = number
        self.node = node
        self.uuid = uuid_of(config.get("smbios1", ""))
        self.name = str(config.get("name") or "VM %s" % number)
        self.memory = memory_of(config)
        self.lock = str(config.get("lock") or "")
        self.parent = str(config.get("parent") or "")
        self.state = str(config.get("vmstate") or "")
        self.state_storage = str(config.get("vmstatestorage") or "")
        if self.state_storage and not STORAGE.match(self.state_storage):
            raise unknown(["vmstatestorage"])
        self.cards, self.disks, self.reasons = set(), {}, []
        if truth(config.get("template")):
            self.reasons.append("it is a template")
        if config.get("args"):
            self.reasons.append("it has arguments of its own for QEMU (args), perhaps disks")
        for key in sorted(config):
            self.add(key, config[key])

    def add(self, key, value):
        """Take a line of the configuration in, or the reason why no snapshot can hold it."""
        first, pairs = settings(value)
        if CARD.match(key):
            found = {one.lower() for one in pairs.values()}
            self.cards |= {one for one in found if MAC.match(one)}
        if NEVER_HELD.match(key):
            self.reasons.append("no snapshot with memory holds its device %s" % key)
        if not DISK.match(key) or pairs.get("media") == "cdrom":
            return
        volume = first or pairs.get("file", "")
        if volume == "none":
            return
        self.disks[key] = volume
        if not VOLUME.match(volume):
            self.reasons.append("its disk %s is no volume of a storage (%s)" % (key, volume))
        elif truth(pairs.get("snapshot")):
            self.reasons.append("its disk %s throws away what is written (snapshot=1)" % key)

    def storages(self):
        """Names of the storages on which its disks and the memory of a snapshot lie."""
        found = {volume.partition(":")[0] for volume in self.disks.values()}
        return sorted(found | ({self.state_storage} - {""}))

    def state_size(self):
        """Bytes that Proxmox VE reserves for the memory in a snapshot."""
        return 2 * self.memory + STATE_MB * MB


def settings(value):
    """(first word, {key: value}) of a line such as `store:vm-100-disk-0,size=4G`."""
    words = str(value).split(",")
    first = "" if "=" in words[0] else words[0]
    return first, dict(word.split("=", 1) for word in words if "=" in word)


def truth(value):
    """Whether Proxmox VE means yes: JSON of it has numbers, words and booleans."""
    return value is True or str(value).lower() in TRUE


def uuid_of(smbios):
    """The UUID in a line `smbios1`; "" without one."""
    return settings(smbios)[1].get("uuid", "").strip().lower()


def uuid_in(text):
    """The UUID in a guest's configuration file, whose snapshots have sections of their own."""
    for line in text.splitlines():
        if line.startswith("["):
            break
        if line.startswith("smbios1:"):
            return uuid_of(line.partition(":")[2].strip())
    return ""


def memory_of(config):
    """Bytes of memory: `4096` or `current=4096`, 512 MiB where the configuration has none."""
    first, pairs = settings(config.get("memory", 512))
    words = first or pairs.get("current", "")
    if not words.isdigit():
        raise unknown(["memory"])
    return int(words) * MB


def called(identity):
    """What Proxmox VE is to call a snapshot: older releases allow no hyphen in it."""
    return identity.replace("-", "_")


def meant(name):
    """The name as sop-run knows it; that of somebody else's snapshot stays as it is."""
    return name.replace("_", "-") if name.startswith("sop_run_") else name
