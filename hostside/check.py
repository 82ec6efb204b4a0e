"""Phase `check`: what a host is and what needs an update; changes nothing on it (SOP step 2)."""

import time

from hostside import (
    checkantivirus,
    checks,
    clocksync,
    hostinfo,
    managers,
    release,
    restarts,
    room,
    systemd,
)
from hostside.findings import decided, told

REFRESH = ("private", "system", "none")
NAMED_AT_MOST = 20


def run(request, answer):
    """Fill `answer` with facts, items and findings of this host."""
    options = request["options"]
    if request.get("rehearsal"):
        options = dict(options, stage=False)  # a dry run leaves nothing at all behind
    refresh = options.get("refresh") or "private"
    if refresh not in REFRESH:
        message = "check_refresh is %r; use one of: %s" % (refresh, ", ".join(REFRESH))
        decided(answer, "failed", "bad-option", message)
        return
    answer.facts.update(hostinfo.facts())
    check_release(answer)
    check_clock(answer, clocksync.offset_of(request))
    check_packages(answer, refresh, options)
    check_restarts(answer)
    check_room(answer, options)
    answer.facts["failed_units"] = systemd.failed_units()
    for error in checks.definition_errors(options.get("checks") or []):
        told(answer, "bad-check", error)
    checkantivirus.check(answer, options)


def truth(value):
    """A switch from the inventory, which may arrive as text."""
    return str(value).lower() not in ("false", "no", "off", "0")


def reserve_of(options):
    """MiB that must remain free."""
    return float(options.get("reserve_mb") or room.RESERVE_MB)


def named(names):
    """The first names of a list and how many more there are."""
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (" and %d more" % more if more > 0 else "")


def check_release(answer):
    """How long the release is supported."""
    system, today = answer.facts["os"], time.strftime("%Y-%m-%d", time.gmtime())
    fact = answer.facts["release"] = release.support(system["id"], system["version"], today)
    found = release.finding(system["name"] or system["id"], fact, today)
    if found:
        told(answer, *found)


def check_clock(answer, offset):
    """Whether the clock is right and kept right."""
    fact = answer.facts["clock_sync"] = clocksync.fact()
    for found in clocksync.findings(fact, offset, answer.facts["virtualization"]):
        told(answer, *found)


def check_packages(answer, refresh, options):
    """Pending packages, what is withheld, what is unfinished and what has no source any more."""
    reader, found, half_configured = managers.reader(), None, None
    if reader is None:
        decided(answer, "failed", "no-package-manager", "neither apt, dnf nor zypper is here")
    else:
        reserve = reserve_of(options) if truth(options.get("stage", False)) else None
        found = reader.pending(refresh, truth(options.get("advisories", True)), reserve)
        half_configured = reader.half_configured()
        answer.facts["reboot_required"] = reader.reboot_required()
    answer.facts["half_configured"] = half_configured or []
    answer.facts.setdefault("reboot_required", False)
    for fact in ("withheld", "new_packages", "removals"):
        answer.facts[fact] = getattr(found, fact) if found else []
    answer.facts["without_source"] = found.without_source if found else None
    answer.facts["advisories"] = found.advisories if found else None
    answer.facts["staged"] = found.staged if found else None
    if found:
        take(answer, found)
    if half_configured:
        told(answer, "half-configured", "dpkg has not finished: %s" % named(half_configured))


def take(answer, found):
    """Items and findings of the package manager."""
    answer.items += found.items
    problems = [
        {"code": code, "message": message[:4000], "hint": hint}
        for code, message, hint in found.problems
    ]
    if found.failed:  # the first problem is the verdict's reason
        answer.status = "failed"
        answer.problems = problems + answer.problems
    else:
        answer.problems += problems
    orphans = found.without_source or []
    if len(orphans) > found.installed // 2:
        told(answer, "packages-without-source", "no source offers %d of %d installed packages: the "
             "distribution's own source may be missing" % (len(orphans), found.installed))
    elif orphans:
        told(answer, "packages-without-source", "no source offers: %s" % named(orphans))
    missing = set((found.advisories or {}).get("missing", []))
    security = sorted({
        item["name"] for item in found.items
        if item["class"] == "security" and item["name"] in missing
    })
    if security:
        told(answer, "advisories-unavailable", "no changelog was read for: %s (%s)" % (
            named(security), found.advisories["reason"] or "not found"))


def check_restarts(answer):
    """What an earlier update left running."""
    units, kernel = restarts.pending()
    answer.facts["restart_pending"] = units
    answer.facts["reboot_required"] = answer.facts["reboot_required"] or kernel
    if units:
        told(answer, "restart-pending", "replaced code still runs in: %s" % named(units))


def check_room(answer, options):
    """Disks and inodes, by themselves and for the pending items."""
    short = room.short(answer.facts["disk"], answer.items, reserve_of(options))
    if short:
        told(answer, "disk-low", "; ".join(short))
