"""Advisories of apt's items: from changelogs that the mirror serves or a package holds (SOP 2).

Bounded in time and bytes, and never a reason for a check to fail: what could not be read is
counted, so that an empty list of CVEs is never taken for "none".
"""

import os
import re
import shutil
import subprocess
import threading
import time
import zlib

from hostside import aptstage, changelog
from hostside.command import which

TOTAL_SECONDS = 60
FIRST_SECONDS = 15
TOGETHER = 20
CHANGELOG_LIMIT = 8 * 1024 * 1024
UNPACK_SECONDS = 15
APT_USER = "_apt"
BYTES_LIMIT = 256 * 1024 * 1024
QUICK = (
    "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=5",
    "-o", "Acquire::https::Timeout=5",
)
# Debian's urgency ranks an upload. `medium` is its default and says nothing; the words above it
# are used on purpose, and `critical` and `emergency` mean the same (Debian Policy 5.6.17).
SEVERITY = {"high": "high", "emergency": "critical", "critical": "critical"}
# The service answered, but has no changelog of this package; others may be there.
NOT_THERE = re.compile(r"Changelog unavailable for \S+( \(40[34] .*)?$", re.MULTILINE)
CAUSE = re.compile(r"Changelog unavailable for \S+ \((.*)\)$", re.MULTILINE)
SOURCE = re.compile(r"^(\S+)(?: \(([^)]+)\))?$")


class Wanted:
    """A source package whose changelog is looked for, for one or more items."""

    def __init__(self, package, arch, version, before, after):
        self.package = package  # a binary package of it, by which apt finds it
        self.arch = arch
        self.version = version  # of the binary package
        self.before = before  # source versions
        self.after = after
        self.items = []
        self.entries = None


def source_of(name, version, record):
    """(source package, source version) of a candidate, by its record in the index."""
    match = SOURCE.match(record.get("Source", ""))
    if not match:
        return name, version
    return match.group(1), match.group(2) or version


def group(items, records, source_versions):
    """One Wanted for each source package and pair of versions; security items first.

    `source_versions` maps an installed package (as in `apt.installed`) to its source's version.
    """
    found = {}
    for item in sorted(items, key=lambda entry: entry["class"] != "security"):
        record = records.get((item["name"], item["to"]), {})
        source, after = source_of(item["name"], item["to"], record)
        before = source_versions.get(item["name"]) or item["from"]
        wanted = found.setdefault(
            (source, before, after), Wanted(item["name"], item["arch"], item["to"], before, after)
        )
        wanted.items.append(item)
        if before == after:
            wanted.entries = []  # built anew from the same source: nothing was written about it
    return list(found.values())


def take(wanted, text):
    """Keep the entries between the versions, when `text` is the candidate's changelog."""
    wanted.entries = changelog.between(text, wanted.before, wanted.after) if text else None
    return wanted.entries is not None


def from_archives(wanted, folders):
    """Read the changelog inside a package that lies on the host already."""
    for folder in folders:
        for item in wanted.items:
            name = aptstage.file_name(item["name"], item["to"], item["arch"])
            path = os.path.join(folder, name)
            if os.path.isfile(path) and take(wanted, text_of_package(path, item["name"])):
                return


def text_of_package(path, name):
    """The Debian changelog inside a .deb; "" when it has none or cannot be read in time."""
    import tarfile  # late: it is slow

    names = ["./usr/share/doc/%s/%s" % (name, kind) for kind in
             ("changelog.Debian.gz", "changelog.gz", "changelog.Debian", "changelog")]
    process = subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, close_fds=True,
    )
    guard = threading.Timer(UNPACK_SECONDS, process.kill)
    guard.start()
    try:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                if member.name in names and member.isfile():
                    return unpack(archive.extractfile(member).read(CHANGELOG_LIMIT))
    except (OSError, tarfile.TarError):
        return ""
    finally:
        guard.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    return ""


def unpack(raw):
    """Text of a changelog's bytes, packed or not; at most 8 MiB."""
    if raw[:2] != b"\x1f\x8b":
        return raw.decode("utf-8", "replace")
    try:
        return zlib.decompressobj(31).decompress(raw, CHANGELOG_LIMIT).decode("utf-8", "replace")
    except zlib.error:
        return ""


