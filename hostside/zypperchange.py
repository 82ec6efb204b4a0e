"""Changes packages with zypper: refresh, simulate, download, prove, install, repair.

After the refresh every call works on the same metadata (`--no-refresh`), names exact versions, and
answers no question.
"""

import shutil

from hostside import (
    leftovers,
    packagelock,
    rpmdb,
    rpmmend,
    sideeffects,
    staging,
    state,
    zypp,
    zypperfiles,
)

REFRESH_SECONDS = 600
SOLVE_SECONDS = 300
CHOICE = ("--type", "package", "--no-recommends", "--auto-agree-with-licenses")
HINTS = {
    "metadata-refresh-failed": "Look at the named repository and its key; nothing was installed.",
    "cannot-resolve": "Repair the host's packages or its locks; nothing was installed.",
    "candidate-changed": "Check this host again and have the new version approved; nothing was "
                         "installed.",
    "beyond-approval": "Have these approved too, or defer what needs them; nothing was installed.",
    "download-failed": "Look at the named repository; nothing was installed.",
    "wrong-sha256": "What the repository gives is not what was approved; nothing was installed.",
    "package-lock": "Wait for that process, or end it, and run the command again.",
    "install-failed": "Restore the host.",
}


class Stop(Exception):
    """Ends the attempt with a status, a problem code and a message."""

    def __init__(self, status, code, message):
        Exception.__init__(self, message)
        self.status = status
        self.code = code


def carry_out(change):
    """Bring every item that is still to do to its approved version."""
    folder = state.private_folder(state.folder(change.transaction, "packages"))
    watch = change.watch()
    try:
        with watch:
            attempt(change, folder)
    except Stop as stop:
        if watch.reason:
            change.out_of_room(watch.reason, begun=bool(change.notes.get("installing")))
        else:
            change.answer.stop(stop.status, stop.code, str(stop), HINTS[stop.code])
    except ValueError as error:  # zypper's answer before the installation was no XML
        change.answer.stop("refused", "cannot-resolve", str(error), HINTS["cannot-resolve"])
    finally:
        shutil.rmtree(folder)


def attempt(change, folder):
    """Refresh, simulate, download and prove, then install; Stop at the first doubt."""
    refresh(change)
    compare_candidates(change)
    zypperfiles.lend(change.todo() + sideeffects.approved_new(change.options), folder)
    new = download(change, folder)
    prove(change.todo() + new, folder)
    first = not change.notes.get("installing")
    change.begin_installing([row["key"] for row in new])
    try:
        install(change, folder, first)
    finally:
        incoming = change.items + (change.options.get("allow_new") or [])
        staging.drop({row.get("sha256") for row in incoming})


def lock_seconds(change):
    """How long zypper waits for its lock."""
    return int(change.options.get("lock_seconds", rpmmend.LOCK_SECONDS))


def ask(change, words, code, seconds, **options):
    """What zypper says; Stop when it fails: `blocked` by its lock, else `refused` with `code`."""
    said = zypp.call(words, seconds=min(seconds, change.remaining()),
                     lock_seconds=lock_seconds(change), **options)
    change.add_log(said.log())
    if said.code is None:
        leftovers.end(change.transaction)
    if said.code == zypp.LOCKED:
        holder = packagelock.wait_free(0)
        raise Stop("blocked", "package-lock", holder or zypp.why(said))
    if said.code == zypp.NOT_FOUND:
        raise Stop("superseded", "candidate-changed", zypp.why(said))
    if said.code not in zypp.DONE:
        raise Stop("refused", code, zypp.why(said))
    return said


def refresh(change):
    """Fetch the host's metadata anew: zypper would take what it has for good, whatever the keys are
    now, and its signature is the only one that is checked of a signed repository."""
    if change.options.get("refresh", "system") == "none":
        return
    said = zypp.call(["refresh", "--force"], refresh=True, lock_seconds=lock_seconds(change),
                     seconds=min(REFRESH_SECONDS, change.remaining()))
    change.add_log(said.log())
    if said.code == zypp.LOCKED:
        raise Stop("blocked", "package-lock", packagelock.wait_free(0) or zypp.why(said))
    causes = zypp.causes(said)
    if causes:
        raise Stop("refused", "metadata-refresh-failed", "; ".join(causes))


def named(item):
    """`name.arch`, as zypper takes it."""
    return "%s.%s" % (item["name"], item["arch"]) if item.get("arch") else item["name"]


def identity(row):
    """What a package is known by in zypper's summary."""
    return rpmdb.key(row["name"], row.get("arch", ""))


