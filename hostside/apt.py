"""Reads dpkg and apt: what is installed, what is pending, what is unfinished (SOP step 2)."""

import functools
import os
import re

from hostside import aptadvisories, aptlists, aptpolicy, aptsources, aptstage, staging
from hostside.command import run
from hostside.pending import Pending, item

INFO = "/var/lib/dpkg/info"
SOURCE_FORMAT = "${Package}\\t${Architecture}\\t${source:Version}\\n"
STATUS_FORMAT = "${db:Status-Abbrev}\\t${Package}\\t${Architecture}\\t${Version}\\n"
# dpkg's second status letter: not-installed and config-files mean that the package is not there.
ABSENT = "nc"
UNFINISHED = "UFHWt"
INST = re.compile(r"^Inst (\S+) (?:\[(\S+)\] )?\((\S+)(?: (.*))? \[([\w-]+)\]\)")
REMV = re.compile(r"^Remv (\S+)")
KEPT_BACK = "The following packages have been kept back:"
PHASED = "The following upgrades have been deferred due to phasing:"
SECURITY_SUITE = re.compile(r"(^|[-/])security$|^security", re.IGNORECASE)
SECURITY_LABEL = re.compile(r"(^|[ -])security$|^UbuntuESM", re.IGNORECASE)
ASKS_FOR_REBOOT = re.compile(
    r"^(linux-image-|linux-modules-|libc6$|systemd$|dbus$|dbus-broker$)|-kernel$",
)


@functools.lru_cache(maxsize=1)
def native_architecture():
    """The architecture that package names without `:arch` stand for."""
    return run(["dpkg", "--print-architecture"], timeout=30).out.strip()


def key(name, arch, native=None):
    """`name`, or `name:arch` for a foreign architecture."""
    plain = name.split(":", 1)[0]
    if not arch or arch == "all" or arch == (native or native_architecture()):
        return plain
    return "%s:%s" % (plain, arch)


def parse_status(text):
    """Rows (want letter, status letter, name, architecture, version) of dpkg-query's output."""
    rows = []
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 4 and len(fields[0]) > 1:
            rows.append((fields[0][0], fields[0][1], fields[1], fields[2], fields[3]))
    return rows


def status():
    """dpkg's table of packages; raises OSError when dpkg-query cannot tell."""
    result = run(["dpkg-query", "-W", "-f=" + STATUS_FORMAT], timeout=60)
    if not result.ok:
        raise OSError("dpkg-query: %s" % result.tail())
    return parse_status(result.out)


def installed(names=None):
    """{name: version} of what is on the host, `name:arch` for foreign architectures.

    Packages whose files are there but not yet configured count; `names` limits the answer.
    """
    native = native_architecture()
    found = {
        key(name, arch, native): version
        for _, state, name, arch, version in status() if state not in ABSENT
    }
    return found if names is None else {name: found[name] for name in names if name in found}


def half_configured():
    """Packages that dpkg has not finished: unpacked, half-installed, half-configured, triggers."""
    native = native_architecture()
    return sorted(
        key(name, arch, native) for _, state, name, arch, _ in status() if state in UNFINISHED
    )


def held():
    """Packages that the host's administrator has put on hold."""
    native = native_architecture()
    return {key(name, arch, native) for want, _, name, arch, _ in status() if want == "h"}


def reboot_required():
    """Whether an earlier update asks for a restart."""
    return any(os.path.exists(path + "/reboot-required") for path in ("/run", "/var/run"))


def asks_for_reboot(name):
    """Whether updating the package calls for a restart: kernels, libc and init by name, and any
    package whose installed maintainer script touches reboot-required."""
    plain = name.split(":", 1)[0]
    if ASKS_FOR_REBOOT.search(plain):
        return True
    try:
        with open(os.path.join(INFO, plain + ".postinst"), "rb") as handle:
            return b"reboot-required" in handle.read(256 * 1024)
    except OSError:
        return False  # most packages have no such script


