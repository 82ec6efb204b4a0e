"""Asks zypper what is pending, with advisories and checksums (SOP step 2)."""

import os
import re
import shutil
import tempfile

from hostside import hostinfo, rpmdb, rpmitems, rpmmetadata, rpmversion, zypp
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


def pending(refresh="private", advisories=True):
    """What a full update would bring, as a Pending; `refresh` is private, system or none.

    Without `advisories` they are left out, while the class of an item still follows from them.
    """
    folder = tempfile.mkdtemp(prefix="sop-run-check-", dir="/var/tmp")
    try:
        found = rpmitems.build(read(refresh, folder))
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


def read(refresh, folder):
    """Everything as one dict, see rpmitems; raises ValueError when zypper or the data fail."""
    asker = Asker(refresh, folder)
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
    for alias in (repository["alias"] for repository in repositories):
        metadata = os.path.join(asker.raw, alias.replace("/", "_"))
        try:
            offered[alias], told = load(metadata, known, simulated, folder)
        except ValueError as error:
            return {"causes": ["%s: %s" % (alias, error)]}
        advisories += told
    return combine(
        known, simulated, repositories=repositories, listed=listed, locked=locked, offered=offered,
        advisories=advisories,
    )


def load(metadata, known, simulated, work):
    """(packages, advisories) of one repository, about what is installed."""
    wanted = {name.rpartition(".")[0] for name in known if "." in name} | set(known)
    wanted |= {entry["name"] for entry in zypp.incoming(simulated)}
    paths = rpmmetadata.files(metadata, work)
    if "primary" not in paths:
        raise ValueError("its metadata list no packages")
    packages = rpmmetadata.read(paths["primary"], rpmmetadata.Packages(wanted), work).found
    if "updateinfo" not in paths:
        return packages, []
    return packages, rpmmetadata.read(
        paths["updateinfo"], rpmmetadata.Advisories(wanted), work).found


def combine(known, simulated, *, repositories, listed, locked, offered, advisories):
    """zypper's answers and the metadata as the one dict of rpmitems."""
    preferred = {(row["name"], row["arch"], row["to"]): row["repo"] for row in listed}
    upgrades, new = [], []
    for entry in zypp.incoming(simulated):
        before = known.get(rpmdb.key(entry["name"], entry["arch"]))
        if before is None:
            new.append(entry["name"])
        else:
            upgrades.append(upgrade(entry, before, preferred, offered, advisories))
    taken = {(entry["name"], entry["arch"]) for entry in upgrades}
    return {
        "causes": [],
        "upgrades": sorted(upgrades, key=lambda row: (row["name"], row["arch"])),
        "new": sorted(new),
        "removals": sorted(row["name"] for row in simulated.get("to-remove", [])),
        "withheld": withheld(listed, taken, locked),
        "unsigned": sorted(
            r["alias"] for r in repositories
            if r.get("repo_gpgcheck") == "0" and r.get("pkg_gpgcheck") == "0"
        ),
        "without_source": orphans(known, offered),
        "installed": len(known),
    }


def upgrade(entry, before, preferred, offered, advisories):
    """One upgrade with repository, size, checksum and advisories."""
    identity = (entry["name"], entry["arch"])
    carried = [alias for alias in offered if entry["to"] in offered[alias].get(identity, {})]
    if not carried:
        raise ValueError("no repository's metadata list %s %s" % (entry["name"], entry["to"]))
    repo = preferred.get((*identity, entry["to"]), "")
    repo = repo if repo in carried else carried[0]
    file = offered[repo][identity][entry["to"]]
    told = advisories_of(identity, before, entry["to"], advisories)
    told["reboot"] |= file["reboot"]
    return {
        "name": entry["name"], "arch": entry["arch"], "from": before, "to": entry["to"],
        "repo": repo, "size": file["size"], "sha256": file["sha256"], "advisories": told,
    }


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
