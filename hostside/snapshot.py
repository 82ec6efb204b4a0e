"""Phase `snapshot` (SOP step 6), on the hypervisor: a proven snapshot of one guest, made once.

It runs under the guest's own transaction. `told` is what the guest's `prepare` answered;
`options`: `kind`, `domain`, `keep`, `snapshot_seconds`, `untested`.
"""

import socket
import time

from hostside import backup, hypervisors, told, untested, worker
from hostside.answer import utc
from hostside.outcome import one_line
from hostside.unusable import Unusable

SECONDS = 900
RECEIPTS = 1000
"""A hypervisor answers for many guests, so more receipts stay than on other hosts."""


def run(request, answer):
    """`facts.snapshot`, or `refused` with the reason; then no snapshot is claimed."""
    options = request["options"]
    try:
        without_consent = untested.reason_against(options.get("kind"), options)
        if without_consent:
            raise Unusable(without_consent)
        guest = told.facts(request, "prepare", "guest")
        works = hypervisors.adapter(options.get("kind"))
        found = works.find(guest, options.get("domain") or "")
        name = hypervisors.identity(request["transaction"])
        alone(found, request, answer)
        record = taken(works, found, name, request, guest)
        proof = works.proof(found, name)
    except (Unusable, OSError, ValueError, KeyError) as error:
        answer.stop("refused", "no-snapshot", str(error) or repr(error),
                    "Without a proven backup nothing is updated.")
        return
    answer.facts["snapshot"] = dict(
        record["guest"], kind=options["kind"], name=name, domain=found.name,
        on=socket.gethostname(), created=utc(record["created"]), proof=proof,
    )
    sweep(works, found, int(options.get("keep", backup.KEEP)), name, answer)


def alone(found, request, answer):
    """Raises Unusable when another host of the inventory was backed up as this guest before.

    A guest under foreign hands may tell another one's UUID and cards, to have that one put back.
    """
    for _, name in hypervisors.of_guest(found.uuid, answer):
        host = hypervisors.read(name)["host"]
        if host != request.get("host", ""):
            raise Unusable("%s was backed up as the host %s before (%s)" % (
                found.name, one_line(host), hypervisors.path(name)))


def taken(works, found, name, request, guest):
    """The record of the snapshot, which is made unless an earlier attempt has made it.

    What that attempt's guest told is then what the snapshot holds, not what it tells now.
    """
    if name in works.names(found):
        record = hypervisors.read(name)
        if record["uuid"] != found.uuid:
            raise Unusable("the record of %s is another guest's" % name)
        return record
    reason = works.lacking(found, request)
    if reason:
        raise Unusable("no snapshot of %s: %s" % (found.name, reason))
    record = {
        "name": name, "kind": request["options"]["kind"], "uuid": found.uuid,
        "created": time.time(), "host": request.get("host", ""), "guest": guest,
    }
    hypervisors.write(name, record)
    works.make(found, name, float(request["options"].get("snapshot_seconds", SECONDS)))
    return record


def sweep(works, found, keep, current, answer):
    """Delete sop-run's own snapshots of this guest beyond the newest `keep`."""
    worker.sweep(RECEIPTS)
    others = [name for _, name in hypervisors.of_guest(found.uuid, answer) if name != current]
    try:
        there = works.names(found)
        for name in others[max(keep - 1, 0):]:
            if name in there:
                works.delete(found, name, SECONDS)
            hypervisors.forget(name)
    except (Unusable, OSError) as error:
        answer.problem("sweep-failed", str(error), "Remove the old snapshot by hand.")
