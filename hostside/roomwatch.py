"""Ends an update that fills the disk, while there is still room to put the host back (SOP step 7).

The preflight reckons with what the packages need. What it cannot know is what maintainer scripts
and other programs write meanwhile. A full disk stops every service of the host, and a restore
needs room, too; so the update is ended before it comes to that, and the host is restored.

Ended how: the package tools are killed, as at the time limit. dpkg's and rpm's databases stand
that, since both write them by rename or journal, and the restore that follows puts back whatever
was unpacked in part. A maintainer script is another matter: what it writes below /var is not
restored. So below the floor the tools are ended only while no script runs, and a script is cut
short only when little of that is left, and the disk would cut it short in a moment anyway.
"""

import os
import threading
import time

from hostside import leftovers

MB = 1024 * 1024
FLOOR = 64 * MB  # or a third of what the preflight leaves free, where that is less
LAST_SHARE = 0.375  # of the floor; the reserve for the restore is not in it (hostside/state.py)
FLOOR_INODES = 1000
LAST_INODES = 200
MOUNTS = ("/", "/usr", "/var")
POLL_SECONDS = 0.25


def floor_of(reserve_mb):
    """The floor in bytes where the preflight leaves so many MiB free."""
    return min(FLOOR, float(reserve_mb) * MB / 3)


def shortest(floor=FLOOR, mounts=MOUNTS):
    """(what is short, whether it is urgent) of the first file system below the floor in bytes;
    ("", False) when there is room."""
    for mount in mounts:
        try:
            space = os.statvfs(mount)
        except OSError:
            continue  # no such folder on this host
        free = space.f_bavail * space.f_frsize
        if free < floor:
            return "%s has only %d MB free" % (mount, free // MB), free < floor * LAST_SHARE
        # File systems without a fixed number of inodes (btrfs) report 0 of 0.
        if space.f_files and space.f_favail < FLOOR_INODES:
            words = "%s has only %d inodes free" % (mount, space.f_favail)
            return words, space.f_favail < LAST_INODES
    return "", False


class Seldom:
    """A look that takes longer than a moment: taken at most every few seconds, valid until then."""

    def __init__(self, look, seconds=3.0):
        self._look = look
        self._seconds = seconds
        self._next = 0.0
        self._found = ("", False)

    def __call__(self):
        if time.monotonic() >= self._next:
            self._found = self._look()
            self._next = time.monotonic() + self._seconds
        return self._found


class Watch:
    """While entered, ends the transaction's package tools when room runs out; `reason` says why.

    Each of `looks` tells what is short, and whether it is urgent; it is called a few times each
    second.
    """

    def __init__(self, transaction, *looks):
        self.reason = ""
        self._transaction = transaction
        self._looks = looks or (shortest,)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        before = ""
        while not self._over.wait(POLL_SECONDS):
            seen, (short, urgent) = before, self._shortest()
            before = short
            if not seen:
                continue  # btrfs tells for a moment that nothing is free when it takes a new chunk
            if short and (urgent or not leftovers.script_runs(self._transaction)):
                self.reason = short
                leftovers.end(self._transaction)
                return

    def _shortest(self):
        """The first of the looks that finds something short."""
        for look in self._looks:
            short, urgent = look()
            if short:
                return short, urgent
        return "", False
