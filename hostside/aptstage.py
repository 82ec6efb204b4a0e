"""Downloads what a full upgrade of an apt host would install, and proves it (SOP step 2)."""

import os

from hostside import staging

OPTIONS = ("-q", "-y", "-d", "-o", "APT::Get::AllowUnauthenticated=false", "-o",
           "Dir::Cache::archives=" + staging.FOLDER + "/")


def file_name(name, version, arch):
    """apt's name for a package file: the epoch's colon is written %3a."""
    return "%s_%s_%s.deb" % (name.split(":", 1)[0], version.replace(":", "%3a"), arch or "all")


def wanted_of(found):
    """{file name: entry} of everything that the upgrade would install."""
    wanted = {file_name(i["name"], i["to"], i["arch"]): i for i in found.items}
    wanted.update({file_name(n["name"], n["version"], n["arch"]): n for n in found.new_packages})
    return wanted


def stage(workspace, found, reserve_mb):
    """Bring the staged files to what `found` (a Pending) lists; its `staged` tells how it went.

    Only root can. A failure is a finding: the update then downloads for itself.
    """
    if os.geteuid() != 0:
        found.staged = staging.not_root()
        return
    wanted = wanted_of(found)
    staging.prune(set(wanted))
    if not wanted:
        found.staged = staging.Staged().fact()
        return
    staging.open_folder()
    missing = [n for n, entry in wanted.items() if not staging.has(n, entry["sha256"])]
    for name in missing:  # apt takes a file of the right size for complete
        staging.remove(name)
    reason = ""
    size, room = sum(wanted[n]["size"] for n in missing), staging.room(reserve_mb)
    if size > room:
        reason = "%d bytes are needed, %d may be used" % (size, max(0, room))
    elif missing:
        reason = download(workspace)
    staged = staging.settle(wanted)
    if staged.missing:
        staged.reason = reason or staged.reason or "not offered"
        found.note("staging-failed", "not downloaded: %s (%s)" % (
            ", ".join(sorted(staged.missing)[:20]), staged.reason))
    found.staged = staged.fact()


def download(workspace):
    """Have apt download and verify everything; returns what went wrong, or ""."""
    result = workspace.run(["apt-get", *OPTIONS, "dist-upgrade"], timeout=staging.SECONDS)
    if result.code is None:
        return "ended after %d s" % staging.SECONDS
    return "" if result.ok else result.tail(3)
