"""What a host remembers of its transactions, below /var/lib/sop-run (mode 0700).

`transactions/<id>/` holds `request.json` (what was asked), `program.py` (the worker's program),
`state.json` (stage and attempt), `notes.json` (what the phase must know after a crash, such as the
versions before the change), `receipt.json` (the evidence) and `worker.log`. All JSON is sealed.
Two kernel locks tell what no file can: `claim` is held by whoever decides on a transaction,
`alive` by its worker for as long as it lives, even if it is killed.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import time

from hostside import durable

ROOT = "/var/lib/sop-run"
IDENTITY = re.compile(r"^[0-9a-f]{32}\Z")
POLL_SECONDS = 0.05
RESERVE = "reserve"
RESERVE_BYTES = 16 * 1024 * 1024


def folder(transaction, *parts):
    """A path in the transaction's folder. Raises ValueError for an id that is none."""
    if not IDENTITY.match(transaction):
        raise ValueError("a transaction id has 32 hexadecimal digits, not %r" % transaction[:80])
    return os.path.join(ROOT, "transactions", transaction, *parts)


def private_folder(path):
    """Make a folder, and those above it that are missing, that only root can enter."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    os.chmod(path, 0o700)
    return path


def load(transaction, name):
    """A sealed file of the transaction, or None when it was never written; raises Damaged."""
    try:
        return durable.read_sealed(folder(transaction, name + ".json"))
    except FileNotFoundError:
        return None


def save(transaction, name, document, sync=True):
    """Write a sealed file of the transaction, durably unless `sync` is false."""
    durable.write_sealed(folder(transaction, name + ".json"), document, sync)


def notes(transaction):
    """What the phase noted earlier in this transaction; {} at the first attempt."""
    return load(transaction, "notes") or {}


def note(transaction, **values):
    """Add to the phase's notes, durably, before the change that they are about."""
    save(transaction, "notes", dict(notes(transaction), **values))


def begun(request):
    """Whether an earlier attempt of this transaction may have changed the host.

    An update notes that it begins to install, and backup and snapshot change no package; of the
    other phases' earlier attempts nothing is known, so they count.
    """
    if request["phase"] == "update":
        try:
            noted = notes(request["transaction"])
        except durable.Damaged:
            return True
        return bool(noted.get("installing") or noted.get("rebooting_from"))
    return request["phase"] not in ("backup", "snapshot") and request.get("attempt", 1) > 1


def lay_reserve():
    """Keep some room on the disk for a restore, after the snapshot, which would hold on to it."""
    path = os.path.join(private_folder(ROOT), RESERVE)
    with open(path, "wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, RESERVE_BYTES)


def give_reserve_up():
    """Free the room that the backup kept; a full disk must not keep a restore from its work."""
    path = os.path.join(ROOT, RESERVE)
    if os.path.exists(path):
        os.unlink(path)
        os.sync()


class Lock:
    """An exclusive flock on a file; released by the kernel when its process ends."""

    def __init__(self, path):
        self.path = path
        self._handle = None

    def take(self, seconds=0.0):
        """Wait up to `seconds` for the lock; returns whether it is held now."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    os.close(handle)
                    raise
            else:
                self._handle = handle
                return True
            if time.monotonic() >= deadline:
                os.close(handle)
                return False
            time.sleep(POLL_SECONDS)

    def label(self, document):
        """Write who holds the lock into its file, for the message of those who wait."""
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, durable.canonical(document), 0)

    def holder(self):
        """What the holder wrote about itself; {} when nothing readable is there."""
        try:
            with open(self.path, "rb") as stream:
                return dict(json.loads(stream.read(4096).decode("utf-8")))
        except (OSError, ValueError):
            return {}

    def release(self):
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextlib.contextmanager
def claim(transaction, seconds=60.0):
    """Holds the right to decide on a transaction; raises TimeoutError when another keeps it."""
    lock = Lock(folder(transaction, "claim"))
    if not lock.take(seconds):
        raise TimeoutError("another program decides on transaction %s" % transaction)
    try:
        yield
    finally:
        lock.release()


def alive(transaction):
    """Whether the transaction's worker lives: it holds the lock `alive` until it ends."""
    lock = Lock(folder(transaction, "alive"))
    if lock.take():
        lock.release()
        return False
    return True


def host_lock():
    """The lock that lets one changing transaction at a time run on this host."""
    return Lock(os.path.join(private_folder(ROOT), "lock"))
