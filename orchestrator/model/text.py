"""Makes text that came from a host safe to show: no control, escape or direction characters."""

from __future__ import annotations

import unicodedata

# Characters that reorder or hide text: bidirectional controls, zero-width and variation marks.
_HIDDEN = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF}
# Control, format, surrogate, private use, unassigned.
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn"}


def printable(text: object, limit: int = 400) -> str:
    """Return `text` as one safe line of at most `limit` characters; what was cut ends in '…'."""
    if isinstance(text, str) and text.isascii() and text.isprintable():
        line = " ".join(text.split())  # the common case, at once
        return line if len(line) <= limit else line[: limit - 1] + "…"
    out = []
    for char in str(text)[: limit * 4]:
        if char in "\n\r\t":
            out.append(" ")
        elif ord(char) in _HIDDEN or unicodedata.category(char) in _UNSAFE_CATEGORIES:
            continue
        else:
            out.append(char)
    line = " ".join("".join(out).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
