"""Changes packages with dnf, through hostside/dnfwriter.py in one process."""

import json
import os

from hostside import dnf, leftovers, rpmmend, staging, state

HINTS = {
    "metadata-refresh-failed": "Look at the named repository and its key; nothing was installed.",
    "candidate-changed": "Check this host again and have the new version approved.",
    "beyond-approval": "Have these approved too, or defer what needs them.",
    "wrong-sha256": "What the repository gives is not what was approved; nothing was installed.",
    "package-signature": "Look at the repository's gpgkey; nothing was installed.",
    "install-failed": "Restore the host.",
    "dnf-failed": "Restore the host; log_tail has dnf's last words.",
}


def carry_out(change):
    """Bring every item that is still to do to its approved version."""
    files = {"plan_file": path_of(change, "plan"), "outcome_file": path_of(change, "outcome")}
    for path in files.values():
        if os.path.exists(path):
            os.unlink(path)
    begun = bool(change.notes.get("installing"))  # by an earlier attempt
    # Noted before dnf runs: a crash in the middle of rpm's work must be seen as one.
    change.begin_installing([])
    with change.watch() as watch:
        answer, result = dnf.ask_writer(dict(request_of(change), **files),
                                        seconds=change.remaining())
    change.add_log(result)
    planned = read(files["plan_file"])
    if planned is not None:
        change.begin_installing(planned)
        incoming = change.items + (change.options.get("allow_new") or [])
        staging.drop({row.get("sha256") for row in incoming})
    elif not begun:
        change.note(installing=False)  # it ended before anything was installed
    if answer["status"] == "ok":
        change.answer.facts["dnf_history"] = answer["history"]
        return
    if result.code is None:
        leftovers.end(change.transaction)
    whole = planned is not None and rpmmend.whole_after_all(change, result.code)
    if watch.reason:
        change.out_of_room(watch.reason, begun=planned is not None)
    elif whole and answer.get("sound"):
        change.answer.problem("repaired", answer["message"], "Every approved version is there.")
    else:
        stop(change, answer, begun=planned is not None)


def request_of(change):
    """What dnf's writer is asked to do."""
    return {
        "action": "update", "refresh": change.options.get("refresh", "system") != "none",
        "staged": staging.FOLDER,
        "allow_removals": change.options.get("allow_removals") or [],
        "allow_new": change.options.get("allow_new") or [],
        "approved": [
            {"name": item["name"], "arch": item["arch"], "to": item["to"],
             "sha256": item.get("sha256", "")} for item in change.todo()
        ],
    }


def stop(change, answer, begun):
    """End the attempt with the writer's words; once rpm has begun it is `failed`."""
    hint = HINTS["install-failed"] if begun else HINTS.get(answer["code"], "See log_tail.")
    change.answer.stop("failed" if begun else answer["status"], answer["code"], answer["message"],
                       hint)


def path_of(change, name):
    """Where dnf's writer notes what it is about to do (`plan`) and how it ended (`outcome`)."""
    return state.folder(change.transaction, "dnf-%s.json" % name)


def read(path):
    """What dnf's writer wrote to a file, or None: it did not come so far."""
    try:
        with open(path, "r", encoding="utf-8") as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return None


def recover(change):
    """After a cut-off attempt: mend; what came by a dnf that did not end is installed again."""
    rpmmend.settle(change)
    change.begin_installing(read(path_of(change, "plan")) or [])
    outcome, rows = read(path_of(change, "outcome")), rpmmend.arrived(change)
    if outcome is None and rows:
        outcome = install_again(change, rows)
    if outcome and outcome["status"] != "ok":
        stop(change, outcome, begun=True)


def install_again(change, rows):
    """Install versions that are there once more; returns the writer's answer."""
    answer, result = dnf.ask_writer(
        {"action": "again", "refresh": False, "staged": staging.FOLDER, "packages": rows},
        seconds=change.remaining())
    change.add_log(result)
    if result.code is None:
        leftovers.end(change.transaction)
    return answer
