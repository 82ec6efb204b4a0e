"""Reads rpm's own database: what is installed, and where it lies; shared by dnf and zypper."""

import os
import platform

from hostside.command import run

QUERY = "%{NAME}\\t%{ARCH}\\t%{EPOCH}\\t%{VERSION}-%{RELEASE}\\t%{INSTALLTIME}\\n"


def key(name, arch):
    """`name`, or `name.arch` for a foreign architecture."""
    if not arch or arch in ("noarch", platform.machine()):
        return name
    return "%s.%s" % (name, arch)


def parse_rpm(text):
    """{key: version} from rpm's query; of several installed versions the one installed last."""
    rows = []
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 5 and fields[0] != "gpg-pubkey":
            name, arch, epoch, version, moment = fields
            if epoch not in ("(none)", "0"):
                version = "%s:%s" % (epoch, version)
            rows.append((int(moment) if moment.isdigit() else 0, key(name, arch), version))
    return {name: version for _, name, version in sorted(rows)}


def installed(names=None):
    """{name: version} of what rpm says is installed; versions as `epoch:version-release`."""
    result = run(["rpm", "-qa", "--qf", QUERY], timeout=120, limit=64 * 1024 * 1024)
    if not result.ok:
        raise OSError("rpm -qa: %s" % result.tail())
    found = parse_rpm(result.out)
    return found if names is None else {name: found[name] for name in names if name in found}


def half_configured():
    """Packages that are not finished: rpm has no such state."""
    return []


def folder():
    """The folder of rpm's database, links followed."""
    path = run(["rpm", "--eval", "%_dbpath"], timeout=60).out.strip()
    return os.path.realpath(path) if path.startswith("/") else "/var/lib/rpm"
