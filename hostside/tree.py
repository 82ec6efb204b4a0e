"""Compares a live tree with its snapshot and puts back what differs, file by file.

In a btrfs snapshot an unchanged file keeps inode number and ctime. User space cannot set a ctime
back, so (inode, ctime, size, mode) tells changed files from unchanged ones without reading them.
"""

import errno
import fcntl
import os
import shutil
import stat

FICLONE = 0x40049409
TEMPORARY = ".sop-run-restore"
COPY = 1024 * 1024


class Changes:
    """What putting a tree back needs: relative paths, parents before children.

    `replace`: entries of the snapshot that are missing or differ; `remove`: entries that only the
    live tree has; `folders`: folders that both have, with other attributes.
    """

    def __init__(self):
        self.replace = []
        self.remove = []
        self.folders = []
        self.links = {}  # snapshot inode → relative path of an unchanged live name

    def paths(self):
        """Every path that differs."""
        return self.replace + self.remove + self.folders


def untouched(kept, live):
    """Whether two stat results are of the same file, not written to since the snapshot."""
    return (
        kept.st_ino == live.st_ino and kept.st_ctime_ns == live.st_ctime_ns
        and kept.st_size == live.st_size and kept.st_mode == live.st_mode
    )


def alike(source, kept, target, now):
    """Whether a file that was touched is the same nevertheless: owner, mode, times, content.

    So that what an earlier restore has put back is not put back again.
    """
    if attributes_of(source, kept) != attributes_of(target, now):
        return False
    if stat.S_ISLNK(kept.st_mode):
        return os.readlink(source) == os.readlink(target)
    if stat.S_ISREG(kept.st_mode):
        return kept.st_size == now.st_size and same_content(source, target)
    return kept.st_rdev == now.st_rdev


def attributes_of(path, found):
    """Owner, mode, modification time and extended attributes, to compare."""
    extended = {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
    }
    return (found.st_uid, found.st_gid, found.st_mode, found.st_mtime_ns, extended)


def same_content(first, second):
    """Whether two files hold the same bytes."""
    with open(first, "rb") as one, open(second, "rb") as other:
        while True:
            block = one.read(COPY)
            if block != other.read(COPY):
                return False
            if not block:
                return True


def status(path):
    """lstat of a path, or None when there is none."""
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None


def names(folder):
    """Names in a folder, sorted."""
    return sorted(os.listdir(folder))


def same_folder(source, kept, target, now):
    """Whether a folder kept owner, mode, times and extended attributes."""
    if untouched(kept, now):
        return True
    return attributes_of(source, kept) == attributes_of(target, now)


class Trees:
    """A snapshot and the live tree, compared entry by entry into `changes`.

    Other file systems and subvolumes mounted or nested in the live tree are never entered or
    removed. `wanted(path)`: which paths take part; None for all.
    """

    def __init__(self, snapshot, live, wanted=None):
        self.snapshot = snapshot
        self.live = live
        self.changes = Changes()
        self._device = os.lstat(live).st_dev
        self._wanted = wanted

    def compare(self, path):
        """Compare one entry (a relative path) and everything below it."""
        if self._wanted is not None and not self._wanted(path):
            return
        source, target = os.path.join(self.snapshot, path), os.path.join(self.live, path)
        kept, now = status(source), status(target)
        if now is not None and now.st_dev != self._device:
            return
        if kept is None:
            if now is not None:
                self.changes.remove.append(path)
        elif now is None or stat.S_IFMT(kept.st_mode) != stat.S_IFMT(now.st_mode):
            self._missing(path, kept)
        elif stat.S_ISDIR(kept.st_mode):
            if not same_folder(source, kept, target, now):
                self.changes.folders.append(path)
            for name in sorted(set(os.listdir(source)) | set(os.listdir(target))):
                self.compare(os.path.join(path, name))
        elif untouched(kept, now) or alike(source, kept, target, now):
            if kept.st_nlink > 1:
                self.changes.links.setdefault(kept.st_ino, path)
        else:
            self.changes.replace.append(path)

    def _missing(self, path, kept):
        """An entry that the live tree lacks, and everything below it."""
        self.changes.replace.append(path)
        if not stat.S_ISDIR(kept.st_mode):
            return
        for name in names(os.path.join(self.snapshot, path)):
            child = os.path.join(path, name)
            if self._wanted is None or self._wanted(child):
                self._missing(child, os.lstat(os.path.join(self.snapshot, child)))


