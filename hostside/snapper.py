"""Backup back end `snapper`: a snapshot in the list of the host's own snapper, restored by us.

Snapper makes, lists and deletes it, so an administrator sees it among the others. Its
`undochange` is not used: it takes a file whose size and modification time are equal for
unchanged, and so leaves broken files behind.
"""

import csv
import os
import re

from hostside import btrfs, hostinfo, naming
from hostside.command import run, which
from hostside.treebackend import TreeBackend
from hostside.unusable import Unusable

USERDATA = "sop-run"
SECONDS = 120
CONFIGS = "/etc/snapper/configs"
# Where distributions keep the list of configurations: Debian, SUSE and EL, others.
LISTS = ("/etc/default/snapper", "/etc/sysconfig/snapper", "/etc/conf.d/snapper")


def snapper(*words):
    """Run snapper without its D-Bus service, which may be down; raises Unusable when it fails."""
    result = run(["snapper", "--no-dbus", "--csvout", *words], timeout=SECONDS)
    if not result.ok:
        raise Unusable("snapper %s: %s" % (" ".join(words), result.tail(3)))
    return result.out


def rows(text):
    """snapper's table as dicts by column."""
    return list(csv.DictReader(text.splitlines()))


def configuration():
    """The name of snapper's configuration for /; "" for none."""
    for row in rows(snapper("list-configs")):
        if row.get("subvolume") == "/":
            return row.get("config", "")
    return ""


def configured():
    """Whether snapper has a configuration for /, by its files: snapper itself would write a log,
    and a dry run leaves nothing behind. What is taken later asks snapper itself."""
    listed = "".join(hostinfo.read(path) for path in LISTS)
    names = " ".join(re.findall(r'^SNAPPER_CONFIGS="([^"]*)"', listed, re.MULTILINE)).split()
    texts = [hostinfo.read(os.path.join(CONFIGS, name)) for name in names if "/" not in name]
    return any(re.search(r'^SUBVOLUME="/"\s*$', text, re.MULTILINE) for text in texts)


def number_among(listed, identity):
    """The number of our snapshot among the rows of `snapper list`; "" for none."""
    mark = "%s=%s" % (USERDATA, identity)
    for row in listed:
        if mark in [part.strip() for part in (row.get("userdata") or "").split(",")]:
            return row["number"]
    return ""


class Snapper(TreeBackend):
    """A snapshot of snapper with the userdata sop-run=ID."""

    def reason_against(self, request):
        """Why a snapshot of snapper would not do on this host; "" when it would."""
        reason = btrfs.BACKEND.reason_against(request)
        if reason:
            return reason
        if not which("snapper"):
            return "the program snapper is not installed"
        return "" if configured() else "snapper has no configuration for /"

    def number(self, identity):
        """The snapshot's number in snapper's list; "" for none."""
        words = ["-c", configuration(), "list", "--columns", "number,userdata"]
        return number_among(rows(snapper(*words)), naming.checked(identity))

    def exists(self, identity):
        """Whether snapper lists it."""
        return bool(self.number(identity))

    def location(self, identity):
        """The snapshot's path; raises Unusable when snapper does not list it."""
        number = self.number(identity)
        if not number.isdigit() or number == "0":
            raise Unusable("snapper lists no snapshot with %s=%s" % (USERDATA, identity))
        return os.path.join(btrfs.FOLDER, number, "snapshot")

    def make(self, identity, request):
        """Make the snapshot; snapper's own clean-up leaves it alone, our retention deletes it."""
        snapper(
            "-c", configuration(), "create", "--type", "single", "--read-only",
            "--cleanup-algorithm", "", "--userdata", "%s=%s" % (USERDATA, naming.checked(identity)),
            "--description", "before the update",
        )

    def sentences(self, identity):
        """Snapper lists it, it is there and read-only."""
        path = self.location(identity)
        return ["snapper lists it as number %s" % path.split("/")[2], *btrfs.sentences_of(path)]

    def delete(self, identity):
        """Delete the snapshot."""
        number = self.number(identity)
        if number:
            snapper("-c", configuration(), "delete", "--sync", number)


BACKEND = Snapper()
