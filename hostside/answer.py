"""The answer of a host program: one JSON document, framed so that nothing around it can spoil it.

The frame is one line: `SOP-RUN-EVIDENCE <sha256 of the JSON> <base64 of its zlib stream>`.
Login banners and tracebacks before or after it do no harm, and no byte of a host's output reaches
a terminal or the runner's events unencoded.
"""

import base64
import hashlib
import json
import re
import time
import zlib

SCHEMA = "sop-run/evidence/1"
MARK = "SOP-RUN-EVIDENCE"


def utc(seconds=None):
    """UTC time as ISO 8601 with seconds, by the host's clock."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def problem(code, message, hint=""):
    """A finding: stable code, what is wrong, what to do next."""
    return {"code": code, "message": str(message)[:4000], "hint": hint}


class Answer:
    """Collects a phase's answer; `finish` returns it as a plain dict."""

    def __init__(self, phase, transaction=""):
        self.phase = phase
        self.transaction = transaction
        self.status = "ok"
        self.items = []
        self.facts = {}
        self.problems = []
        self._wall = time.time()
        self._monotonic = time.monotonic()

    def problem(self, code, message, hint=""):
        """Record a finding without changing the status."""
        self.problems.append(problem(code, message, hint))

    def stop(self, status, code, message, hint=""):
        """Record a finding that decides the status; the first decision stays.

        It is told before what was only remarked: the first problem is a verdict's reason.
        """
        found = problem(code, message, hint)
        if self.status == "ok":
            self.status = status
            self.problems.insert(0, found)
        else:
            self.problems.append(found)

    def finish(self):
        """The evidence as a dict, stamped with start, end and monotonic seconds."""
        return {
            "schema": SCHEMA,
            "phase": self.phase,
            "status": self.status,
            "transaction": self.transaction,
            "attached": False,
            "started": utc(self._wall),
            "ended": utc(),
            "seconds": round(time.monotonic() - self._monotonic, 3),
            "facts": self.facts,
            "items": self.items,
            "problems": self.problems,
        }


# User and password before the host of an address, as package managers print it in their errors.
_CREDENTIALS = re.compile(r"(?i)\b((?:https?|ftps?|socks[45]?[ah]?)://)[^/\s@\"'<>]+@")


def without_credentials(value):
    """The same value; addresses in its texts lose user and password, which never leave the host."""
    if isinstance(value, str):
        return _CREDENTIALS.sub(r"\1***@", value) if "://" in value and "@" in value else value
    if isinstance(value, dict):
        return {without_credentials(k): without_credentials(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_credentials(v) for v in value]
    return value


def frame(document):
    """The framed line for `document` (a dict); it ends up in journal and archive."""
    document = without_credentials(document)
    raw = json.dumps(document, sort_keys=True, ensure_ascii=True).encode("ascii")
    packed = base64.b64encode(zlib.compress(raw, 6)).decode("ascii")
    return "%s %s %s" % (MARK, hashlib.sha256(raw).hexdigest(), packed)
