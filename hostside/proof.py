"""Phase `proof` (SOP step 7), on the hypervisor: is a guest's snapshot still what it was?

It changes nothing. `backup` is `facts.backup` of the guest's backup. A guest that was put back has
forgotten that it was updated; so its hypervisor remembers, and lets no update begin once more.
"""

from hostside import hypervisors
from hostside.unusable import Unusable


def run(request, answer):
    """`facts.snapshot` {name, uuid, proof}, or `refused` with the reason."""
    taken = request.get("backup") or {}
    try:
        works, found = guest_of(request)
        reverted = hypervisors.read(taken["id"]).get("reverted")
        if reverted:
            raise Unusable("the guest was put back at %s: that ended its update" % reverted)
        proof = works.proof(found, taken["id"])
    except (Unusable, OSError, ValueError, KeyError) as error:
        answer.stop("refused", "no-snapshot", str(error) or repr(error),
                    "Make a backup first; nothing was changed.")
        return
    answer.facts["snapshot"] = {"name": taken["id"], "uuid": found.uuid, "proof": proof}


def guest_of(request):
    """(adapter, guest) of the backup that was handed over and is on record here; or Unusable."""
    taken = request.get("backup") or {}
    record = hypervisors.read(taken.get("id") or "")
    known = (record["kind"], record["uuid"], record["host"])
    if known != (taken.get("method"), taken.get("uuid"), request.get("host", "")):
        raise Unusable("the hypervisor's record of %s is another guest's" % taken["id"])
    works = hypervisors.adapter(record["kind"])
    return works, works.find(record["guest"])
