"""What dnf's reader or zypper's says is pending, as the contract's items (SOP step 2).

Both give one shape: `causes` why the list cannot be trusted, else `upgrades` {name, arch, from, to,
repo, size, sha256, advisories {ids, cves, severity, security, reboot}}, `new`, `removals`,
`withheld`, `unsigned`, `without_source` and `installed`.
"""

import re

from hostside import staging
from hostside.pending import Pending, item

SEVERITIES = ("none", "low", "moderate", "important", "critical")
ASKS_FOR_REBOOT = re.compile(
    r"^(kernel(-core|-rt|-rt-core|-uek.*)?|kernel-(default|azure|kvmsmall)(-base)?|glibc|systemd"
    r"|udev|dbus|dbus-1|dbus-broker|linux-firmware|kernel-firmware.*|microcode_ctl"
    r"|ucode-(intel|amd))$|-kernel$"
)


def build_item(upgrade):
    """One upgrade as an item of the contract."""
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
