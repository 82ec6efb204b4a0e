"""Phase `check`: what a host is and what needs an update; changes nothing on it (SOP step 2)."""

import calendar
import time

from hostside import apt, checks, clamav, dnf, hostinfo, systemd
from hostside.pending import item

REFRESH = ("private", "system", "none")
DATABASE_FRESH_SECONDS = 24 * 3600
HINT_NO_ANTIVIRUS = "Install one, for example: apt-get install clamav-daemon clamav-freshclam."
HINT_DAEMON = "Run `systemctl status clamav-daemon` on the host; it needs main and daily."
HINT_MIRROR = "Look at PrivateMirror and DatabaseMirror in freshclam.conf and the way to it."


def run(request, answer):
    """Fill `answer` with facts, items and findings of this host."""
    refresh = request["options"].get("refresh") or "private"
    if refresh not in REFRESH:
        answer.stop(
            "failed", "bad-option", "check_refresh is %r" % (refresh,),
            "Use one of: %s." % ", ".join(REFRESH),
        )
        return
    answer.facts.update(hostinfo.facts())
    check_packages(answer, refresh)
    answer.facts["failed_units"] = systemd.failed_units()
    for error in checks.definition_errors(request["options"].get("checks") or []):
        answer.problem("bad-check", error, "Correct test_checks in the inventory.")
    check_antivirus(answer)


def check_packages(answer, refresh):
    """Pending packages, what is withheld, and what is unfinished."""
    manager = answer.facts["package_manager"]
    if manager == "none":
        answer.stop(
            "failed", "no-package-manager", "neither apt nor dnf is on this host",
            "Only hosts with apt or dnf can be kept up to date with sop-run.",
        )
        found = half_configured = None
    else:
        reader = apt if manager == "apt" else dnf
        found = reader.pending(refresh)
        half_configured = apt.half_configured() if manager == "apt" else []
        answer.facts["reboot_required"] = reader.reboot_required()
    answer.facts["half_configured"] = half_configured or []
    answer.facts.setdefault("reboot_required", False)
    answer.facts["withheld"] = found.withheld if found else []
    answer.facts["new_packages"] = found.new_packages if found else []
    answer.facts["removals"] = found.removals if found else []
    if found:
        answer.items += found.items
        for code, message, hint in found.problems:
            answer.problem(code, message, hint)
        if found.failed:
            answer.status = "failed"
    if half_configured:
        answer.problem(
            "half-configured", "dpkg has not finished: %s" % ", ".join(half_configured[:20]),
            "Run `dpkg --configure -a` on the host.",
        )


def check_antivirus(answer):
    """Engine, databases and daemon, and databases that are older than what the mirror has."""
    if not clamav.installed():
        answer.facts["antivirus"] = {
            "product": "none", "engine": "", "daemon": "absent", "databases": [],
        }
        answer.problem("no-antivirus", "no antivirus is installed", HINT_NO_ANTIVIRUS)
        return
    facts = {
        "product": "clamav", "engine": clamav.engine(), "daemon": clamav.daemon(), "databases": [],
    }
    answer.facts["antivirus"] = facts
    try:
        options = clamav.configuration()
        facts["databases"] = clamav.databases(clamav.database_directory(options))
    except OSError as error:
        answer.problem(
            "antivirus-unreadable", str(error), "Run the check with become, or allow reading it."
        )
        return
    if facts["daemon"] == "inactive":
        answer.problem("antivirus-inactive", "ClamAV's daemon does not run", HINT_DAEMON)
    try:
        offered = clamav.mirror_versions(options)
    except OSError as error:
        answer.problem("antivirus-mirror-failed", str(error), HINT_MIRROR)
        return
    private = clamav.mirrors(options)
    if private:
        items = items_of_mirror(facts["databases"], offered)
    else:
        items = items_by_age(facts["databases"], clamav.wanted(options), time.time())
    for entry in items:
        entry["source"] = private[0] if private else "clamav.net"
    answer.items += items


def items_of_mirror(databases, offered):
    """Databases for which the mirror's version is newer than the installed one, or none is."""
    installed = {entry["name"]: entry["version"] for entry in databases}
    return [
        item("antivirus", "clamav-db (%s)" % name, "", installed.get(name, ""), version)
        for name, version in sorted(offered.items())
        if int(version) > int(installed.get(name, "0"))
    ]


def items_by_age(databases, wanted, now):
    """Items `to: latest` for official mirrors, which tell their version to freshclam alone.

    `daily` and a missing database are named when `daily` was built more than 24 hours ago; `main`
    and `bytecode` change too rarely for their age to say anything.
    """
    built = {entry["name"]: entry for entry in databases}
    found = []
    for name in wanted:
        entry = built.get(name)
        if entry is None:
            found.append(item("antivirus", "clamav-db (%s)" % name, "", "", "latest"))
        elif name == "daily" and now - seconds(entry["built"]) > DATABASE_FRESH_SECONDS:
            found.append(item("antivirus", "clamav-db (daily)", "", entry["version"], "latest"))
    return found


def seconds(built):
    """Epoch seconds of a database's build time; 0, which is old, when it does not say."""
    return calendar.timegm(time.strptime(built, "%Y-%m-%dT%H:%M:%SZ")) if built else 0
