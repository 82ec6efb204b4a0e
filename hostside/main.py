"""Entry point of every host program: request in, one framed answer out."""

import importlib
import sys
import time
import traceback

from hostside.answer import Answer, frame

PHASES = ("check", "rehearse", "backup", "update", "antivirus", "test", "restore", "doctor")
READING = ("check", "rehearse")  # all that a dry run may ask for
# What a guest and its hypervisor are asked beside them (roles/*/tasks/hypervisor.yml).
BESIDE = ("prepare", "snapshot", "proof", "revert")


def carry_out_function(phase):
    """The phase's function(request, answer); imported late, so one broken phase harms no other."""
    if phase not in PHASES + BESIDE:
        raise ValueError("unknown phase %r" % phase)
    return importlib.import_module("hostside." + phase).run


def carry_out(request):
    """Run one phase here and now; whatever goes wrong becomes evidence with status 'failed'."""
    answer = Answer(request["phase"], request.get("transaction", ""))
    try:
        carry_out_function(request["phase"])(request, answer)
    except Exception as error:  # noqa: BLE001 - the traceback is the evidence
        answer.status = "ok"  # whatever it was before: this decides
        answer.stop(
            "failed", "program-error",
            "%s: %s\n%s" % (type(error).__name__, error, traceback.format_exc()[-2000:]),
            "Report this with the evidence; nothing more was done on the host.",
        )
    return answer.finish()


CHANGING = ("backup", "update", "antivirus", "restore", "snapshot", "revert")


def refused(request):
    """Evidence that says no to a request that mixes a dry run up with a real one, else None.

    A dry run says so (`rehearsal`), and then only reads; nothing else may call itself one.
    """
    rehearsal, phase = request.get("rehearsal", False), request["phase"]
    if rehearsal is False or (rehearsal is True and phase in READING):
        return None
    answer = Answer(phase, request.get("transaction", ""))
    answer.stop("refused", "rehearsal-only", "a dry run only reads hosts: %s was refused" % phase,
                "Nothing was done; run the command without --dry-run once it is signed.")
    return answer.finish()


def main(request, packed_sources):
    """Answer on standard output; changing phases run as a detached transaction."""
    request.setdefault("arrived", time.monotonic())  # a worker knows it of who asked
    document = refused(request)
    if document is not None:
        pass
    elif request["phase"] in CHANGING:
        from hostside import transaction

        document = transaction.start_or_attach(request, packed_sources)
        if document is None:  # we are the detached worker: the receipt was written
            return
    else:
        document = carry_out(request)
    sys.stdout.write("\n" + frame(document) + "\n")
    sys.stdout.flush()
