"""Keeps and puts back .rpm files of installed versions; the rpm half of the back end `packages`.

An .rpm cannot be rebuilt from installed files without rpmrebuild, so a version that no repository
carries any more is a refusal, not a guess.
"""

import os
import platform

from hostside import dnf, durable, hostinfo, rpmdb, zyppdownload
from hostside.command import run
from hostside.unusable import Unusable

# What downloads installed versions from the host's repositories, by package manager.
SOURCES = {"dnf": dnf.keep, "zypper": zyppdownload.keep}
NAME = "%{NAME}\\t%{EPOCH}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}"


def architectures():
    """{key: (name, version, arch)} of installed packages."""
    result = run(["rpm", "-qa", "--qf", NAME + "\\n"], timeout=120)
    if not result.ok:
        raise Unusable("rpm -qa: %s" % result.tail())
    found = {}
    for line in result.out.splitlines():
        name, version, arch = identity(line)
        found[rpmdb.key(name, arch)] = (name, version, arch)
    return found


def identity(line):
    """(name, version, arch) from rpm's line; an epoch of 0 is left out."""
    name, epoch, version, arch = line.split("\t")
    return name, (version if epoch in ("0", "(none)") else "%s:%s" % (epoch, version)), arch


def keep(folder, names):
    """Keep the .rpm of every installed package in `names`: {key: {file, sha256, version, origin}}.

    Raises Unusable, naming them, when a version is in no repository any more.
    """
    installed = architectures()
    wanted = {key: installed[key] for key in names if key in installed}
    if not wanted:
        return {}
    try:
        files = SOURCES[hostinfo.package_manager()](folder, wanted)
    except ValueError as error:
        raise Unusable(str(error)) from None
    kept = {}
    for key, name in files.items():
        path = os.path.join(folder, name)
        shown = run(["rpm", "-qp", "--qf", NAME, path], timeout=60)
        if not shown.ok or identity(shown.out) != wanted[key]:
            raise Unusable("the package file kept for %s is no good: %s" % (key, shown.tail(2)))
        kept[key] = {"file": name, "sha256": durable.file_sha256(path),
                     "version": wanted[key][1], "origin": "original"}
    return kept


def restore(folder, kept, new_names):
    """rpm puts the kept versions back and removes what the update brought; raises Unusable."""
    now = rpmdb.installed()
    files = [
        os.path.join(folder, entry["file"]) for key, entry in sorted(kept.items())
        if now.get(key) != entry["version"]
    ]
    if files:
        result = run(["rpm", "-U", "--oldpackage", "--replacepkgs", *files], timeout=1800)
        if not result.ok:
            raise Unusable("rpm could not put the packages back: %s" % result.tail(8))
    present = rpmdb.installed()
    left = sorted(key for key, entry in kept.items() if present.get(key) != entry["version"])
    if left:
        raise Unusable("rpm did not put back %s" % ", ".join(left))
    surplus = sorted(name for name in set(new_names) if name in present)
    if surplus:
        result = run(["rpm", "-e", *surplus], timeout=900)
        if not result.ok:
            raise Unusable("rpm could not remove what the update brought: %s" % result.tail(8))


def paths_of(names):
    """Files of installed packages, [] for none."""
    if not names:
        return []
    return run(["rpm", "-ql", *sorted(names)], timeout=120).out.splitlines()


def side_by_side():
    """Names of packages whose versions SUSE installs side by side: kernels and their modules."""
    result = run(["rpm", "-q", "--whatprovides", "--qf", "%{NAME}\\n", "multiversion(kernel)"],
                 timeout=60)
    return set(result.out.split()) if result.ok else set()


def drop_duplicates(approved):
    """After an interrupted transaction: remove the older of two versions of an approved package.

    rpm installs the new version first and erases the old one last; returns [(item, what was
    erased)]. Scripts of the new version may not have come to their end.
    """
    erased, together = [], side_by_side()
    for item in approved:
        if item["name"].startswith("kernel") or item["name"] in together:
            continue  # several kernels are installed side by side
        result = run(["rpm", "-q", "--qf", NAME + "\\n", item["name"]], timeout=60)
        rows = [identity(x) for x in result.out.splitlines() if x.count("\t") == 3]
        mine = [r for r in rows if r[2] == (item.get("arch") or platform.machine())]
        versions = [version for _, version, _ in mine]
        if item["to"] in versions and item["from"] in versions and len(versions) == 2:
            old = "%s-%s.%s" % (item["name"], item["from"].split(":")[-1], mine[0][2])
            if run(["rpm", "-e", "--nodeps", old], timeout=600).ok:
                erased.append((item, old))
    return erased