def read_text(path):
    """The first 8 MiB of a changelog that apt downloaded; "" when there is none."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as handle:
            return unpack(handle.read(CHANGELOG_LIMIT))
    except OSError:  # none came, or it is no plain file
        return ""


def scratch(workspace):
    """A folder to download into, which apt's own user can write to when we are root."""
    folder = os.path.join(workspace.folder, "changelogs")
    os.mkdir(folder)
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, APT_USER)
        except LookupError:
            return folder  # no such user: apt then downloads as root
    return folder


def download(workspace, folder, group_of, seconds):
    """Ask apt for changelogs of several packages.

    Returns (why not all came or "", whether asking for others is worthwhile).
    """
    argv = ["apt-get", "-q", *QUICK, "changelog", "--download-only", "--"]
    argv += ["%s=%s" % (wanted.package, wanted.version) for wanted in group_of]
    if which("prlimit"):
        argv = ["prlimit", "--fsize=%d" % BYTES_LIMIT, *argv]
    # apt downloads into TMPDIR and renames from there: both must be on one file system.
    result = workspace.run(argv, timeout=seconds, cwd=folder, env={"TMPDIR": folder})
    for wanted in group_of:
        path = os.path.join(folder, wanted.package.split(":", 1)[0] + ".changelog")
        take(wanted, read_text(path))
    if result.code is None:
        return "the changelog service did not answer within %d s" % seconds, False
    came = any(wanted.entries is not None for wanted in group_of)
    return cause(result) if not result.ok else "", came or bool(
        result.ok or NOT_THERE.search(result.err)
    )


def cause(result):
    """Why changelogs did not come, in few words."""
    causes = sorted(set(CAUSE.findall(result.out + "\n" + result.err)))
    if not causes and NOT_THERE.search(result.err):
        return "the source names no changelog service"
    return "; ".join(causes[:3]) if causes else result.tail(1)


def from_service(workspace, missing, deadline):
    """Read changelogs that the mirror serves; returns the reason why some were not read, or "".

    The first one is asked for alone: a service that cannot be reached costs a few seconds once.
    """
    folder = scratch(workspace)
    reason, position, size, worthwhile = "", 0, 1, True
    while position < len(missing) and worthwhile:
        left = deadline - time.monotonic()
        if left < 1:
            return "the time for reading changelogs (%d s) was over" % TOTAL_SECONDS
        batch = missing[position:position + size]
        seconds = min(left, FIRST_SECONDS) if size == 1 else left
        words, worthwhile = download(workspace, folder, batch, seconds)
        reason = words or reason
        position, size = position + len(batch), TOGETHER
    return reason


def fill(wanted):
    """Write what the entries say into the items of a source package."""
    ids = changelog.advisories(wanted.entries)
    published = changelog.published(wanted.entries)
    severity = SEVERITY.get(changelog.urgency_of(wanted.entries), "")
    for item in wanted.items:
        item["advisories"] = list(ids)
        if published:
            item["published"] = published
        if item["class"] == "security":
            item["severity"] = severity


def add(workspace, items, records, source_versions, archives):
    """Fill advisories and severity of apt's items in place; returns `facts.advisories`.

    `{asked, read, missing, reason}`: source packages asked for and read, names of items without a
    changelog, and why. `archives` are folders where downloaded packages lie.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    everything = group(items, records, source_versions)
    for wanted in everything:
        if wanted.entries is None and time.monotonic() < deadline:
            from_archives(wanted, archives)
    missing = [wanted for wanted in everything if wanted.entries is None]
    reason = from_service(workspace, missing, deadline) if missing else ""
    for wanted in everything:
        if wanted.entries is not None:
            fill(wanted)
    unread = [wanted for wanted in everything if wanted.entries is None]
    return {
        "asked": len(everything),
        "read": len(everything) - len(unread),
        "missing": sorted({item["name"] for wanted in unread for item in wanted.items}),
        "reason": reason if unread else "",
    }