def parse_simulation(text):
    """(upgrades, new, removals, kept back, phased) of `apt-get -s dist-upgrade`.

    An upgrade is {name, from, to, sources: [(label, suite)], arch}; a new package the same with
    an empty `from`.
    """
    upgrades, new, removals = [], [], []
    for line in text.splitlines():
        match = INST.match(line)
        if match:
            name, before, after, origins, arch = match.groups()
            (new if before is None else upgrades).append({
                "name": name, "from": before or "", "to": after, "arch": arch,
                "sources": parse_origins(origins or ""),
            })
        elif REMV.match(line):
            removals.append(REMV.match(line).group(1))
    return upgrades, new, removals, section(text, KEPT_BACK), section(text, PHASED)


def parse_origins(text):
    """`Debian-Security:12/stable-security, Debian:12.5/stable` → [(label, suite), …].

    A source without a Release file shows as its host's name alone: label, no suite.
    """
    found = []
    for part in text.split(", "):
        label, _, rest = part.rpartition(":")
        if label:
            found.append((label, rest.rsplit("/", 1)[-1]))
        elif part.strip():
            found.append((part.strip(), ""))
    return found


def section(text, heading):
    """The names in the indented lines below a heading of apt-get."""
    names, inside = [], False
    for line in text.splitlines():
        if line.strip() == heading:
            inside = True
        elif inside and line.startswith("  "):
            names += line.split()
        else:
            inside = False
    return names


def is_security(label, suite):
    """Whether a source is a security one, by its suite or by its label."""
    return bool(SECURITY_SUITE.search(suite) or SECURITY_LABEL.search(label))


def parse_records(text):
    """`apt-cache show` as {(package, version): {field: value}}; the first record with a hash."""
    records = {}
    for block in re.split(r"\n\n+", text.strip()):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", block, re.MULTILINE))
        identity = (fields.get("Package", ""), fields.get("Version", ""))
        if identity[0] and ("SHA256" in fields or identity not in records):
            known = records.get(identity, {})
            if "SHA256" not in known:
                records[identity] = fields
    return records


def build_item(upgrade, policy, records):
    """One pending upgrade as an item of the contract."""
    name = upgrade["name"].split(":", 1)[0]
    suites = policy.get(upgrade["name"], {}).get("newer", [])
    secure = [s for s in upgrade["sources"] if is_security(*s)]
    security = bool(secure) or any(is_security("", suite) for suite in suites)
    entry = item(
        "security" if security else "system", name, upgrade["arch"], upgrade["from"], upgrade["to"]
    )
    record = records.get((name, upgrade["to"]), {})
    sources = secure or upgrade["sources"]
    entry["source"] = ":".join(part for part in sources[0] if part) if sources else ""
    entry["size"] = int(record.get("Size", "0")) if record.get("Size", "0").isdigit() else 0
    entry["sha256"] = record.get("SHA256", "").lower()
    entry["reboot"] = asks_for_reboot(name)
    return entry


def build_new(package, records):
    """A package that the update brings anew: `{name, arch, version, size, sha256}`."""
    name = package["name"].split(":", 1)[0]
    record = records.get((name, package["to"]), {})
    return {
        "name": name, "arch": package["arch"], "version": package["to"],
        "size": int(record.get("Size", "0")) if record.get("Size", "0").isdigit() else 0,
        "sha256": record.get("SHA256", "").lower(),
    }


def build_withheld(names, phased, on_hold, policy, records):
    """Withheld packages with the reason: `held`, `phased` or `kept-back`."""
    found = []
    for name in sorted(set(names) | set(phased)):
        versions = policy.get(name, {})
        after = versions.get("candidate", "")
        record = records.get((name.split(":", 1)[0], after), {})
        share = record.get("Phased-Update-Percentage", "100")
        reason = "kept-back"
        if name in on_hold:
            reason = "held"
        elif name in phased or (share.isdigit() and int(share) < 100):
            reason = "phased"
        found.append({
            "name": name, "from": versions.get("installed", ""), "to": after, "reason": reason,
        })
    return found


