"""Changes packages with apt: refresh, simulate, download, prove, install, repair."""

import os
import re

from hostside import (
    apt,
    aptlists,
    aptstage,
    durable,
    leftovers,
    packagelock,
    sideeffects,
    staging,
)
from hostside.command import run

CACHE = "/var/cache/apt/archives"
LOCK_SECONDS = 120
REPAIR_SECONDS = 300
HUNG_REPAIR_SECONDS = 30  # a script that hung once is not given long to hang again
CONFFILES = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
COMMON = [
    "-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Get::AutomaticRemove=false",
    "-o", "APT::Get::AllowUnauthenticated=false",
    "-o", "Dir::Cache::archives=" + CACHE + "/", "-o", "Acquire::Retries=2",
]
ERROR = re.compile(r"^E: .*", re.MULTILINE)
KEPT = re.compile(r"Configuration file '([^']+)'")
KEEPING = re.compile(r"Keeping old config file|keep your currently-installed version")


def lock_option(change):
    """apt's own bounded wait for dpkg's lock."""
    return ["-o", "DPkg::Lock::Timeout=%d" % int(change.options.get("lock_seconds", LOCK_SECONDS))]


def carry_out(change):
    """Bring every item that is still to do to its approved version."""
    if not refreshed(change):
        return
    plan = simulated(change)
    if plan is None:
        return
    if not fetched(change, plan):
        return
    change.begin_installing([row["key"] for row in plan])
    install(change)


def refreshed(change):
    """Refresh the host's package lists, signatures checked; `refused` with the cause otherwise."""
    if change.options.get("refresh", "system") == "none":
        return True
    try:
        aptlists.refresh_system()
    except aptlists.MetadataError as error:
        change.answer.stop("refused", "metadata-refresh-failed", str(error),
                           "Look at the named source and its key; nothing was installed.")
        return False
    return True


def simulated(change):
    """Approved new packages that the update brings, or None with the reason in the answer.

    What it would install or remove besides the items must stand in the plan. apt is asked without
    versions, so it chooses today's candidates: an approved version that is not among them is no
    longer the candidate.
    """
    answer, todo = change.answer, change.todo()
    names = [change.key(item) for item in todo]
    result = run(["apt-get", "-s", *COMMON, "install", "--only-upgrade", *names], timeout=300)
    if not result.ok:
        answer.stop("refused", "cannot-resolve", result.tail(8),
                    "Repair the host's packages; nothing was installed.")
        return None
    upgrades, new, removals, _, _ = apt.parse_simulation(result.out)
    offered = {upgrade["name"]: upgrade["to"] for upgrade in upgrades}
    gone = [
        (change.key(item), item["to"], offered.get(change.key(item), "nothing"))
        for item in todo if offered.get(change.key(item)) != item["to"]
    ]
    if gone:
        change.notes["superseded"] = [name for name, _, _ in gone]
        answer.stop("superseded", "candidate-changed", "; ".join(
            "%s: approved %s, offered %s" % row for row in gone),
            "Check this host again and have the new version approved; nothing was installed.")
        return None
    incoming = {apt.key(package["name"], package["arch"]): package["to"] for package in new}
    beyond = sideeffects.beyond(change.options, sorted(incoming.items()), removals)
    beyond += ["would change %s" % name for name in sorted(set(offered) - set(names))]
    if beyond:
        answer.stop("refused", "beyond-approval", "; ".join(beyond),
                    "Have these approved too, or defer what needs them; nothing was installed.")
        return None
    return [row for row in sideeffects.approved_new(change.options) if row["key"] in incoming]


def exact(change):
    """The words that name the approved versions to apt."""
    return ["%s=%s" % (change.key(item), item["to"]) for item in change.todo()]


def fetched(change, new):
    """Download what the check has not staged, and prove every file's SHA-256; else `refused`."""
    answer = change.answer
    files = files_of(change.todo(), new)
    for name, sha256 in files.items():
        staging.lend(name, sha256, os.path.join(CACHE, name))
    result = run(
        ["apt-get", "-d", *COMMON, *lock_option(change),
         "install", "--only-upgrade", *exact(change)], timeout=change.remaining(),
    )
    change.add_log(result)
    if not result.ok:
        answer.stop("refused", "download-failed", errors(result),
                    "Look at the named source; nothing was installed.")
        return False
    wrong = [reason for reason in (wrong_file(*pair) for pair in files.items()) if reason]
    if wrong:
        answer.stop("refused", "wrong-sha256", "; ".join(wrong),
                    "What the source gives is not what was approved; nothing was installed.")
    return not wrong


