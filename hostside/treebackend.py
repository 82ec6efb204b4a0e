"""What back ends have in common whose backup is the old root as a read-only tree (SOP 6 and 8).

A back end says how such a tree is made, found, proven and deleted; taking, proving and restoring
are the same for all (`hostside/systemtree.py`).
"""

import contextlib

from hostside import systemtree
from hostside.unusable import Unusable


class TreeBackend:
    """Base of the back ends btrfs, snapper, lvm and zfs; raises Unusable when something fails."""

    stands_still = True  # the package database must not change while it works

    def reason_against(self, request):
        """Why this back end would not do on this host; "" when it would."""
        raise NotImplementedError

    def exists(self, identity):
        """Whether the snapshot is there."""
        raise NotImplementedError

    def make(self, identity, request):
        """Make the snapshot."""
        raise NotImplementedError

    def location(self, identity):
        """Where it is, in words that an administrator can use."""
        raise NotImplementedError

    @contextlib.contextmanager
    def tree(self, identity):
        """The folder in which the old root can be read; here its location."""
        yield self.location(identity)

    def sentences(self, identity):
        """Sentences that prove the snapshot by its own means; Unusable when it is no good."""
        raise NotImplementedError

    def delete(self, identity):
        """Delete the snapshot by its exact name; nothing happens when there is none."""
        raise NotImplementedError

    def take(self, identity, request):
        """Make the snapshot and prove it: `{location, size_bytes, sha256, proof}`.

        One that an interrupted attempt left is made anew when the package database has changed.
        """
        if self.exists(identity) and not self.current(identity):
            self.delete(identity)
        if not self.exists(identity):
            self.make(identity, request)
        proof = self.sentences(identity)
        with self.tree(identity) as path:
            held = systemtree.database_digest(path)
        if held != systemtree.database_digest("/"):
            raise Unusable("the package database in the snapshot is not the live one")
        return {
            "location": self.location(identity), "size_bytes": 0, "sha256": held,
            "proof": [*proof, "its package database has SHA-256 %s, equal to the live one" % held],
        }

    def current(self, identity):
        """Whether the snapshot has the package database that the host has now."""
        try:
            self.sentences(identity)
            with self.tree(identity) as path:
                return systemtree.database_digest(path) == systemtree.database_digest("/")
        except Unusable:
            return False

    def prove(self, identity, taken):
        """Sentences that prove the backup `taken` (facts.backup) again, or Unusable."""
        proof = self.sentences(identity)
        if self.location(identity) != taken.get("location"):
            raise Unusable("%s is at %s, not at %s" % (
                identity, self.location(identity), taken.get("location")))
        with self.tree(identity) as path:
            if systemtree.database_digest(path) != taken["sha256"]:
                raise Unusable("the package database in it is not the one on record")
        return [*proof, "its package database has SHA-256 %s, as recorded" % taken["sha256"]]

    def restore(self, identity, taken, _record):
        """Put the system paths back; returns (paths, proof sentences).

        Raises Unusable before anything is touched when the snapshot is not proven any more.
        """
        proof = self.prove(identity, taken)
        with self.tree(identity) as path:
            paths, sentence = systemtree.restore(path)
        return paths, [*proof, sentence]

    def short(self, _identity):
        """What is short of room for this backup, and whether that is urgent; nothing, as
        long as the disk has room."""
        return "", False

    def touched(self, _identity):
        """Paths besides those that `restore` returns whose services must restart; none."""
        return []
