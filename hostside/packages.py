"""Backup back end `packages`: the installed packages' exact files, /etc and the package database.

Works on any host. How files are kept and put back: `hostside/repack.py`, `hostside/keeprpm.py`.
"""

from hostside import baseline, hostinfo, keeprpm, records, repack

PATHS_LIMIT = 16 * 1024 * 1024


class Packages:
    """Package files in the backup's own folder."""

    stands_still = False  # dpkg itself puts the packages back, and wants its lock

    def reason_against(self, _request):
        """It works on any host."""
        return ""

    def take(self, identity, request):
        """Keep the installed versions of the approved items and of what may be removed."""
        names = [baseline.package_key(item) for item in baseline.package_items(request)]
        names += request.get("options", {}).get("allow_removals") or []
        return repack.take(records.place(identity), sorted(set(names)))

    def prove(self, identity, taken):
        """Sentences that prove the backup `taken` again; raises Unusable."""
        kept = repack.prove(records.place(identity), taken["sha256"])["packages"]
        return ["%d kept packages have their recorded SHA-256" % len(kept)]

    def restore(self, identity, taken, record):
        """Put packages and /etc back; returns (paths, proof sentences)."""
        new = record.get("new", [])
        return repack.restore(records.place(identity), taken["sha256"], new)

    def touched(self, identity):
        """Files of the packages that were put back: their services restart."""
        kept = repack.manifest_of(records.place(identity))["packages"]
        if hostinfo.package_manager() in hostinfo.ON_RPM:
            return keeprpm.paths_of(kept)
        paths = []
        for key in kept:
            paths += hostinfo.read(repack.info_path(key, "list"), PATHS_LIMIT).splitlines()
        return paths

    def short(self, _identity):
        """What is short of room for this backup, and whether that is urgent; nothing here."""
        return "", False

    def delete(self, identity):
        """Delete the kept files."""
        repack.delete(records.place(identity))


BACKEND = Packages()
