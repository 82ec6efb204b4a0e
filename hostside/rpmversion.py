"""Compares versions as rpm does: epoch, version, release (rpm's own rpmvercmp, in Python)."""

import re

PART = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")


def split(text):
    """(epoch, version, release) of `epoch:version-release`."""
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", text
    version, _, release = rest.rpartition("-")
    return (int(epoch), version, release) if version else (int(epoch), release, "")


def compare_part(first, second):
    """-1, 0 or 1 for two versions or releases."""
    if first == second:
        return 0
    ours, theirs = PART.findall(first), PART.findall(second)
    while ours or theirs:
        one, other = ours[0] if ours else "", theirs[0] if theirs else ""
        if "~" in (one, other):  # sorts before everything, the end included
            if one != other:
                return -1 if one == "~" else 1
        elif "^" in (one, other):  # after the end, before everything else
            if one != other:
                return caret(one, other)
        elif not one or not other:
            return 1 if one else -1
        elif one.isdigit() != other.isdigit():
            return 1 if one.isdigit() else -1
        else:
            left = (int(one), int(other)) if one.isdigit() else (one, other)
            if left[0] != left[1]:
                return 1 if left[0] > left[1] else -1
        ours, theirs = ours[1:], theirs[1:]
    return 0


def caret(one, other):
    """-1 or 1 where exactly one side goes on with a caret."""
    if one == "^":
        return -1 if other else 1
    return 1 if one else -1


def compare(first, second):
    """-1, 0 or 1 for two texts `epoch:version-release`."""
    ours, theirs = split(first), split(second)
    if ours[0] != theirs[0]:
        return 1 if ours[0] > theirs[0] else -1
    return compare_part(ours[1], theirs[1]) or compare_part(ours[2], theirs[2])
