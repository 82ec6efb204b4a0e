"""Reads rpm and dnf: what is installed and what is pending, with advisories (SOP step 2)."""

import json
import os
import platform
import re
import shutil
import sys
import tempfile

from hostside import dnfreader
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
    found.new_packages, found.removals = answer["new"], answer["removals"]
    found.withheld = answer["withheld"]
    found.without_source = answer.get("without_source")
    found.installed = answer.get("installed", 0)
    if answer["unsigned"]:
        found.note(
            "repository-unsigned",
            "no signature is checked for: %s" % ", ".join(answer["unsigned"]),
        )
    return found


def pending(refresh="private", advisories=True):
    """What a full upgrade would bring, as a Pending; `refresh` is private, system or none.

    dnf's metadata holds the advisories, so they cost nothing; without `advisories` they are
    left out, while the class of an item still follows from them.
    """
    folder = tempfile.mkdtemp(prefix="sop-run-check-", dir="/var/tmp")
    try:
        found = build(ask({"refresh": refresh, "folder": folder}))
        for entry in () if advisories else found.items:
            entry["advisories"], entry["severity"] = [], ""
        return found
    except ValueError as error:
        found = Pending()
        found.fail("pending-list-failed", str(error))
        return found
    finally:
        shutil.rmtree(folder)
