"""Asks zypper what is pending, with advisories and checksums (SOP step 2)."""

import os
import re
import shutil
import tempfile

from hostside import (
    hostinfo,
    rpmdb,
    rpmitems,
    rpmmetadata,
    rpmversion,
    staging,
    zypp,
    zyppdownload,
)
from hostside.command import run
from hostside.pending import Pending

CONFIGURATION = "/etc/zypp/zypp.conf"
CACHE = "/var/cache/zypp"
LOCK_SECONDS = 60
REBOOT_NEEDED = 102
SIMULATE = ("update", "--dry-run", "--no-recommends", "--details", "--auto-agree-with-licenses",
            "--type", "package")

installed, half_configured, key = rpmdb.installed, rpmdb.half_configured, rpmdb.key


def reboot_required():
    """Whether an update of a kernel, core library or service asks for a restart."""
    result = run(["zypper", "--non-interactive", "needs-rebooting"], timeout=60,
                 env={"ZYPP_READONLY_HACK": "1", "ZYPP_LOGFILE": os.devnull})
    return result.code == REBOOT_NEEDED


def pending(refresh="private", advisories=True, stage_reserve_mb=None):
    """What a full update would bring, as a Pending; `refresh` is private, system or none.

    Without `advisories` they are left out, while the class of an item still follows from them.
    With `stage_reserve_mb` the package files are downloaded and proven (hostside/staging.py).
    """
    folder = tempfile.mkdtemp(prefix="sop-run-check-", dir="/var/tmp")
    asker = Asker(refresh, folder)
    try:
        answer = read(asker, refresh, folder)
        found = rpmitems.build(answer)
        if stage_reserve_mb is not None and not found.failed:
            if os.geteuid() == 0:
                stage(asker, answer, folder, stage_reserve_mb)
                rpmitems.stage(answer, found)
            else:
                found.staged = staging.not_root()
        for entry in () if advisories else found.items:
            entry["advisories"], entry["severity"] = [], ""
        return found
    except (ValueError, OSError) as error:
        found = Pending()
        found.fail("pending-list-failed", str(error))
        return found
    finally:
        shutil.rmtree(folder)


class Asker:
    """zypper with one cache, private or the host's own."""

    def __init__(self, refresh, folder):
        self.cache = os.path.join(folder, "cache") if refresh == "private" else ""
        self.raw = os.path.join(self.cache, "raw") if self.cache else raw_folder()
        self.log = os.path.join(folder, "log")

    def refresh(self):
        """Fetch the metadata, signatures checked; returns why that failed, one line each."""
        seconds = None if self.cache else LOCK_SECONDS
        return zypp.causes(zypp.call(["refresh"], cache=self.cache, refresh=True,
                                     lock_seconds=seconds, log=self.log))

    def ask(self, *words):
        """What zypper says; raises ValueError when it fails."""
        said = zypp.call(words, cache=self.cache, log=self.log)
        if said.code not in zypp.DONE:
            raise ValueError("zypper %s: %s" % (words[0], zypp.why(said)))
        return said


def raw_folder():
    """Where the host keeps metadata, by zypp.conf."""
    text = hostinfo.read(CONFIGURATION)
    found = dict(re.findall(r"^[ \t]*(cachedir|metadatadir)[ \t]*=[ \t]*(\S+)", text, re.MULTILINE))
    return found.get("metadatadir") or os.path.join(found.get("cachedir") or CACHE, "raw")


def read(asker, refresh, folder):
    """Everything as one dict, see rpmitems; raises ValueError when zypper or the data fail."""
    if refresh != "none":
        causes = asker.refresh()
        if causes:
            return {"causes": causes}
    repositories = zypp.repositories(asker.ask("repos", "--details"))
    simulated = zypp.changes(asker.ask(*SIMULATE))
    listed = zypp.updates(asker.ask("list-updates", "--all", "--type", "package"))
    locked = zypp.locked(asker.ask("locks", "--solvables"))
    known = rpmdb.installed()
    offered, advisories = {}, []
    wanted = {name.rpartition(".")[0] for name in known if "." in name} | set(known)
    wanted |= {entry["name"] for entry in zypp.incoming(simulated)}
    for alias in (repository["alias"] for repository in repositories):
        try:
            paths = metadata(asker.raw, alias, folder)
            offered[alias] = packages_of(paths, wanted, folder)
            advisories += advisories_in(paths, wanted, folder)
        except ValueError as error:
            return {"causes": ["%s: %s" % (alias, error)]}
    return combine(
        known, simulated, repositories=repositories, listed=listed, locked=locked, offered=offered,
        advisories=advisories,
    )


def metadata(raw, alias, work):
    """{type: path} of a repository's metadata; raises ValueError when they list no packages."""
    paths = rpmmetadata.files(os.path.join(raw, alias.replace("/", "_")), work)
    if "primary" not in paths:
        raise ValueError("its metadata list no packages")
    return paths


def packages_of(paths, wanted, work):
    """What a repository offers of the names `wanted`, see rpmmetadata; raises ValueError."""
    return rpmmetadata.read(paths["primary"], rpmmetadata.Packages(wanted), work).found