def compare_candidates(change):
    """zypper is asked without versions, so it chooses today's candidates: an approved version that
    is not among them is no longer the candidate."""
    todo = change.todo()
    words = ["update", "--dry-run", *CHOICE, *map(named, todo)]
    found = zypp.changes(ask(change, words, "cannot-resolve", SOLVE_SECONDS))
    offered = {identity(row): row["to"] for row in zypp.incoming(found)}
    gone = [
        (change.key(item), item["to"], offered.get(change.key(item), "nothing"))
        for item in todo if offered.get(change.key(item)) != item["to"]
    ]
    if gone:
        change.notes["superseded"] = [name for name, _, _ in gone]
        raise Stop("superseded", "candidate-changed", "; ".join(
            "%s: approved %s, offered %s" % row for row in gone))


def exact(items, *options):
    """The words that have zypper install the approved versions."""
    versions = ["%s=%s" % (named(item), zypperfiles.version_of(item)) for item in items]
    return ["install", *options, *CHOICE, "--details", *versions]


def download(change, folder):
    """Download what the check has not staged; returns the approved new packages that come.

    Stop when the update would go beyond what was approved.
    """
    words = exact(change.todo(), "--download-only")
    said = ask(change, words, "download-failed", change.remaining(), packages=folder)
    return judged(change, zypp.changes(said))


def judged(change, found):
    """The approved new packages in zypper's summary; Stop when it would do more than approved."""
    approved = {change.key(item): item["to"] for item in change.items}
    seen = {identity(row): row["to"] for row in zypp.incoming(found)}
    new = {name: version for name, version in seen.items() if name not in change.before}
    removals = [row["name"] for row in found.get("to-remove", [])]
    beyond = sideeffects.beyond(change.options, sorted(new.items()), removals)
    beyond += ["would change %s to %s" % (name, version) for name, version in sorted(seen.items())
               if name not in new and approved.get(name) != version]
    for section in sorted(set(found) - {"to-upgrade", "to-install", "to-remove"}):
        action = section[len("to-"):].replace("-", " ")
        beyond += ["would %s %s" % (action, row["name"]) for row in found[section]]
    if beyond:
        raise Stop("refused", "beyond-approval", "; ".join(beyond))
    missing = sorted(change.key(item) for item in change.todo() if change.key(item) not in seen)
    if missing:
        raise Stop("refused", "cannot-resolve", "zypper would not update %s" % ", ".join(missing))
    return [row for row in sideeffects.approved_new(change.options) if row["key"] in new]


def prove(rows, folder):
    """Stop when a downloaded file is not the approved one."""
    wrong = zypperfiles.wrong(rows, folder)
    if wrong:
        raise Stop("refused", "wrong-sha256", "; ".join(wrong))


def install(change, folder, first):
    """Install what was downloaded, within the time limit; mend what a killed rpm leaves.

    `first`: no earlier attempt of this transaction began to install.
    """
    words = exact(change.todo(), "--download", "in-advance")
    try:
        said = zypp.call(words, packages=folder, seconds=change.remaining(),
                         lock_seconds=lock_seconds(change))
    except ValueError as error:
        rpmmend.mend(change)
        raise Stop("failed", "install-failed", str(error)) from None
    change.add_log(said.log())
    if said.code == zypp.LOCKED:
        if first:
            change.note(installing=False)
        raise Stop("blocked", "package-lock", packagelock.wait_free(0) or zypp.why(said))
    if said.code in zypp.DONE:
        compare_done(change, said)
        change.note(whole=True)
        return
    if said.code is None:
        leftovers.end(change.transaction)
    trouble = zypp.why(said)
    if said.code is not None:
        trouble = "zypper ended with %d: %s" % (said.code, trouble)
    if not rpmmend.whole_after_all(change, said.code) or said.code == zypp.SCRIPT_FAILED:
        raise Stop("failed", "install-failed", trouble)
    change.answer.problem("repaired", trouble, "Every approved version is there.")


def compare_done(change, said):
    """Stop when zypper did more than was judged before: someone changed the host meanwhile."""
    try:
        judged(change, zypp.changes(said))
    except Stop as stop:
        raise Stop("failed", "install-failed", "zypper did more than it was asked to: %s" % (
            stop)) from None


def recover(change):
    """After a cut-off attempt: mend, and have the scripts of what came by it run to their end."""
    rpmmend.settle(change)
    change.begin_installing([])
    rows = rpmmend.arrived(change)
    if rows and not change.notes.get("whole"):
        install_again(change, rows)


def install_again(change, rows):
    """Install versions that are there once more, so that their scripts come to their end."""
    folder = state.private_folder(state.folder(change.transaction, "packages"))
    try:
        zypperfiles.lend(rows, folder)
        again = exact(rows, "--force", "--download-only")
        ask(change, again, "install-failed", change.remaining(), packages=folder)
        prove(rows, folder)
        again = exact(rows, "--force", "--download", "in-advance")
        ask(change, again, "install-failed", change.remaining(), packages=folder)
    except (Stop, ValueError) as error:
        change.answer.stop("failed", "install-failed", str(error), HINTS["install-failed"])
    finally:
        shutil.rmtree(folder)
