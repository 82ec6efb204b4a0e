"""Phase `revert` (SOP step 8), on the hypervisor: a guest goes back to its snapshot, once.

Whatever happens to this program, the guest is not put back a second time: it may have been at
work again since. Where an earlier attempt was cut off and the hypervisor does not tell how it
ended, the guest itself must show it (hostside/hypervisor.py).
"""

import time

from hostside import hostinfo, hypervisors, proof, state
from hostside.answer import utc
from hostside.unusable import Unusable

SECONDS = 900
WAIT_SECONDS = 60
POLL_SECONDS = 0.2
BACK = "from snapshot"


def run(request, answer):
    """`facts.revert` {name, uuid, at, known}; `failed` when the guest was not put back."""
    taken = request.get("backup") or {}
    noted = state.notes(request["transaction"])
    try:
        works, found = proof.guest_of(request)
        sentences = works.proof(found, taken["id"])
        known = went_back(works, found, noted)
        if known == "no":
            now = utc()
            # From here on no update may begin on this snapshot again (hostside/proof.py).
            hypervisors.write(taken["id"], dict(hypervisors.read(taken["id"]), reverted=now))
            state.note(request["transaction"], boot_id=hostinfo.boot_id(),
                       before=list(works.state(found)), at=now)
            works.revert(found, taken["id"],
                         float(request["options"].get("snapshot_seconds", SECONDS)))
            known = "yes"
        wait_running(works, found)
    except (Unusable, OSError, ValueError, KeyError) as error:
        answer.stop("failed", "no-revert", str(error) or repr(error),
                    "Look at the guest on its hypervisor, at once.")
        return
    if known == "unknown":
        answer.problem("recovered", "an earlier attempt to put the guest back was cut off; it is "
                       "not done twice", "The guest's own test shows whether it went back.")
    answer.facts["revert"] = {
        "name": taken["id"], "uuid": found.uuid, "known": known == "yes", "proof": sentences,
        "at": state.notes(request["transaction"]).get("at", ""),
    }


def went_back(works, found, noted):
    """Whether an earlier attempt has put the guest back: `yes`, `no` or `unknown`."""
    if not noted:
        return "no"
    if not works.tells_of_revert:
        return "unknown"
    now = list(works.state(found))
    if noted.get("boot_id") != hostinfo.boot_id() or noted["before"][1] == BACK:
        return "unknown"
    if now[1] == BACK:
        return "yes"
    return "no" if now == noted["before"] else "unknown"


def wait_running(works, found):
    """Wait until the guest runs; Unusable when it does not."""
    deadline = time.monotonic() + WAIT_SECONDS
    while works.state(found)[0] != "running":
        if time.monotonic() > deadline:
            raise Unusable("%s does not run after it was put back" % found.name)
        time.sleep(POLL_SECONDS)
