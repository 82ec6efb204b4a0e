"""One test's result, as phase `test` and the baseline write it (SOP steps 6 and 8)."""

import re

EVIDENCE_LIMIT = 300


def one_line(text):
    """Text as one bounded line without control characters: evidence is data, not terminal codes."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", str(text))
    return " ".join(plain.split())[:EVIDENCE_LIMIT]


def result(name, kind, target, outcome, evidence, *, required=True):
    """One test as the contract wants it."""
    return {
        "name": name, "kind": kind, "target": target, "required": required, "result": outcome,
        "evidence": one_line(evidence), "seconds": 0.0, "attempts": 1,
    }
