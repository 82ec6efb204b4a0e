"""Changes packages with dnf, through hostside/dnfwriter.py in one process."""

import json
import os

from hostside import dnf, keeprpm, leftovers, packagelock, staging, state
from hostside.command import run

LOCK_SECONDS = 120
HINTS = {
    "metadata-refresh-failed": "Look at the named repository and its key; nothing was installed.",
    "candidate-changed": "Check this host again and have the new version approved.",
    "beyond-approval": "Have these approved too, or defer what needs them.",
    "wrong-sha256": "What the repository gives is not what was approved; nothing was installed.",
    "package-signature": "Look at the repository's gpgkey; nothing was installed.",
}


def carry_out(change):
    """Bring every item that is still to do to its approved version."""
    todo = change.todo()
    plan_file = state.folder(change.transaction, "dnf-plan.json")
    if os.path.exists(plan_file):
        os.unlink(plan_file)
    begun = bool(change.notes.get("installing"))  # by an earlier attempt
    # Noted before dnf runs: a crash in the middle of rpm's work must be seen as one.
    change.begin_installing([])
    with change.watch() as watch:
        answer, result = dnf.ask_writer({
            "action": "update", "refresh": change.options.get("refresh", "system") != "none",
            "plan_file": plan_file, "staged": staging.FOLDER,
            "allow_removals": change.options.get("allow_removals") or [],
            "allow_new": change.options.get("allow_new") or [],
            "approved": [
                {"name": item["name"], "arch": item["arch"], "to": item["to"],
                 "sha256": item.get("sha256", "")} for item in todo
            ],
        }, seconds=change.remaining())
    change.add_log(result)
    planned = new_names(plan_file)
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
    if planned is not None:
        mend(change)
    if watch.reason:
        change.out_of_room(watch.reason, begun=planned is not None)
        return
    if planned is not None:
        change.now = dnf.installed()
        if not change.todo():
            change.answer.problem("repaired", answer["message"], "Every approved version is there.")
            return
    status = answer["status"] if planned is None else "failed"
    change.answer.stop(status, answer["code"], answer["message"],
                       HINTS.get(answer["code"], "See log_tail."))


def new_names(plan_file):
    """New packages of the transaction that dnf began, or None when it began none."""
    try:
        with open(plan_file, "r", encoding="utf-8") as stream:
            return list(json.load(stream))
    except FileNotFoundError:
        return None


def mend(change):
    """Undo what an interrupted rpm transaction leaves: old versions beside new ones."""
    erased = keeprpm.drop_duplicates(change.items)
    if erased:
        change.answer.problem("duplicates-removed", ", ".join(old for _, old in erased), "")
    change.add_log(run(["rpm", "--verifydb"], timeout=300))


def recover(change):
    """After a cut-off attempt: let its dnf come to an end, or end it; then mend."""
    if not leftovers.wait(change.transaction, change.remaining()):
        leftovers.end(change.transaction)
    packagelock.wait_free(LOCK_SECONDS)
    mend(change)
    change.begin_installing(new_names(state.folder(change.transaction, "dnf-plan.json")) or [])
