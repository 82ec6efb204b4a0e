"""Finds apt's sources whose packages nobody's signature proves (SOP step 2). Reads only."""

import glob
import os
import re

FOLDER = "/etc/apt"
YES = ("yes", "true", "1", "with", "on", "enable")
RISKY = ("trusted", "allow-insecure", "allow-weak", "allow-downgrade-to-insecure")
# apt's own configuration that does the same for every source.
CONFIGURED = re.compile(
    r'^((?:Acquire::Allow\w*(?:Insecure|Weak)\w*|APT::Get::AllowUnauthenticated)) '
    r'"(?:1|true|yes|on|with|enable)";$',
    re.MULTILINE | re.IGNORECASE,
)
CREDENTIALS = re.compile(r"//[^/@\s]*@")


def parse_list(text):
    """Risky sources of a .list file, `URI SUITE (option)` each."""
    found = []
    for line in text.splitlines():
        match = re.match(r"^\s*deb\s+\[([^\]]*)\]\s+(\S+)\s+(\S+)", line)
        if match:
            options = dict(
                pair.lower().split("=", 1) for pair in match.group(1).split() if "=" in pair
            )
            found += risky(options, match.group(2), match.group(3))
    return found


def parse_sources(text):
    """Risky sources of a deb822 .sources file."""
    found = []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        fields = {
            name.lower(): value.strip()
            for name, value in re.findall(r"^([\w-]+):\s*(.*)$", "\n".join(lines), re.MULTILINE)
        }
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in ("no", "false", "0", "off", "disable"):
            continue
        found += risky(fields, fields.get("uris", ""), fields.get("suites", ""))
    return found


def risky(options, uri, suite):
    """One entry for each option that takes the proof away; passwords in addresses are left out."""
    address = CREDENTIALS.sub("//", uri)
    return [
        "%s %s (%s=yes)" % (address, suite, name)
        for name in RISKY if str(options.get(name, "")).lower() in YES
    ]


def unsigned(dump="", folder=FOLDER):
    """Every place that takes a source's proof away, with its file; OSError for an unreadable one.

    `dump` is what `apt-config dump` prints.
    """
    found = ["apt.conf: %s" % name for name in CONFIGURED.findall(dump)]
    paths = [os.path.join(folder, "sources.list")]
    for ending in ("list", "sources"):
        pattern = os.path.join(glob.escape(folder), "sources.list.d", "*." + ending)
        paths += sorted(glob.glob(pattern))
    for path in paths:
        if os.path.isfile(path):
            with open(path, "r", encoding="utf-8", errors="replace") as handle:
                text = handle.read(1024 * 1024)
            parse = parse_sources if path.endswith(".sources") else parse_list
            found += ["%s: %s" % (path, entry) for entry in parse(text)]
    return found
