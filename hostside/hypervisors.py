"""What hypervisors can do for the backup of their guests, and their records of it (SOP 6 and 8).

These run on the hypervisor, a host of the inventory like any other. Of each snapshot of sop-run
it keeps a record, written before the snapshot is made, below /var/lib/sop-run/snapshots.
"""

import importlib
import os

from hostside import durable, naming, state
from hostside.unusable import Unusable

KINDS = {"libvirt": "virsh.Libvirt", "proxmox": "proxmox.Proxmox", "vmware": "vmware.VMware"}


def adapter(kind):
    """What works with this kind of hypervisor; Unusable for one that is unknown."""
    if kind not in KINDS:
        raise Unusable("%r is no hypervisor that sop-run knows" % str(kind)[:40])
    module, name = KINDS[kind].split(".")
    return getattr(importlib.import_module("hostside." + module), name)()


def identity(transaction):
    """The snapshot's name: that of the backup whose transaction it is."""
    return naming.checked("sop-run-" + transaction)


def folder():
    """The folder of records, made when it is missing."""
    return state.private_folder(os.path.join(state.ROOT, "snapshots"))


def path(name):
    """Path of a snapshot's record. Raises ValueError for a name that is not ours."""
    return os.path.join(folder(), naming.checked(name) + ".json")


def read(name):
    """A snapshot's record; raises Unusable when there is none that can be trusted."""
    try:
        return durable.read_sealed(path(name))
    except FileNotFoundError:
        raise Unusable("the hypervisor has no record of a snapshot %s" % name) from None
    except durable.Damaged as error:
        raise Unusable(str(error)) from None


def write(name, record):
    """Write a snapshot's record durably."""
    durable.write_sealed(path(name), record)


def forget(name):
    """Remove a snapshot's record."""
    os.unlink(path(name))


def of_guest(uuid, answer):
    """[(created, name)] of a guest's snapshots on record, newest first."""
    found = []
    for entry in sorted(os.listdir(folder())):
        name = entry[:-len(".json")]
        if not entry.endswith(".json") or not naming.NAME.match(name):
            continue
        try:
            record = read(name)
        except Unusable as error:
            answer.problem("backup-record-damaged", str(error),
                           "Look at it and remove it by hand with its snapshot.")
            continue
        if record["uuid"] == uuid:
            found.append((record["created"], name))
    return sorted(found, reverse=True)
