"""ClamAV on a host: engine, databases, daemon, and what its mirror offers. Reads only."""

import calendar
import glob
import os
import re
import time

from hostside import systemd
from hostside.answer import utc
from hostside.command import run, which

FRESHCLAM_CONF = ("/etc/clamav/freshclam.conf", "/etc/freshclam.conf")
DATABASE_DIRECTORY = "/var/lib/clamav"
NAMES = ("main", "daily", "bytecode")
UNITS = ("clamav-daemon.service", "clamd@scan.service", "clamd.service")
HEADER = 512
OFFICIAL = re.compile(r"(^|\.)clamav\.net$")
MIRROR_TIMEOUT = 10


def installed():
    """Whether ClamAV's scanner or updater is on the host."""
    return any(which(name) for name in ("freshclam", "clamscan", "clamd"))


def engine():
    """The engine's version such as `1.0.7`; "" when the host has none."""
    for name in ("clamscan", "freshclam", "clamd"):
        if which(name):
            match = re.match(r"ClamAV ([^/\s]+)", run([name, "--version"], timeout=30).out)
            if match:
                return match.group(1)
    return ""


def parse_configuration(text):
    """freshclam.conf as {option: [values]}; the first word `Example` disables the whole file."""
    options = {}
    for line in text.splitlines():
        words = line.strip().split(None, 1)
        if words and not words[0].startswith("#"):
            value = words[1].strip().strip('"') if len(words) > 1 else ""
            options.setdefault(words[0], []).append(value)
    return options


def configuration():
    """The host's freshclam options; raises OSError when there is a file that cannot be read."""
    for path in FRESHCLAM_CONF:
        if os.path.exists(path):
            with open(path, "r", encoding="utf-8", errors="replace") as handle:
                return parse_configuration(handle.read(1024 * 1024))
    return {}


def database_directory(options=None):
    """The folder that freshclam writes to."""
    options = configuration() if options is None else options
    return options.get("DatabaseDirectory", [DATABASE_DIRECTORY])[0]


def parse_header(raw):
    """`{version, built}` from the first 512 bytes of a .cvd or .cld file, or None.

    The header reads `ClamAV-VDB:09 Sep 2024 04-26 -0400:27393:...`; `built` is UTC, ISO 8601.
    """
    fields = raw[:HEADER].decode("ascii", "replace").split(":")
    if fields[0] != "ClamAV-VDB" or len(fields) < 4 or not fields[2].isdigit():
        return None
    return {"version": fields[2], "built": parse_built(fields[1])}


def parse_built(text):
    """`09 Sep 2024 04-26 -0400` → `2024-09-09T08:26:00Z`; "" when it is no such date."""
    match = re.match(r"^(\d+ \w+ \d+ \d+-\d+)(?::\d+)? ([+-])(\d\d)(\d\d)$", text.strip())
    if not match:
        return ""
    try:
        moment = calendar.timegm(time.strptime(match.group(1), "%d %b %Y %H-%M"))
    except ValueError:
        return ""
    offset = int(match.group(3)) * 3600 + int(match.group(4)) * 60
    return utc(moment - offset if match.group(2) == "+" else moment + offset)


def databases(folder=None):
    """Installed databases `[{name, version, built}]`; the newer of .cvd and .cld counts."""
    folder = database_directory() if folder is None else folder
    found = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.c[vl]d"))):
        with open(path, "rb") as handle:
            header = parse_header(handle.read(HEADER))
        name = os.path.splitext(os.path.basename(path))[0]
        if header and (name not in found or int(header["version"]) > int(found[name]["version"])):
            found[name] = {"name": name, "version": header["version"], "built": header["built"]}
    return [found[name] for name in sorted(found)]


def daemon():
    """`active`, `inactive` or `absent`."""
    if systemd.available():
        shown = systemd.show(UNITS)
        loaded = [unit for unit in shown.values() if unit.get("LoadState") == "loaded"]
        if any(unit.get("ActiveState") == "active" for unit in loaded):
            return "active"
        return "inactive" if loaded else "absent"
    if any(command_name(pid) == "clamd" for pid in os.listdir("/proc") if pid.isdigit()):
        return "active"
    return "inactive" if which("clamd") else "absent"


def command_name(pid):
    """The name of a running process; "" when it ended meanwhile."""
    try:
        with open("/proc/%s/comm" % pid, "r") as handle:
            return handle.read(64).strip()
    except OSError:
        return ""


def mirrors(options):
    """Addresses to ask for databases, in freshclam's order, official mirrors left out.

    The official mirrors refuse everything but freshclam itself (403, with a cool-down for the
    whole address), so they are never asked from here.
    """
    found = []
    for value in options.get("PrivateMirror", []) + options.get("DatabaseMirror", []):
        address = value if "://" in value else "https://" + value
        host = re.sub(r"^\w+://([^/:]*).*$", r"\1", address)
        if not OFFICIAL.search(host):
            found.append(address.rstrip("/"))
    return found


def wanted(options):
    """Database names that freshclam keeps on this host."""
    excluded = set(options.get("ExcludeDatabase", []))
    names = [name for name in NAMES if name not in excluded]
    if options.get("Bytecode", ["yes"])[0].lower() in ("no", "false", "0"):
        names = [name for name in names if name != "bytecode"]
    return names + [name for name in options.get("ExtraDatabase", []) if name not in names]


def mirror_versions(options=None):
    """What the private mirror offers: {name: version}; {} when only official mirrors are set.

    Raises OSError naming the address when no private mirror answers.
    """
    options = configuration() if options is None else options
    addresses = mirrors(options)
    if not addresses:
        return {}
    trouble = []
    for address in addresses:
        try:
            return ask_mirror(address, wanted(options))
        except OSError as error:
            trouble.append("%s: %s" % (address, error))
    raise OSError("; ".join(trouble))


def ask_mirror(address, names):
    """Versions of the databases at one mirror, from 512 bytes of each; a 404 is no database."""
    import urllib.error
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = {}
    for name in names:
        query = urllib.request.Request(
            "%s/%s.cvd" % (address, name),
            headers={"Range": "bytes=0-%d" % (HEADER - 1), "User-Agent": "sop-run"},
        )
        try:
            with opener.open(query, timeout=MIRROR_TIMEOUT) as reply:
                header = parse_header(reply.read(HEADER))
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            continue
        if header:
            found[name] = header["version"]
    return found