def advisories_in(paths, wanted, work):
    """A repository's advisories about the names `wanted`, see rpmmetadata; raises ValueError."""
    if "updateinfo" not in paths:
        return []
    return rpmmetadata.read(paths["updateinfo"], rpmmetadata.Advisories(wanted), work).found


def combine(known, simulated, *, repositories, listed, locked, offered, advisories):
    """zypper's answers and the metadata as the one dict of rpmitems."""
    preferred = {(row["name"], row["arch"], row["to"]): row["repo"] for row in listed}
    upgrades, new = [], []
    for entry in zypp.incoming(simulated):
        before = known.get(rpmdb.key(entry["name"], entry["arch"]))
        repo, package = carried(entry, preferred, offered)
        if before is None:
            new.append(dict(package, name=entry["name"], arch=entry["arch"], version=entry["to"]))
        else:
            told = advisories_of((entry["name"], entry["arch"]), before, entry["to"], advisories)
            told["reboot"] |= package.pop("reboot")
            upgrades.append(dict(entry, **package, repo=repo, advisories=told, **{"from": before}))
    taken = {(entry["name"], entry["arch"]) for entry in upgrades}
    return {
        "causes": [],
        "upgrades": sorted(upgrades, key=lambda row: (row["name"], row["arch"])),
        "new": sorted(new, key=lambda row: (row["name"], row["arch"])),
        "staging": "",
        "removals": sorted(row["name"] for row in simulated.get("to-remove", [])),
        "withheld": withheld(listed, taken, locked),
        "unsigned": sorted(
            r["alias"] for r in repositories
            if r.get("repo_gpgcheck") == "0" and r.get("pkg_gpgcheck") == "0"
        ),
        "without_source": orphans(known, offered),
        "installed": len(known),
    }


def carried(entry, preferred, offered):
    """(repository, {size, sha256, file, reboot}) of an incoming package; raises ValueError."""
    identity = (entry["name"], entry["arch"])
    aliases = [alias for alias in offered if entry["to"] in offered[alias].get(identity, {})]
    if not aliases:
        raise ValueError("no repository's metadata list %s %s" % (entry["name"], entry["to"]))
    alias = preferred.get((*identity, entry["to"]), "")
    alias = alias if alias in aliases else aliases[0]
    package = dict(offered[alias][identity][entry["to"]])
    package["file"] = os.path.basename(package.pop("location"))
    return alias, package


def stage(asker, answer, folder, reserve_mb):
    """Download what the update would install to the staging folder; a failure is in `staging`."""
    staging.open_folder()
    rows = [(row, row["to"]) for row in answer["upgrades"]]
    rows += [(row, row["version"]) for row in answer["new"]]
    missing = [pair for pair in rows if not staging.has(pair[0]["file"], pair[0]["sha256"])]
    size, room = sum(row["size"] for row, _ in missing), staging.room(reserve_mb)
    if size > room:
        answer["staging"] = "%d bytes are needed, %d may be used" % (size, max(0, room))
    elif missing:
        wanted = {row["file"]: (row["name"], version, row["arch"]) for row, version in missing}
        there, why = zyppdownload.download(
            wanted, os.path.join(folder, "packages"), cache=asker.cache, log=asker.log,
            seconds=staging.SECONDS)
        answer["staging"] = why
        for name, path in there.items():
            shutil.move(path, staging.path_of(name))


def advisories_of(identity, before, after, advisories):
    """{ids, cves, severity, security, reboot} of what the step from `before` to `after` brings."""
    found = {"ids": set(), "cves": set(), "severity": "", "security": False, "reboot": False}
    rank = 0
    for advisory in advisories:
        version = advisory["packages"].get(identity)
        if version is None or rpmversion.compare(version, before) <= 0 or (
            rpmversion.compare(version, after) > 0
        ):
            continue
        found["ids"].add(advisory["id"])
        found["cves"].update(advisory["cves"])
        found["security"] |= advisory["type"] == "security"
        found["reboot"] |= advisory["reboot"]
        word = advisory["severity"].lower()
        if word in rpmitems.SEVERITIES and rpmitems.SEVERITIES.index(word) > rank:
            rank, found["severity"] = rpmitems.SEVERITIES.index(word), advisory["severity"]
    return dict(found, ids=sorted(found["ids"]), cves=sorted(found["cves"]))


def withheld(listed, taken, locked):
    """Newer versions that are not taken: `held` by a lock of the host's, else `kept-back`."""
    found = [
        {"name": row["name"], "from": row["from"], "to": row["to"],
         "reason": "held" if row["name"] in locked else "kept-back"}
        for row in listed if (row["name"], row["arch"]) not in taken
    ]
    return sorted(found, key=lambda row: row["name"])


def orphans(known, offered):
    """Names of installed packages that no enabled repository offers in any version."""
    there = {rpmdb.key(*identity) for packages in offered.values() for identity in packages}
    return sorted(set(known) - there)
