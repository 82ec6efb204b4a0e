"""What another host program told, handed on by the control node with a request (SOP steps 6 to 8).

A guest's request carries what its hypervisor said, and the other way round: the framed line as it
came, or the reason why there is none. `roles/backup/tasks/hypervisor.yml` shows who tells whom.
"""

import base64
import binascii
import hashlib
import json
import zlib

from hostside.answer import MARK, Answer
from hostside.outcome import one_line
from hostside.unusable import Unusable

LIMIT = 8 * 1024 * 1024


def unframed(line):
    """The evidence in a framed line; raises ValueError when it is not whole."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != MARK:
        raise ValueError("it is not framed")
    try:
        unpack = zlib.decompressobj()
        raw = unpack.decompress(base64.b64decode(parts[2]), LIMIT)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("it cannot be unpacked (%s)" % error) from None
    if not unpack.eof or hashlib.sha256(raw).hexdigest() != parts[1]:
        raise ValueError("it is cut short or altered")
    document = json.loads(raw.decode("utf-8"))
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    return document


def evidence(request, phase):
    """What the other side answered in its phase; raises Unusable with the reason when nothing."""
    said = request.get("told") or {}
    if not said.get("line"):
        raise Unusable(one_line(said.get("reason") or "the other side was not asked"))
    try:
        document = unframed(said["line"])
    except ValueError as error:
        raise Unusable("what the other side answered is unusable: %s" % error) from None
    if document.get("phase") != phase:
        raise Unusable("the other side answered another question")
    return document


def facts(request, phase, key):
    """`facts[key]` of the other side's answer; raises Unusable with its reason if it says no."""
    document = evidence(request, phase)
    if document.get("status") != "ok":
        problems = document.get("problems") or [{}]
        raise Unusable(one_line(problems[0].get("message") or "it said %r" % document["status"]))
    found = document.get("facts", {}).get(key)
    if not isinstance(found, dict):
        raise Unusable("the other side's answer has no %s" % key)
    return found


def still_running(request):
    """The answer to a guest's request while its hypervisor is still at work; None otherwise."""
    for phase in ("snapshot", "revert"):
        try:
            document = evidence(request, phase)
        except Unusable:
            continue
        if document.get("status") == "running":
            answer = Answer(request["phase"], request.get("transaction", ""))
            answer.stop("running", "still-running", "the hypervisor is still at work",
                        "Ask again with the same transaction.")
            return answer.finish()
    return None
