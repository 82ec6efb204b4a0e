"""Reads rpm and dnf: what is installed and what is pending, with advisories (SOP step 2)."""

import json
import os
import platform
import re
import shutil
import sys
import tempfile

from hostside import dnfreader, staging
from hostside.command import run, which
from hostside.pending import Pending, item

QUERY = "%{NAME}\\t%{ARCH}\\t%{EPOCH}\\t%{VERSION}-%{RELEASE}\\t%{INSTALLTIME}\\n"
READ_SECONDS = 600
ASKS_FOR_REBOOT = re.compile(
    r"^(kernel(-core|-rt|-rt-core|-uek.*)?|glibc|systemd|dbus|dbus-broker|linux-firmware"
    r"|microcode_ctl)$|-kernel$"
)


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
    result = run(["rpm", "-qa", "--qf", QUERY], timeout=120)
    if not result.ok:
        raise OSError("rpm -qa: %s" % result.tail())
    found = parse_rpm(result.out)
    return found if names is None else {name: found[name] for name in names if name in found}


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


def build_item(upgrade):
    """One upgrade of the reader as an item of the contract."""
    advisory = upgrade["advisories"]
    entry = item(
        "security" if advisory["security"] else "system",
        upgrade["name"], upgrade["arch"], upgrade["from"], upgrade["to"],
    )
    entry["source"] = upgrade["repo"]
    entry["size"] = upgrade["size"]
    entry["sha256"] = upgrade["sha256"]
    entry["severity"] = advisory["severity"]
    entry["advisories"] = advisory["ids"] + advisory["cves"]
    entry["reboot"] = advisory["reboot"] or bool(ASKS_FOR_REBOOT.search(upgrade["name"]))
    return entry


def build(answer):
    """The reader's answer as a Pending."""
    found = Pending()
    if answer["causes"]:
        found.fail("metadata-refresh-failed", "\n".join(answer["causes"]))
        return found
    found.items = [build_item(upgrade) for upgrade in answer["upgrades"]]
    found.new_packages = [
        {key: new[key] for key in ("name", "arch", "version", "size", "sha256")}
        for new in answer["new"]
    ]
    found.removals = answer["removals"]
    found.withheld = answer["withheld"]
    found.without_source = answer.get("without_source")
    found.installed = answer.get("installed", 0)
    if answer["unsigned"]:
        found.note(
            "repository-unsigned",
            "no signature is checked for: %s" % ", ".join(answer["unsigned"]),
        )
    return found


def stage(answer, found):
    """Settle what the reader downloaded: `found.staged` tells it, a failure is a finding."""
    names = [row["file"] for row in answer["upgrades"] + answer["new"]]
    entries = found.items + found.new_packages
    wanted = {name: entries[index] for index, name in enumerate(names)}
    staged = staging.settle(wanted)
    staging.prune(set(wanted))
    staged.reason = answer["staging"] or staged.reason
    if staged.missing or staged.reason:
        found.note("staging-failed", "not downloaded: %s (%s)" % (
            ", ".join(sorted(staged.missing)[:20]) or "–", staged.reason or "not offered"))
    found.staged = staged.fact()


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
        found = build(answer)
        if staged and not found.failed:
            stage(answer, found)
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
