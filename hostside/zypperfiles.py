"""The package files of an update by zypper: staged ones lent to it, all proven (SOP step 7).

A row is an approved item or an approved new package: `name`, `arch`, `sha256` and its version under
`to` or `version`.
"""

import os

from hostside import durable, staging, zypper


def version_of(row):
    """The approved version."""
    return row["to"] if "to" in row else row["version"]


def lend(rows, folder):
    """Put the files that the check has staged where zypper looks for them, by the metadata.

    What is not staged, or not found in the metadata, zypper downloads.
    """
    names, raw = {row["name"] for row in rows}, zypper.raw_folder()
    for alias in sorted(os.listdir(raw)) if os.path.isdir(raw) else []:
        try:
            packages = zypper.packages_of(zypper.metadata(raw, alias, folder), names, folder)
            for row in rows:
                versions = packages.get((row["name"], row.get("arch", "")), {})
                if version_of(row) in versions:
                    location = os.path.normpath(versions[version_of(row)]["location"])
                    lend_one(row, os.path.join(folder, alias), location)
        except (ValueError, OSError):
            continue  # a repository that is not enabled any more, a disk that is full


def lend_one(row, folder, location):
    """Put one staged file at `location`, a path from the metadata, below zypper's `folder`."""
    if location.startswith(("..", "/")):
        return
    target = os.path.join(folder, location)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    staging.lend(os.path.basename(location), row.get("sha256", ""), target)


def wrong(rows, folder):
    """Why downloaded files below `folder` are not the approved ones, as sentences; [] for none."""
    there = {
        name: os.path.join(place, name) for place, _, names in os.walk(folder) for name in names
    }
    found = []
    for row in rows:
        name = "%s-%s.%s.rpm" % (
            row["name"], version_of(row).split(":", 1)[-1], row.get("arch") or "noarch")
        approved = (row.get("sha256") or "").lower()
        if approved and name not in there:
            found.append("%s was not downloaded" % name)
        elif approved and durable.file_sha256(there[name]) != approved:
            found.append("%s has SHA-256 %s, approved %s" % (
                name, durable.file_sha256(there[name]), approved))
    return found
