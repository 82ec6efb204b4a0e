"""The host's own records of its backups, below /var/lib/sop-run/backups (SOP step 6).

A record is written before the backup is made, so that whatever happens it can be found and undone.
"""

import os
import time

from hostside import baseline, durable, naming, state

REBOOT_FLAGS = ("/run/reboot-required", "/run/reboot-required.pkgs", "/run/reboot-needed")


def folder():
    """The folder of backup records, made when it is missing."""
    return state.private_folder(os.path.join(state.ROOT, "backups"))


def place(identity):
    """The folder in which a back end may keep files of this backup."""
    return os.path.join(folder(), naming.checked(identity))


def path(identity):
    """Path of a backup's record. Raises ValueError for a name that is not ours."""
    return place(identity) + ".json"


def read(identity):
    """A backup's record; raises FileNotFoundError or durable.Damaged."""
    return durable.read_sealed(path(identity))


def reboot_flags():
    """Files by which packages ask for a restart, as they are now."""
    return [name for name in REBOOT_FLAGS if os.path.exists(name)]


def register(identity, method, request):
    """Write down which backup is about to be made, and what a restore must know."""
    durable.write_sealed(path(identity), {
        "id": identity, "method": method, "created": time.time(),
        "packages": baseline.installed(), "host": request.get("host", ""),
        "reboot_required": reboot_flags(),
        "command": request.get("options", {}).get("command") or {},
    })


def register_new(identity, names):
    """Add to the record which packages the update brings anew, before it does: a restore removes
    them. Raises FileNotFoundError or durable.Damaged."""
    known = read(identity)
    known["new"] = sorted(set(known.get("new", [])) | set(names))
    durable.write_sealed(path(identity), known)


def known_identities():
    """Names of all backups on record."""
    names = (name[:-len(".json")] for name in os.listdir(folder()) if name.endswith(".json"))
    return [name for name in names if naming.NAME.match(name)]