def errors(result):
    """apt's own errors, which name file and cause; without any, the last lines of its output."""
    return "\n".join(ERROR.findall(result.out + "\n" + result.err)) or result.tail(6)


def files_of(items, new):
    """{file name: approved SHA-256} of everything that the update installs."""
    files = {aptstage.file_name(i["name"], i["to"], i.get("arch")): i.get("sha256", "")
             for i in items}
    files.update({aptstage.file_name(n["name"], n["version"], n["arch"]): n.get("sha256", "")
                  for n in new})
    return files


def wrong_file(name, sha256):
    """What is wrong with a downloaded file; "" when it is the approved one.

    A wrong file is removed, so that nobody installs it from the cache.
    """
    if not sha256:
        return ""
    path = os.path.join(CACHE, name)
    if not os.path.isfile(path):
        return "%s was not downloaded" % name
    found = durable.file_sha256(path)
    if found == sha256.lower():
        return ""
    os.unlink(path)
    return "%s has SHA-256 %s, approved %s" % (name, found, sha256)


def install(change):
    """Install what was downloaded, within the time limit; repair once when it fails."""
    removals = [] if change.options.get("allow_removals") else ["--no-remove"]
    todo = exact(change)
    with change.watch() as watch:
        result = run(
            ["apt-get", *COMMON, *CONFFILES, *lock_option(change), *removals, "--no-download",
             "install", "--only-upgrade", *todo], timeout=change.remaining(),
        )
    change.add_log(result)
    if watch.reason and not result.ok:
        # No repair: it would run the same scripts again, on a disk that is as full.
        change.out_of_room(watch.reason)
        clean_cache(change)
        return
    if result.code is None:
        leftovers.end(change.transaction)
        change.answer.problem(
            "time-limit", "installing was ended at the time limit: %s" % result.tail(3),
            "A maintainer script may hang; see log_tail.")
    if not result.ok:
        trouble = result.tail(6)
        seconds = HUNG_REPAIR_SECONDS if result.code is None else REPAIR_SECONDS
        repaired = repair(change, seconds)
        change.now = apt.installed()
        if not repaired or change.todo():
            change.answer.stop("failed", "install-failed", trouble, "Restore the host.")
        else:
            change.answer.problem("repaired", trouble, "dpkg --configure -a finished it.")
    clean_cache(change)


def clean_cache(change):
    """Remove the files of this update, staged ones too; the backup keeps the old versions."""
    files = files_of(change.items, sideeffects.approved_new(change.options))
    for name in files:
        path = os.path.join(CACHE, name)
        if os.path.isfile(path):
            os.unlink(path)
    staging.drop(files.values())


def repair(change, seconds):
    """Finish half-configured packages, once; returns whether dpkg is whole again.

    `apt-get -f install` runs only when it would do nothing beyond the approved versions.
    """
    result = run(["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"],
                 timeout=min(seconds, change.remaining()))
    change.add_log(result)
    if result.code is None:
        leftovers.end(change.transaction)
        return False
    fix = ["-f", "--no-remove", "install"]
    plan = run(["apt-get", "-s", *COMMON, *fix], timeout=120)
    upgrades, _, removals, _, _ = apt.parse_simulation(plan.out)
    approved = {change.key(item): item["to"] for item in change.items}
    if plan.ok and not removals and all(
        approved.get(upgrade["name"]) == upgrade["to"] for upgrade in upgrades
    ) and ("\nInst " in plan.out or "\nConf " in plan.out):
        change.add_log(run(["apt-get", *COMMON, *CONFFILES, *lock_option(change), *fix],
                           timeout=min(seconds, change.remaining())))
    return not apt.half_configured()


def recover(change):
    """After a cut-off attempt: let its apt come to an end, or end it; then repair."""
    if not leftovers.wait(change.transaction, change.remaining()):
        leftovers.end(change.transaction)
    packagelock.wait_free(LOCK_SECONDS)
    repair(change, REPAIR_SECONDS)


def kept_conffiles(log):
    """Configuration files whose local version stayed, from dpkg's output."""
    found, last = set(), ""
    for line in log.splitlines():
        match = KEPT.search(line)
        if match:
            last = match.group(1)
        if last and KEEPING.search(line):
            found.add(last)
    return sorted(found)
