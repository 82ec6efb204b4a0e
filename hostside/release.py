"""How long a host's release is supported: by distro-info's tables, else by a dated one (SOP 2)."""

import csv
import datetime
import io
import os

from hostside import hostinfo

FOLDER = "/usr/share/distro-info"
NEAR_DAYS = 180
# Used where the host has no distro-info-data. Only public support that costs nothing counts; for
# RPM systems the day on which the publisher ends maintenance.
TABLE_DATE = "2026-11-23"
TABLE = {
    "debian": {
        "9": ("2020-07-18", "2022-06-30"), "10": ("2022-09-10", "2024-06-30"),
        "11": ("2024-08-14", "2026-08-31"), "12": ("2026-07-11", "2028-06-30"),
        "13": ("2028-08-09", "2030-06-30"),
    },
    "ubuntu": {
        "18.04": ("2023-05-31", ""), "20.04": ("2025-05-29", ""), "22.04": ("2027-06-01", ""),
        "24.04": ("2029-05-31", ""), "26.04": ("2031-05-29", ""),
    },
    "rhel": {"7": ("2024-06-30", ""), "8": ("2029-05-31", ""), "9": ("2032-05-31", "")},
    "centos": {"7": ("2024-06-30", ""), "8": ("2024-05-31", ""), "9": ("2027-05-31", "")},
    "rocky": {"8": ("2029-05-31", ""), "9": ("2032-05-31", "")},
    "almalinux": {"8": ("2029-03-01", ""), "9": ("2032-05-31", "")},
    "sles": {
        "12.5": ("2024-10-31", ""), "15.3": ("2022-12-31", ""), "15.4": ("2023-12-31", ""),
        "15.5": ("2024-12-31", ""),
    },
    "opensuse-leap": {"15.5": ("2024-12-31", "")},
}


def parse_table(text):
    """{version: (end of support, end of long-term support or "")} of a distro-info CSV."""
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        version = (row.get("version") or "").split(" ")[0]
        if version and row.get("eol"):
            found[version] = (row["eol"], row.get("eol-lts") or "")
    return found


def dates(identity, version, folder=FOLDER):
    """(end of support, end of long-term support, where that stands); None for an unknown release.

    RPM systems count by their major version.
    """
    if identity not in TABLE:
        return None
    path = os.path.join(folder, identity + ".csv")
    known, source = parse_table(hostinfo.read(path)), path
    if version not in known:
        known, source = TABLE[identity], "sop-run's table of " + TABLE_DATE
        if version not in known:
            version = version.split(".")[0]
    if version not in known:
        return None
    return (*known[version], source)


def support(identity, version, today, folder=FOLDER):
    """`facts.release`: {stage, until, source}; stage `full`, `lts`, `ended` or `unknown`."""
    found = dates(identity, version, folder)
    if found is None:
        return {"stage": "unknown", "until": "", "source": ""}
    full, longer, source = found
    if today <= full:
        stage, until = "full", max(full, longer)
    else:
        stage, until = ("lts" if today <= longer else "ended"), max(full, longer)
    return {"stage": stage, "until": until, "source": source}


def finding(name, fact, today):
    """(code, message) when support has ended or ends soon, else None; dates as `2026-11-23`."""
    if fact["stage"] == "ended":
        return ("release-end-of-life", "%s has had no public updates since %s (%s)" % (
            name, fact["until"], fact["source"]))
    if fact["until"] and days_between(today, fact["until"]) <= NEAR_DAYS:
        return ("release-near-end-of-life", "%s gets public updates until %s only (%s)" % (
            name, fact["until"], fact["source"]))
    return None


def days_between(first, last):
    """Days from one ISO date to another."""
    return (parse_day(last) - parse_day(first)).days


def parse_day(text):
    """An ISO date; Python 3.6 has no fromisoformat."""
    return datetime.datetime.strptime(text, "%Y-%m-%d").date()
