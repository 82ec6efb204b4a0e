"""Phase `backup` (SOP step 6): a proven way back, then the baseline. No proof, no backup.

`options.method`: `auto` (the best back end that fits the host) or the name of one, see
`hostside/backends.py`. `options.keep`: how many backups of sop-run stay on the host (default 2).
"""

import os

from hostside import baseline, durable, packagelock, preflight, records, state, worker
from hostside.answer import utc
from hostside.backends import BACKENDS, choose
from hostside.unusable import Unusable

KEEP = 2
LOCK_SECONDS = 120
DOUBTS = (Unusable, durable.Damaged, OSError, ValueError)
"""What makes a backup that was handed over useless; never a reason to go on."""


def run(request, answer):
    """Preflight, backup with proof, baseline; anything doubtful is `refused`."""
    if not preflight.passed(request, answer):
        return
    state.give_reserve_up()
    identity = "sop-run-" + request["transaction"]
    try:
        method = choose(request)
        records.register(identity, method, request)
        with packagelock.dpkg_held(LOCK_SECONDS):
            taken = BACKENDS[method].take(identity, request)
        state.lay_reserve()
    except TimeoutError as error:
        answer.stop("blocked", "package-lock", str(error), "Wait for that process to end.")
        return
    except (Unusable, OSError) as error:
        answer.stop("refused", "no-backup", str(error),
                    "Without a proven backup nothing is updated; see backup_method.")
        return
    answer.facts["backup"] = dict(taken, method=method, id=identity, created=utc())
    answer.facts["baseline"] = baseline.take(request)
    sweep(int(request.get("options", {}).get("keep", KEEP)), identity, answer)


def verify(request):
    """Prove `request["backup"]`, `facts.backup` of an earlier phase; returns the host's record.

    Raises one of DOUBTS, in words for the report, when it does not hold any more.
    """
    taken = dict(request.get("backup") or {}, told=request.get("told"))
    if not taken.get("id") or not taken.get("sha256"):
        raise Unusable("no backup of this host was handed over")
    record = records.read(taken["id"])
    if record["method"] != taken.get("method") or record["method"] not in BACKENDS:
        raise Unusable("the host's record of %s is for another method" % taken["id"])
    BACKENDS[record["method"]].prove(taken["id"], taken)
    return record


def sweep(keep, current, answer):
    """Delete sop-run's own backups beyond the newest `keep`; others are never touched."""
    worker.sweep()
    found = []
    for identity in records.known_identities():
        if identity != current:
            try:
                found.append((records.read(identity)["created"], identity))
            except durable.Damaged as error:
                answer.problem("backup-record-damaged", str(error),
                               "Look at it and remove it by hand with its backup.")
    for _, identity in sorted(found, reverse=True)[max(keep - 1, 0):]:
        try:
            BACKENDS[records.read(identity)["method"]].delete(identity)
            os.unlink(records.path(identity))
        except DOUBTS as error:
            answer.problem("sweep-failed", str(error), "Remove the old backup by hand.")
