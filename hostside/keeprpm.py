"""Keeps and puts back .rpm files of installed versions; the rpm half of the back end `packages`.

An .rpm cannot be rebuilt from installed files without rpmrebuild, so a version that no repository
carries any more is a refusal, not a guess.
"""

import json
import os
import platform

from hostside import dnf, dnfwriter, durable
from hostside.command import run
from hostside.unusable import Unusable

DOWNLOAD_SECONDS = 1800
NAME = "%{NAME}\\t%{EPOCH}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}"


def ask(options, seconds=DOWNLOAD_SECONDS):
    """Run hostside/dnfwriter.py under dnf's interpreter; returns (its dict, the Result).

    The dict has status `failed` when the process gave none.
    """
    source = dnfwriter.__loader__.get_source(dnfwriter.__name__)
    result = run([dnf.interpreter(), "-I", "-c", source, json.dumps(options)], timeout=seconds)
    try:
        return dict(json.loads(result.out.strip().splitlines()[-1])), result
    except (IndexError, ValueError):
        why = "ended at the limit of %d s" % seconds if result.code is None else result.tail(3)
        return {"status": "failed", "code": "dnf-failed", "message": why}, result


def architectures():
    """{key: (name, version, arch)} of installed packages."""
    result = run(["rpm", "-qa", "--qf", NAME + "\\n"], timeout=120)
    if not result.ok:
        raise Unusable("rpm -qa: %s" % result.tail())
    found = {}
    for line in result.out.splitlines():
        name, version, arch = identity(line)
        found[dnf.key(name, arch)] = (name, version, arch)
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
    answer, _ = ask({"action": "keep", "folder": folder, "refresh": False, "packages": [
        {"key": key, "name": name, "version": version, "arch": arch}
        for key, (name, version, arch) in sorted(wanted.items())
    ]})
    if answer["status"] != "ok":
        raise Unusable("%s: %s" % (answer["code"], answer["message"]))
    kept = {}
    for key, name in answer["files"].items():
        path = os.path.join(folder, name)
        shown = run(["rpm", "-qp", "--qf", NAME, path], timeout=60)
        if not shown.ok or identity(shown.out) != wanted[key]:
            raise Unusable("the package file kept for %s is no good: %s" % (key, shown.tail(2)))
        kept[key] = {"file": name, "sha256": durable.file_sha256(path),
                     "version": wanted[key][1], "origin": "original"}
    return kept


def restore(folder, kept, new_names):
    """rpm puts the kept versions back and removes what the update brought; raises Unusable."""
    now = dnf.installed()
    files = [
        os.path.join(folder, entry["file"]) for key, entry in sorted(kept.items())
        if now.get(key) != entry["version"]
    ]
    if files:
        result = run(["rpm", "-U", "--oldpackage", "--replacepkgs", *files], timeout=1800)
        if not result.ok:
            raise Unusable("rpm could not put the packages back: %s" % result.tail(8))
    present = dnf.installed()
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


def drop_duplicates(approved):
    """After an interrupted transaction: remove the older of two versions of an approved package.

    rpm installs the new version first and erases the old one last; returns what was erased.
    """
    erased = []
    for item in approved:
        if item["name"].startswith("kernel"):
            continue  # several kernels are installed side by side
        result = run(["rpm", "-q", "--qf", NAME + "\\n", item["name"]], timeout=60)
        rows = [identity(x) for x in result.out.splitlines() if x.count("\t") == 3]
        mine = [r for r in rows if r[2] == (item.get("arch") or platform.machine())]
        versions = [version for _, version, _ in mine]
        if item["to"] in versions and item["from"] in versions and len(versions) == 2:
            old = "%s-%s.%s" % (item["name"], item["from"].split(":")[-1], mine[0][2])
            if run(["rpm", "-e", "--nodeps", old], timeout=600).ok:
                erased.append(old)
    return erased
