"""What backups of sop-run are called on a host: after the transaction that made them (SOP 6)."""

import re

NAME = re.compile(r"^sop-run-[0-9a-f]{32}\Z")


def checked(identity):
    """The name itself. Raises ValueError for one that is no backup of sop-run."""
    if not NAME.match(identity):
        raise ValueError("%r is no backup of sop-run" % identity[:80])
    return identity
