"""The login to vSphere: a file of the management host's own, which only root can read (SOP step 6).

It goes to govc by its environment, and nowhere else: on no command line, in no answer.
"""

import os
import re
import stat

from hostside.unusable import Unusable

PATH = "/etc/sop-run/govc.env"
LINE = re.compile(r"^(?:export +)?(GOVC_[A-Z_]+)=(.*)$")
TAKEN = frozenset({
    "GOVC_URL", "GOVC_USERNAME", "GOVC_PASSWORD", "GOVC_CERTIFICATE", "GOVC_PRIVATE_KEY",
    "GOVC_TLS_CA_CERTS", "GOVC_TLS_KNOWN_HOSTS",
})
# govc keeps neither its session on the disk nor a log of what it sends, which has the password.
FIXED = {"GOVC_PERSIST_SESSION": "false", "GOVC_DEBUG": "false"}
OWNER = 0
LIMIT = 16 * 1024


def environment():
    """{name: value} for govc; Unusable when the file is not there, not safe or not understood."""
    found = {}
    for number, line in enumerate(map(str.strip, text().splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None or match.group(1) not in TAKEN:
            # Not what stands there: it may be a secret.
            raise Unusable("%s, line %d: only NAME=VALUE with %s" % (
                PATH, number, ", ".join(sorted(TAKEN))))
        found[match.group(1)] = unquoted(match.group(2).strip())
    if not found.get("GOVC_URL"):
        raise Unusable("%s names no GOVC_URL" % PATH)
    if "@" in found["GOVC_URL"]:
        raise Unusable("%s: the login belongs into GOVC_USERNAME and GOVC_PASSWORD, not into "
                       "GOVC_URL" % PATH)
    if "://" in found["GOVC_URL"] and not found["GOVC_URL"].startswith("https://"):
        raise Unusable("%s: GOVC_URL must begin with https://" % PATH)
    return dict(found, **FIXED)


def text():
    """What stands in the file, if only root can read and change it."""
    try:
        handle = os.open(PATH, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Unusable("the login to vSphere cannot be read: %s" % error) from None
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != OWNER or status.st_mode & 0o077:
            raise Unusable("%s must be a file of root's with mode 0600: it holds a password" % PATH)
        return stream.read(LIMIT).decode("utf-8", "replace")


def unquoted(value):
    """A value without the quotation marks around it."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