def put_back(snapshot, live, changes):
    """Carry out `changes` on the live tree. Each file is replaced whole, by a rename.

    New files first, removals last, so that nothing in use is missing in between.
    """
    linked = dict(changes.links)
    for path in changes.replace:
        replace(snapshot, live, path, linked)
    for path in sorted(changes.remove, reverse=True):
        remove(os.path.join(live, path))
    for path in sorted(touched_folders(snapshot, changes), reverse=True):
        attributes(os.path.join(snapshot, path), os.path.join(live, path))


def touched_folders(snapshot, changes):
    """Folders of the snapshot that were put back, or had something put back or removed in them."""
    candidates = set(changes.replace + changes.folders)
    candidates |= {os.path.dirname(path) for path in changes.replace + changes.remove}
    found = set()
    for path in candidates:
        kept = status(os.path.join(snapshot, path)) if path else None
        if kept is not None and stat.S_ISDIR(kept.st_mode):
            found.add(path)
    return found


def replace(snapshot, live, path, linked):
    """Put one entry back."""
    source, target = os.path.join(snapshot, path), os.path.join(live, path)
    kept, now = os.lstat(source), status(target)
    if stat.S_ISDIR(kept.st_mode):
        if now is not None and not stat.S_ISDIR(now.st_mode):
            os.unlink(target)
        if now is None or not stat.S_ISDIR(now.st_mode):
            os.mkdir(target, 0o700)
        return
    if stat.S_ISSOCK(kept.st_mode):
        return  # its server makes it anew
    if now is not None and stat.S_ISDIR(now.st_mode):
        remove(target)
    temporary = target + TEMPORARY
    if status(temporary) is not None:
        os.unlink(temporary)
    if kept.st_nlink > 1 and kept.st_ino in linked:
        os.link(os.path.join(live, linked[kept.st_ino]), temporary, follow_symlinks=False)
    else:
        make(source, kept, temporary)
        attributes(source, temporary)
        if kept.st_nlink > 1:
            linked[kept.st_ino] = path
    os.rename(temporary, target)


def make(source, kept, target):
    """A new entry of the same kind and content, without its attributes."""
    if stat.S_ISLNK(kept.st_mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISREG(kept.st_mode):
        copy_content(source, target)
    elif stat.S_ISFIFO(kept.st_mode):
        os.mkfifo(target, 0o600)
    else:
        os.mknod(target, stat.S_IFMT(kept.st_mode) | 0o600, kept.st_rdev)


def copy_content(source, target):
    """Copy a file's bytes; on btrfs by sharing its extents, which takes no time and no space."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, open(source, "rb") as kept:
        try:
            fcntl.ioctl(out.fileno(), FICLONE, kept.fileno())
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY):
                raise
            shutil.copyfileobj(kept, out, COPY)


def attributes(source, target):
    """Give `target` the owner, mode, extended attributes (ACLs, capabilities) and times."""
    kept = os.lstat(source)
    os.lchown(target, kept.st_uid, kept.st_gid)
    wanted = os.listxattr(source, follow_symlinks=False)
    for name in os.listxattr(target, follow_symlinks=False):
        if name not in wanted:
            os.removexattr(target, name, follow_symlinks=False)
    if not stat.S_ISLNK(kept.st_mode):
        os.chmod(target, stat.S_IMODE(kept.st_mode))
    for name in wanted:
        value = os.getxattr(source, name, follow_symlinks=False)
        os.setxattr(target, name, value, follow_symlinks=False)
    os.utime(target, ns=(kept.st_atime_ns, kept.st_mtime_ns), follow_symlinks=False)


def remove(path):
    """Remove a file or a folder; a folder on which something is mounted is left alone."""
    now = status(path)
    if now is None:
        return
    if not stat.S_ISDIR(now.st_mode):
        os.unlink(path)
        return
    for name in names(path):
        child = os.path.join(path, name)
        if os.lstat(child).st_dev == now.st_dev:
            remove(child)
    if not os.listdir(path):
        os.rmdir(path)
