"""Phase `restore`: back to the backup taken before the update. Asked twice, it changes nothing."""

import contextlib
import os

from hostside import (
    apt,
    backup,
    baseline,
    hostinfo,
    hypervisor,
    packagelock,
    records,
    services,
)
from hostside.backends import BACKENDS
from hostside.unusable import Unusable

LOCK_SECONDS = 120


def run(request, answer):
    """Put the host back, restart what that touches, and prove the versions."""
    taken = request.get("backup") or {}
    if taken.get("method") in hypervisor.BACKENDS:
        by_hypervisor(request, answer)
        return
    try:
        record = backup.verify(request)
    except backup.DOUBTS as error:
        answer.stop("refused", "no-backup", str(error), "Repair the host by hand.")
        return
    seconds = float(request.get("options", {}).get("lock_seconds", LOCK_SECONDS))
    holder = packagelock.wait_free(seconds)
    if holder:
        answer.stop("blocked", "package-lock", holder, "Wait for that process, or end it.")
        return
    try:
        paths, proof = put_back(taken, record, seconds)
    except (Unusable, TimeoutError) as error:
        answer.stop("failed", "restore-failed", str(error), "Repair the host by hand, at once.")
        paths, proof = [], []
    for flag in set(records.reboot_flags()) - set(record.get("reboot_required", [])):
        os.unlink(flag)  # what the update asked for is gone with it
    active = (request.get("baseline") or {}).get("active_units") or []
    paths_of_services = paths + BACKENDS[record["method"]].touched(taken["id"])
    services.after_restore(paths_of_services, active, answer)
    prove(request, record, answer, proof)
    answer.facts["restore"] = {
        "method": taken["method"], "id": taken["id"], "files": len(paths), "proof": proof,
    }


def by_hypervisor(request, answer):
    """The hypervisor has put this guest back, whole: see that it did, and prove the versions.

    The guest's own record went with the revert; the baseline in the request has what counts.
    """
    taken, proof = request["backup"], []
    try:
        proof = hypervisor.after_revert(request, answer)
    except backup.DOUBTS as error:
        answer.stop("failed", "restore-failed", str(error),
                    "Look at the guest on its hypervisor, at once.")
    versions = (request.get("baseline") or {}).get("packages") or {}
    prove(request, {"packages": versions}, answer, proof)
    answer.facts["restore"] = {
        "method": taken["method"], "id": taken["id"], "files": 0, "proof": proof,
    }


def put_back(taken, record, seconds):
    """Carry the restore out; returns (paths put back, proof sentences)."""
    backend = BACKENDS[record["method"]]
    with contextlib.ExitStack() as stack:
        if backend.stands_still:
            stack.enter_context(packagelock.dpkg_held(seconds))
        return backend.restore(taken["id"], taken, record)


def prove(request, record, answer, proof):
    """Items with `restored` or `failed`; status `failed` unless every one is as it was backed up.

    That is its `from`, unless someone had updated it between the check and the backup.
    """
    now = baseline.installed()
    for item in baseline.package_items(request):
        key = baseline.package_key(item)
        after, before = now.get(key, ""), record["packages"].get(key, item["from"])
        result = "restored" if after == before else "failed"
        answer.items.append(dict(item, result=result, after=after))
    wrong = [item["name"] for item in answer.items if item["result"] == "failed"]
    if wrong:
        answer.stop("failed", "not-restored", "not at the version before: %s" % ", ".join(wrong),
                    "Repair the host by hand, at once.")
    elif answer.items:
        proof.append("%d approved items are at their version before the update" % len(answer.items))
    if hostinfo.package_manager() == "apt":
        unfinished = apt.half_configured()
        if unfinished:
            answer.stop("failed", "half-configured", ", ".join(unfinished), "Repair it by hand.")
        else:
            proof.append("dpkg has no unfinished package")
    if wrong_kernel():
        answer.problem("reboot-advised", "the running kernel's modules are gone", "Restart it.")


def wrong_kernel():
    """Whether the host has kernels of its own, but none of the running version."""
    folder = "/lib/modules"
    installed = os.listdir(folder) if os.path.isdir(folder) else []
    return bool(installed) and os.uname().release not in installed
