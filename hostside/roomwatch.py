"""Ends an update that fills the disk, while there is still room to put the host back (SOP step 7).

The preflight reckons with what the packages need. What it cannot know is what maintainer scripts
and other programs write meanwhile. A full disk stops every service of the host, and a restore
needs room, too; so the update is ended before it comes to that, and the host is restored.

Ended how: the package tools are killed, as at the time limit. dpkg's and rpm's databases stand
that, since both write them by rename or journal, and the restore that follows puts back whatever
was unpacked in part. A maintainer script is another matter: what it writes below /var is not
restored. So below FLOOR the tools are ended only while no script runs, and a script is cut short
only below LAST, when the disk would cut it short in a moment anyway.
"""

import os
import threading

from hostside import leftovers

MB = 1024 * 1024
FLOOR = 64 * MB
LAST = 24 * MB  # the reserve for the restore is not part of it (hostside/state.py)
FLOOR_INODES = 1000
LAST_INODES = 200
MOUNTS = ("/", "/usr", "/var")
POLL_SECONDS = 0.25


def shortest(mounts=MOUNTS):
    """(what is short, whether it is urgent) of the first file system below FLOOR; ("", False)."""
    for mount in mounts:
        try:
            space = os.statvfs(mount)
        except OSError:
            continue  # no such folder on this host
        free = space.f_bavail * space.f_frsize
        if free < FLOOR:
            return "%s has only %d MB free" % (mount, free // MB), free < LAST
        # File systems without a fixed number of inodes (btrfs) report 0 of 0.
        if space.f_files and space.f_favail < FLOOR_INODES:
            words = "%s has only %d inodes free" % (mount, space.f_favail)
            return words, space.f_favail < LAST_INODES
    return "", False


class Watch:
    """While entered, ends the transaction's package tools when room runs out; `reason` says why.

    `look` tells what is short, and whether it is urgent; it is called a few times each second.
    """

    def __init__(self, transaction, look=shortest):
        self.reason = ""
        self._transaction = transaction
        self._look = look
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(POLL_SECONDS):
            short, urgent = self._look()
            if short and (urgent or not leftovers.script_runs(self._transaction)):
                self.reason = short
                leftovers.end(self._transaction)
                return
