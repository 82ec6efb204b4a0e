"""Room for snapshots of LVM: how much one needs, and how full it is (faults 19 and 20).

An ordinary (thick) volume gets a snapshot of a fixed size, which becomes invalid when more is
written than fits. In a thin pool it is the pool that must have room.
"""

from hostside import lvmreport, naming
from hostside.lvmreport import find, pool_of
from hostside.unusable import Unusable

SHORT_PERCENT = 85.0
FULL_PERCENT = 95.0  # from there on nothing is relied on
MB = 1024 * 1024
ROOM_MB = 512  # beside the packages: package lists, logs, the file system's own journal
# Package file in the cache, unpacked, and unpacked again when it is put back.
UNPACKED = 8
SHARE = 0.2  # of the origin, at least


def used(volume):
    """How full that is on which a snapshot depends, in percent: itself, or its thin pool."""
    if not volume.thin:
        return 100.0 if volume.state in "IS" or volume.data is None else volume.data
    pool = pool_of(volume)
    if pool.data is None or pool.metadata is None:
        raise Unusable("lvs does not tell how full the pool %s is" % pool.path)
    return max(pool.data, pool.metadata)


def fill(identity):
    """How full the space for this backup is, in percent; at 100 a thick snapshot is lost.

    For who watches the update. Raises Unusable when the snapshot is not there.
    """
    found = find(identity)
    if found is None:
        raise Unusable("there is no snapshot %s" % identity)
    return used(found)


def room(request):
    """Bytes that the update and a restore may write."""
    sizes = sum(int(item.get("size") or 0) for item in request.get("items", []))
    return sizes * UNPACKED + ROOM_MB * MB


def reserved(root, request):
    """Bytes of a thick snapshot, whole MiB; never more than all of the volume and a map take."""
    size = min(max(root.size * SHARE, room(request)), root.size * 1.02 + 16 * MB)
    return (int(size) // MB + 1) * MB


def dead(root):
    """Our own snapshots of the volume of / that have overflowed: all they hold is room."""
    return [
        one for one in lvmreport.volumes()
        if one.group == root.group and one.origin == root.name and not one.thin
        and one.state == "I" and naming.NAME.match(one.name)
    ]


def lacking(root, request):
    """Why there is no room for a snapshot of the volume of /; "" when there is."""
    if not root.thin:
        size = reserved(root, request)
        free = root.free + sum(one.size for one in dead(root))
        if free >= size:
            return ""
        return "the volume group %s has %d MB free, and the snapshot needs %d MB" % (
            root.group, free // MB, size // MB)
    pool, share = pool_of(root), used(root)
    if pool.health != "-":
        return "LVM reports the pool %s as unhealthy (%s)" % (pool.path, pool.attributes)
    if share >= FULL_PERCENT:
        return "the pool %s is full to %.0f %%" % (pool.path, share)
    free = pool.size * (100 - pool.data) / 100
    if free < room(request):
        return "the pool %s has %d MB free, and the update needs %d MB" % (
            pool.path, free // MB, room(request) // MB)
    return ""


def healthy(found, space):
    """The sentence about the room that is left in `space`; Unusable when it is used up."""
    share = used(found)
    if space.health != "-" or share >= FULL_PERCENT:
        raise Unusable("%s is full to %.0f %% (%s), too much to rely on it" % (
            space.path, share, space.attributes))
    return ["%s is full to %.1f %%" % (space.path, share)]


def short(found):
    """(what is short, whether it is urgent) while the update writes; ("", False).

    A thick snapshot is short of room when what was written could not be written once more, to put
    it back, even with its group's free room. A thin pool is short near its limit.
    """
    share = used(found)
    if found.thin:
        words = "the pool %s/%s is full to %.0f %%" % (found.group, found.pool, share)
        return (words, share >= FULL_PERCENT) if share >= SHORT_PERCENT else ("", False)
    written = found.size * share / 100
    if found.size * FULL_PERCENT / 100 - written + found.free >= written:
        return "", False
    words = "%s is full to %.0f %%, and more could not be put back" % (found.path, share)
    return words, share >= SHORT_PERCENT


def make_room(found, size):
    """See that `size` bytes more can be written while the snapshot is read.

    A thick snapshot is made larger, from its group's free room, where that is necessary. Raises
    Unusable when there is not that room.
    """
    wanted = int(size * 1.1) + 32 * MB
    space = pool_of(found) if found.thin else found
    free = int(space.size * (FULL_PERCENT - used(found)) / 100)
    if free >= wanted:
        return
    if found.thin or found.free < wanted:
        raise Unusable("putting back needs %d MB in %s, which has %d MB" % (
            wanted // MB, space.path, free // MB))
    lvmreport.change("lvextend", "--size", "+%dm" % (wanted // MB + 1), found.path)