def source_versions():
    """{package: version of its source package} of what is installed, keys as in `installed`."""
    native = native_architecture()
    result = run(["dpkg-query", "-W", "-f=" + SOURCE_FORMAT], timeout=60)
    rows = (line.split("\t") for line in result.out.splitlines())
    return {key(row[0], row[1], native): row[2] for row in rows if len(row) == 3}


def read_pending(workspace, found, advisories=True, stage_reserve_mb=None):
    """Fill `found` from a simulated dist-upgrade against the workspace's lists.

    `stage_reserve_mb`: MiB that must remain free when files are staged; None stages nothing.
    """
    simulation = workspace.run(["apt-get", "-q", "-s", "dist-upgrade"])
    if not simulation.ok:
        found.fail("pending-list-failed", simulation.tail(8))
        return
    upgrades, new, found.removals, kept, phased = parse_simulation(simulation.out)
    names = sorted({u["name"] for u in upgrades + new} | set(kept) | set(phased))
    present = installed()
    read_policy = workspace.run(["apt-cache", "policy", "--", *sorted({*names, *present})])
    found.without_source = (
        aptpolicy.parse_without_source(read_policy.out) if read_policy.ok else None
    )
    found.installed = len(present)
    pinned = aptpolicy.parse_pinned(read_policy.out)
    policy = aptpolicy.parse_policy(read_policy.out) if names else {}
    wanted = ["%s=%s" % (u["name"], u["to"]) for u in upgrades + new]
    wanted += ["%s=%s" % (n, policy[n]["candidate"]) for n in kept if n in policy]
    shown = workspace.run(["apt-cache", "show", "--", *wanted]).out if wanted else ""
    records = parse_records(shown)
    found.items = [build_item(upgrade, policy, records) for upgrade in upgrades]
    found.new_packages = [build_new(package, records) for package in new]
    found.withheld = build_withheld(kept, phased, held(), policy, records)
    known = {row["name"] for row in found.withheld}
    found.withheld += [row for row in pinned if row["name"] not in known]
    if stage_reserve_mb is not None:
        aptstage.stage(workspace, found, stage_reserve_mb)
    if advisories and found.items:
        archives = [staging.FOLDER, aptlists.archives_folder(workspace.dump)]
        found.advisories = aptadvisories.add(
            workspace, found.items, records, source_versions(), archives
        )


def read_sources(workspace, found):
    """Note sources without proof."""
    try:
        unproven = aptsources.unsigned(workspace.dump)
    except OSError as error:
        found.note("metadata-warning", "a source cannot be read: %s" % error)
        return
    if unproven:
        found.note("repository-unsigned", "no signature is checked for: %s" % "; ".join(unproven))


def pending(refresh="private", advisories=True, stage_reserve_mb=None):
    """What a full upgrade would bring, as a Pending; `refresh` is private, system or none.

    A source that cannot be refreshed or proven is problem `metadata-refresh-failed` and makes the
    whole list `failed`: it would not be trustworthy. With `advisories` changelogs are read; with
    `stage_reserve_mb` the package files are downloaded and proven (hostside/staging.py).
    """
    found = Pending()
    try:
        with aptlists.Workspace(private_lists=refresh == "private") as workspace:
            read_sources(workspace, found)
            if refresh == "private":
                warnings = aptlists.refresh_private(workspace)
            else:
                warnings = aptlists.refresh_system() if refresh == "system" else []
                aptlists.require_lists(workspace.lists)
            for warning in warnings:
                found.note("metadata-warning", warning)
            read_pending(workspace, found, advisories, stage_reserve_mb)
    except aptlists.MetadataError as error:
        found.fail("metadata-refresh-failed", str(error))
    return found
