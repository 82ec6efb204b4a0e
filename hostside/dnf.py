"""Asks dnf what is pending, with advisories (SOP step 2), and has its writer change packages."""

import json
import os
import platform
import re
import shutil
import sys
import tempfile

from hostside import dnfreader, dnfwriter, rpmdb, rpmitems, staging
from hostside.command import run, which
from hostside.pending import Pending

READ_SECONDS = 600
DOWNLOAD_SECONDS = 1800
installed, half_configured, key = rpmdb.installed, rpmdb.half_configured, rpmdb.key


def reboot_required():
    """Whether a kernel other than the running one was installed last (`/boot` tells)."""
    newest = newest_kernel()
    return bool(newest) and newest != platform.release()


def newest_kernel():
    """Release of the kernel installed last, "" on a host without kernel packages (container)."""
    result = run(["rpm", "-q", "--last", "kernel-core"], timeout=60)
    match = re.match(r"^kernel-core-(\S+)", result.out) if result.ok else None
    return match.group(1) if match else ""


def interpreter():
    """The Python that dnf runs under, by the first line of its program."""
    path = which("dnf-3") or which("dnf")
    if path:
        with open(path, "rb") as handle:
            first = handle.readline(200).decode("utf-8", "replace").strip()
        match = re.match(r"^#!\s*(\S*python\S*)", first)
        if match and os.access(match.group(1), os.X_OK):
            return match.group(1)
    return sys.executable


def ask(options):
    """The reader's answer as a dict; raises ValueError with what dnf said when there is none."""
    source = dnfreader.__loader__.get_source(dnfreader.__name__)
    result = run(
        [interpreter(), "-I", "-c", source, json.dumps(options)],
        timeout=READ_SECONDS, limit=64 * 1024 * 1024,
    )
    if result.code is None:
        raise ValueError("dnf did not end within %d s" % READ_SECONDS)
    if not result.ok:
        raise ValueError(result.tail(1))
    answer = json.loads(result.out.strip().splitlines()[-1])
    if "error" in answer:
        raise ValueError(answer["error"])
    if answer["causes"]:
        answer["causes"] += parse_details(result.err)
    return answer


def parse_details(text):
    """What dnf says of each address that failed: `Status code: 404 for http://…`."""
    return re.findall(r"^\s+- (.+)$", text, re.MULTILINE)


def pending(refresh="private", advisories=True, stage_reserve_mb=None):
    """What a full upgrade would bring, as a Pending; `refresh` is private, system or none.

    dnf's metadata holds the advisories, so they cost nothing; without `advisories` they are
    left out, while the class of an item still follows from them. With `stage_reserve_mb` the
    package files are downloaded and proven (hostside/staging.py).
    """
    folder = tempfile.mkdtemp(prefix="sop-run-check-", dir="/var/tmp")
    options = {"refresh": refresh, "folder": folder}
    staged = stage_reserve_mb is not None and os.geteuid() == 0
    try:
        if staged:
            staging.open_folder()
            options["stage"] = {
                "folder": staging.FOLDER, "room": staging.room(stage_reserve_mb)}
        answer = ask(options)
        found = rpmitems.build(answer)
        if staged and not found.failed:
            rpmitems.stage(answer, found)
        elif stage_reserve_mb is not None and not staged:
            found.staged = staging.not_root()
        for entry in () if advisories else found.items:
            entry["advisories"], entry["severity"] = [], ""
        return found
    except ValueError as error:
        found = Pending()
        found.fail("pending-list-failed", str(error))
        return found
    finally:
        shutil.rmtree(folder)


def ask_writer(options, seconds=DOWNLOAD_SECONDS):
    """Run hostside/dnfwriter.py under dnf's interpreter; returns (its dict, the Result).

    The dict has status `failed` when the process gave none.
    """
    source = dnfwriter.__loader__.get_source(dnfwriter.__name__)
    result = run([interpreter(), "-I", "-c", source, json.dumps(options)], timeout=seconds)
    try:
        return dict(json.loads(result.out.strip().splitlines()[-1])), result
    except (IndexError, ValueError):
        why = "ended at the limit of %d s" % seconds if result.code is None else result.tail(3)
        return {"status": "failed", "code": "dnf-failed", "message": why}, result


def keep(folder, wanted):
    """Download installed versions ({key: (name, version, arch)}) into a folder: {key: file name}.

    Raises ValueError, naming them, when a version is in no repository any more.
    """
    answer, _ = ask_writer({"action": "keep", "folder": folder, "refresh": False, "packages": [
        {"key": known, "name": name, "version": version, "arch": arch}
        for known, (name, version, arch) in sorted(wanted.items())
    ]})
    if answer["status"] != "ok":
        raise ValueError("%s: %s" % (answer["code"], answer["message"]))
    return answer["files"]
