"""What an interrupted rpm leaves, and how it is brought to its end; shared by dnf and zypper.

rpm installs the new versions, each with its scripts, then erases the old ones, and runs the
transaction's last scripts at the very end. Killed early it leaves two versions of a package, killed
late it leaves nothing that can be seen. So whatever came by an attempt that is not known to have
ended well is installed once more.
"""

from hostside import keeprpm, leftovers, packagelock, rpmdb, sideeffects
from hostside.command import run

LOCK_SECONDS = 120


def mend(change):
    """Erase old versions that lie beside new ones; returns those items."""
    erased = keeprpm.drop_duplicates(change.items)
    if erased:
        change.answer.problem("duplicates-removed", ", ".join(old for _, old in erased), "")
    change.add_log(run(["rpm", "--verifydb"], timeout=300))
    return [item for item, _ in erased]


def whole_after_all(change, code):
    """Mend after an attempt that did not end well; returns whether it did all the same.

    `code`: how its tool ended. One that was killed may have left scripts that never ran.
    """
    cut = mend(change)
    change.now = rpmdb.installed()
    return not (change.todo() or cut or code is None or code < 0)


def settle(change):
    """After a cut-off attempt: let its package tool come to an end, or end it; then mend."""
    if not leftovers.wait(change.transaction, change.remaining()):
        leftovers.end(change.transaction)
    packagelock.wait_free(LOCK_SECONDS)
    mend(change)
    change.now = rpmdb.installed()


def arrived(change):
    """What this transaction has brought so far: {key, name, arch, version, sha256} of each."""
    rows = [dict(item, key=change.key(item), version=item["to"]) for item in change.items]
    rows += sideeffects.approved_new(change.options)
    return [
        {"key": row["key"], "name": row["name"], "arch": row.get("arch", ""),
         "version": row["version"], "sha256": row.get("sha256") or ""}
        for row in rows
        if change.now.get(row["key"]) == row["version"] != change.before.get(row["key"])
    ]
