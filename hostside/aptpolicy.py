"""Reads `apt-cache policy`: which versions sources offer, and why one is not taken (SOP step 2)."""

import re

# Priorities that a source gives itself (NotAutomatic: 1, ButAutomaticUpgrades: 100), as backports
# do: that nothing is taken from it is the distribution's choice, not a pin of the office.
NOT_AUTOMATIC = (1, 100)


def parse_policy(text):
    """`apt-cache policy` as {name: {installed, candidate, newer}}.

    `newer` lists the suites that offer a version above the installed one up to the candidate: a
    security version passed over by a later one still makes the update a security update.
    """
    packages, current, between = {}, None, False
    for line in text.splitlines():
        if line and not line.startswith(" "):
            current = packages.setdefault(
                line.rstrip(":"), {"installed": "", "candidate": "", "newer": []}
            )
            between = False
        elif current is not None:
            between = policy_line(line, current, between)
    return packages


def policy_line(line, package, between):
    """Take in one line of a package's policy; returns whether newer versions are being listed."""
    named = re.match(r"^  (Installed|Candidate): (\S+)", line)
    version = re.match(r"^ (\*\*\*|   ) (\S+) ", line)
    source = re.match(r"^ +-?\d+ \S+ (\S+)/\S+ \S+ Packages$", line)
    if named:
        package[named.group(1).lower()] = named.group(2)
    elif source:
        if between:
            package["newer"].append(source.group(1))
    elif version:
        if version.group(1) == "***":
            return False
        return between or version.group(2) == package["candidate"]
    return between


def parse_without_source(text):
    """Names in `apt-cache policy` that are installed and stand in no index of any source."""
    found, name, offered, here = [], "", True, False
    for line in [*text.splitlines(), "end:"]:
        if line and not line.startswith(" "):
            if here and not offered:
                found.append(name)
            name, offered, here = line.rstrip(":"), False, False
        elif line.startswith("  Installed: "):
            here = "(none)" not in line
        elif line.endswith(" Packages"):
            offered = True
    return found


def parse_pinned(text):
    """Newer versions that a pin keeps from being the candidate, as [{name, from, to, reason}].

    A version above the installed one that is not the candidate although its source is an ordinary
    one: then apt's preferences say so, by a low priority for it or a high one for the installed.
    """
    found, row, above = [], {}, []
    for line in [*text.splitlines(), "end:"]:
        if line and not line.startswith(" "):
            found += pinned_row(row, above)
            row, above = {"name": line.rstrip(":"), "from": "", "candidate": ""}, []
            listing = True
            continue
        named = re.match(r"^  (Installed|Candidate): (\S+)", line)
        version = re.match(r"^ (\*\*\*|   ) (\S+) (-?\d+)$", line)
        if named:
            row["from" if named.group(1) == "Installed" else "candidate"] = named.group(2)
        elif version and version.group(1) == "***":
            listing = False
        elif version and listing:
            above.append((version.group(2), int(version.group(3))))
    return found


def pinned_row(row, above):
    """The entry of one package, as a list; `above`: (version, priority) beyond the installed."""
    if not row or row["candidate"] != row["from"]:
        return []
    held = [version for version, priority in above if priority not in NOT_AUTOMATIC]
    if not held:
        return []
    return [{"name": row["name"], "from": row["from"], "to": held[0], "reason": "pinned"}]
