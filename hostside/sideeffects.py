"""What an update may bring or remove besides its items: what stands in the plan (SOP steps 2, 7).

The check lists new packages and removals of each host, they are part of the signed plan, and the
update request hands them back as `allow_new` and `allow_removals`.
"""

from hostside import baseline


def approved_new(options):
    """The approved new packages `{name, arch, version, size, sha256, key}`."""
    rows = options.get("allow_new") or []
    return [dict(row, key=baseline.package_key(row)) for row in rows]


def beyond(options, new, removals):
    """Sentences on what nobody approved. `new`: pairs (key, version); `removals`: names."""
    approved = {row["key"]: row["version"] for row in approved_new(options)}
    allowed = set(options.get("allow_removals") or [])
    found = ["would remove %s" % name for name in removals if name not in allowed]
    for key, version in new:
        if key not in approved:
            found.append("would install %s %s" % (key, version))
        elif approved[key] != version:
            found.append("would install %s %s, approved %s" % (key, version, approved[key]))
    return found
