"""The antivirus part of `check`: engine, databases, their age, daemon, mirror (SOP step 2)."""

import calendar
import time

from hostside import avcommand, clamav
from hostside.findings import told
from hostside.pending import item

DATABASE_FRESH_SECONDS = 24 * 3600
MAX_AGE_DAYS = 7


def check(answer, options, offers=True):
    """What protects the host, and what of it is older than what there is, by the office's method.

    Without `offers` no mirror is asked, and there are no items.
    With `none` the office has decided that this host has no antivirus: a fact, and no finding.
    """
    method, definition = options.get("antivirus_method"), options.get("antivirus_command")
    answer.facts["antivirus"] = {}
    errors = avcommand.definition_errors(method, definition)
    for error in errors:
        told(answer, "bad-antivirus-command", error)
    if errors:
        return
    method = avcommand.method_of(method, definition)
    if method == "command":
        check_product(answer, definition, offers)
    elif method == "none":
        answer.facts["antivirus"] = {
            "product": "none", "engine": "", "daemon": "absent", "databases": [], "decided": True,
        }
    else:
        check_clamav(answer, options, offers)


def check_product(answer, definition, offers):
    """The installed signatures of a product by command, and an item when newer ones are offered.

    Without `latest` only `update` can tell whether there are newer ones: then `to` is `latest`.
    """
    facts = answer.facts["antivirus"] = {
        "product": definition["name"], "engine": "", "daemon": "", "databases": [],
    }
    try:
        version = avcommand.ask_version(definition)
    except OSError as error:
        told(answer, "antivirus-unreadable", str(error))
        return
    facts["databases"] = [{"name": "signatures", "version": version, "built": ""}]
    if not offers:
        return
    offered = "latest"
    if definition.get("latest"):
        try:
            offered = avcommand.ask_version(definition, "latest")
        except OSError as error:
            told(answer, "antivirus-mirror-failed", str(error))
            return
    if offered == "latest" or not avcommand.not_older(version, offered):
        entry = item("antivirus", avcommand.item_name(definition), "", version, offered)
        entry["source"] = definition["name"]
        answer.items.append(entry)


def check_clamav(answer, options, offers):
    """Engine, databases and daemon, and databases that are older than what the mirror has."""
    if not clamav.installed():
        answer.facts["antivirus"] = {
            "product": "none", "engine": "", "daemon": "absent", "databases": [],
        }
        told(answer, "no-antivirus", "no antivirus is installed")
        return
    facts = answer.facts["antivirus"] = {
        "product": "clamav", "engine": clamav.engine(), "daemon": clamav.daemon(), "databases": [],
    }
    try:
        configured = clamav.configuration()
        facts["databases"] = clamav.databases(clamav.database_directory(configured))
    except OSError as error:
        told(answer, "antivirus-unreadable", str(error))
        return
    if facts["daemon"] == "inactive":
        told(answer, "antivirus-inactive", "ClamAV's daemon does not run")
    limit = int(options.get("antivirus_max_age_days") or MAX_AGE_DAYS)
    aged = too_old(facts["databases"], limit, time.time())
    if aged:
        told(answer, "antivirus-database-old", aged)
    if not offers:
        return
    try:
        offered = clamav.mirror_versions(configured)
    except OSError as error:
        told(answer, "antivirus-mirror-failed", str(error))
        return
    private = clamav.mirrors(configured)
    if private:
        items = items_of_mirror(facts["databases"], offered)
    else:
        items = items_by_age(facts["databases"], clamav.wanted(configured), time.time())
    for entry in items:
        entry["source"] = private[0] if private else "clamav.net"
    answer.items += items


def too_old(databases, limit_days, now):
    """A sentence when `daily` is missing or was built more than `limit_days` ago, "" otherwise."""
    daily = [entry for entry in databases if entry["name"] == "daily"]
    if not daily:
        return "there is no daily database"
    if not daily[0]["built"]:
        return "the daily database %s does not say when it was built" % daily[0]["version"]
    days = int((now - seconds(daily[0]["built"])) // 86400)
    if days <= limit_days:
        return ""
    return "the daily database %s was built %d days ago (limit %d)" % (
        daily[0]["version"], days, limit_days)


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
