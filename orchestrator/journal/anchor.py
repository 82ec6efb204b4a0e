"""The journal's head once more, in a small file beside it, so that a cut-off end is seen.

A hash chain shows every change but one: entries missing at its end. The anchor is written after the
entry is durable, in place and without waiting for the disk, so after a loss of power it may lag
behind the journal but is never ahead of it: an anchor beyond the end means that entries are gone.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from orchestrator.journal.entry import BrokenChain

_LINE = re.compile(r"(\d{20}) ([0-9a-f]{64})\n")


class Anchor:
    """The file `journal.head`; one that is missing or half written says nothing."""

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name("journal.head")

    def write(self, seq: int, head: str) -> None:
        """Say that entry `seq` with this hash is durable; raises OSError when the disk refuses."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o640)
        try:
            os.pwrite(handle, f"{seq:020d} {head}\n".encode(), 0)
        finally:
            os.close(handle)

    def read(self) -> tuple[int, str]:
        """The number and the hash of the last entry known to be written; (0, '') when unknown."""
        try:
            match = _LINE.fullmatch(self.path.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            match = None
        return (int(match[1]), match[2]) if match else (0, "")


def check_anchor(known: tuple[int, str], seq: int, digest: str) -> None:
    """Raise BrokenChain when entry `seq` is not the one that was written there."""
    if seq == known[0] and digest != known[1]:
        raise BrokenChain(seq, "it is not the entry that was written here (spliced)")


def check_end(known: tuple[int, str], following: int) -> None:
    """Raise BrokenChain when the journal ends before entry `following`, which was written."""
    if known[0] >= following:
        raise BrokenChain(
            following, f"it is missing: entries up to {known[0]} were written (truncated)"
        )
