"""Phase `backup` (SOP step 6): a proven way back, then the baseline. No proof, no backup.

`options.method`: `auto` (btrfs where it can hold the whole system, else packages), `btrfs`,
`packages`. `options.keep`: how many backups of sop-run stay on the host (default 2).
"""

import os
import time

from hostside import baseline, btrfs, durable, packagelock, preflight, repack, state, worker
from hostside.answer import utc

KEEP = 2
METHODS = ("auto", "btrfs", "packages")
LOCK_SECONDS = 120
REBOOT_FLAGS = ("/run/reboot-required", "/run/reboot-required.pkgs")


class Refused(Exception):
    """Why no backup can be made here; the message is for the report."""


def run(request, answer):
    """Preflight, backup with proof, baseline; anything doubtful is `refused`."""
    if not preflight.passed(request, answer):
        return
    state.give_reserve_up()
    identity = "sop-run-" + request["transaction"]
    try:
        method = choose(request.get("options", {}).get("method", "auto"))
        register(identity, method, request)
        with packagelock.dpkg_held(LOCK_SECONDS):
            taken = take(method, identity, request)
        state.lay_reserve()
    except TimeoutError as error:
        answer.stop("blocked", "package-lock", str(error), "Wait for that process to end.")
        return
    except (Refused, btrfs.Unusable, repack.Unusable, OSError) as error:
        answer.stop("refused", "no-backup", str(error),
                    "Without a proven backup nothing is updated; see backup_method.")
        return
    answer.facts["backup"] = dict(taken, method=method, id=identity, created=utc())
    answer.facts["baseline"] = baseline.take(request)
    sweep(int(request.get("options", {}).get("keep", KEEP)), identity, answer)


def choose(method):
    """The back end to use: the office's choice, or the first that fits. Raises Refused."""
    if method not in METHODS:
        raise Refused("backup_method %r is not one of %s" % (method, ", ".join(METHODS)))
    if method == "packages":
        return method
    reason = btrfs.reason_against()
    if not reason:
        return "btrfs"
    if method == "btrfs":
        raise Refused("backup_method is btrfs, but %s" % reason)
    return "packages"


def reboot_flags():
    """Files by which packages ask for a restart, as they are now."""
    return [path for path in REBOOT_FLAGS if os.path.exists(path)]


def records():
    """The folder of backup records, made when it is missing."""
    return state.private_folder(os.path.join(state.ROOT, "backups"))


def record_path(identity):
    """Path of a backup's record. Raises ValueError for a name that is not ours."""
    if not btrfs.NAME.match(identity):
        raise ValueError("%r is no backup of sop-run" % identity[:80])
    return os.path.join(records(), identity + ".json")


def record(identity):
    """A backup's record; raises FileNotFoundError or durable.Damaged."""
    return durable.read_sealed(record_path(identity))


def register(identity, method, request):
    """Write down which backup is about to be made, so that whatever happens it can be undone."""
    durable.write_sealed(record_path(identity), {
        "id": identity, "method": method, "created": time.time(),
        "packages": baseline.installed(), "host": request.get("host", ""),
        "reboot_required": reboot_flags(),
    })


def register_new(identity, names):
    """Add to the record which packages the update brings anew, before it does: a restore removes
    them. Raises FileNotFoundError or durable.Damaged."""
    known = record(identity)
    known["new"] = sorted(set(known.get("new", [])) | set(names))
    durable.write_sealed(record_path(identity), known)


def verify(backup):
    """Check that `facts.backup` of an earlier phase still holds; raises Refused or Unusable."""
    if not backup.get("id") or not backup.get("sha256"):
        raise Refused("no backup of this host was handed over")
    known = record(backup["id"])
    if known["method"] != backup.get("method"):
        raise Refused("the host's record of %s is for another method" % backup["id"])
    if known["method"] == "btrfs":
        btrfs.prove(backup["id"], backup["sha256"])
    else:
        repack.prove(os.path.join(records(), backup["id"]), backup["sha256"])
    return known


def take(method, identity, request):
    """Make the backup and prove it."""
    if method == "btrfs":
        return btrfs.take(identity)
    names = [baseline.package_key(item) for item in baseline.package_items(request)]
    names += request.get("options", {}).get("allow_removals") or []
    return repack.take(os.path.join(records(), identity), sorted(set(names)))


def discard(identity, method):
    """Delete one backup and its record."""
    if method == "btrfs":
        btrfs.delete(identity)
    else:
        repack.delete(os.path.join(records(), identity))
    os.unlink(record_path(identity))


def sweep(keep, current, answer):
    """Delete sop-run's own backups beyond the newest `keep`; others are never touched."""
    worker.sweep()
    found = []
    for name in os.listdir(records()):
        identity = name[:-len(".json")]
        if name.endswith(".json") and btrfs.NAME.match(identity) and identity != current:
            try:
                found.append((record(identity)["created"], identity))
            except durable.Damaged as error:
                answer.problem("backup-record-damaged", str(error),
                               "Look at it and remove it by hand with its backup.")
    for _, identity in sorted(found, reverse=True)[max(keep - 1, 0):]:
        try:
            discard(identity, record(identity)["method"])
        except (btrfs.Unusable, OSError) as error:
            answer.problem("sweep-failed", str(error), "Remove the old backup by hand.")
