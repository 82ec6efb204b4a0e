"""Debian changelogs: the entries between two versions, their CVE ids and urgency (SOP step 2)."""

import re
from datetime import timezone

HEADER = re.compile(r"^(\S+) \(([^\s()]+)\)[^;]*;(.*)$")
ADVISORY = re.compile(r"\b(CVE-\d{4}-\d{4,7}|(?:DSA|DLA|USN)-\d{2,5}-\d{1,2})\b", re.IGNORECASE)
TRAILER = re.compile(r"^ -- .*>  (.+)$", re.MULTILINE)
URGENCY = re.compile(r"\burgency=(\w+)", re.IGNORECASE)
# The changelog's own words in their order; they rank an upload, not a vulnerability.
URGENCIES = ("low", "medium", "high", "emergency", "critical")
ADVISORIES_AT_MOST = 200


def order(character):
    """Where a character of a version sorts: `~`, the end, letters, all others."""
    if character == "~":
        return -1
    if not character:
        return 0
    return ord(character) if character.isalpha() else ord(character) + 256


def compare_part(left, right):
    """-1, 0 or 1 for upstream versions or revisions, as deb-version(7) orders them."""
    while left or right:
        words = re.match(r"\D*", left).group(), re.match(r"\D*", right).group()
        for position in range(max(map(len, words))):
            first, second = (order(word[position:position + 1]) for word in words)
            if first != second:
                return -1 if first < second else 1
        left, right = left[len(words[0]):], right[len(words[1]):]
        digits = re.match(r"\d*", left).group(), re.match(r"\d*", right).group()
        first, second = (int(number or "0") for number in digits)
        if first != second:
            return -1 if first < second else 1
        left, right = left[len(digits[0]):], right[len(digits[1]):]
    return 0


def split(version):
    """(epoch, upstream version, revision) of a Debian version."""
    head, colon, rest = version.partition(":")
    epoch, rest = (int(head), rest) if colon and head.isdigit() else (0, version)
    upstream, _, revision = rest.rpartition("-")
    return epoch, upstream or rest, revision if upstream else ""


def compare(left, right):
    """-1, 0 or 1: whether a Debian version is older than, the same as or newer than another."""
    first, second = split(left), split(right)
    if first[0] != second[0]:
        return -1 if first[0] < second[0] else 1
    return compare_part(first[1], second[1]) or compare_part(first[2], second[2])


def between(text, installed, candidate):
    """[(version, urgency, text)] of the entries newer than `installed` up to `candidate`.

    None when the text is no changelog of the candidate: its entry must be there.
    """
    found, current, seen = [], None, False
    for line in text.splitlines():
        header = HEADER.match(line)
        if header:
            version = header.group(2)
            if compare(version, installed) <= 0:
                break
            seen = seen or version == candidate
            urgency = URGENCY.search(header.group(3))
            current = (version, urgency.group(1).lower() if urgency else "", [])
            if compare(version, candidate) <= 0:
                found.append(current)
        elif current:
            current[2].append(line)
    if not seen:
        return None
    return [(version, urgency, "\n".join(lines)) for version, urgency, lines in found]


def advisories(entries):
    """CVE, DSA, DLA and USN ids that the entries name, each once, sorted."""
    found = {word.upper() for _, _, text in entries for word in ADVISORY.findall(text)}
    return sorted(found)[:ADVISORIES_AT_MOST]


def published(entries):
    """The UTC day, YYYY-MM-DD, of the oldest entry that names an advisory; "" when not known.

    Since then the installed version has been known to be vulnerable.
    """
    from email.utils import parsedate_to_datetime  # late: it is slow

    days = []
    for _, _, text in entries:
        trailer = TRAILER.search(text)
        if trailer and ADVISORY.search(text):
            try:
                days.append(parsedate_to_datetime(trailer.group(1)).astimezone(timezone.utc))
            except (TypeError, ValueError, OverflowError):
                continue
    return min(days).strftime("%Y-%m-%d") if days else ""


def urgency_of(entries):
    """The highest urgency among the entries; "" for none that Debian knows."""
    ranks = [URGENCIES.index(word) for _, word, _ in entries if word in URGENCIES]
    return URGENCIES[max(ranks)] if ranks else ""
