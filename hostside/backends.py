"""The back ends of the backup, and which one a host uses (SOP step 6)."""

from hostside import btrfs, hypervisor, lvm, owncommand, packages, snapper, zfs
from hostside.unusable import Unusable

BACKENDS = {
    "snapper": snapper.BACKEND,
    "btrfs": btrfs.BACKEND,
    "zfs": zfs.BACKEND,
    "lvm": lvm.BACKEND,
    "command": owncommand.BACKEND,
    "packages": packages.BACKEND,
}
BACKENDS.update(hypervisor.BACKENDS)
AUTOMATIC = ("snapper", "btrfs", "zfs", "lvm", "packages")
METHODS = ("auto", *BACKENDS)


def choose(request):
    """The name of the back end to use: the office's choice, or the first that fits.

    Raises Unusable with the reason when the office's choice does not fit this host.
    """
    method = request.get("options", {}).get("method") or "auto"
    if method not in METHODS:
        raise Unusable("backup_method %r is not one of %s" % (str(method)[:40], ", ".join(METHODS)))
    if method != "auto":
        reason = BACKENDS[method].reason_against(request)
        if reason:
            raise Unusable("backup_method is %s, but %s" % (method, reason))
        return method
    return next(name for name in AUTOMATIC if not BACKENDS[name].reason_against(request))
