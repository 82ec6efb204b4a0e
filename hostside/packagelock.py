"""The package managers' own locks: who holds them, waiting for them, keeping others out."""

import contextlib
import errno
import fcntl
import glob
import os
import time

from hostside import hostinfo, rpmdb
from hostside.command import run, which

APT_LOCKS = (
    "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock",
)
# Files with the process id of who holds a lock, by package manager.
PID_FILES = {
    "dnf": ("/var/lib/dnf/*_lock.pid", "/var/cache/dnf/*_lock.pid", "/run/dnf/*_lock.pid"),
    "zypper": ("/run/zypp.pid", "/run/zypp-rpm.pid"),
}
# apt-daily and apt-daily-upgrade wait for the first; unattended-upgrade gives up at the second.
APT_DAILY = "/var/lib/apt/daily_lock"
UNATTENDED = "/run/unattended-upgrades.lock"
# What updates, or keeps the lock for a refresh, on its own.
TIMERS = {
    "dnf": ("dnf-automatic.timer", "dnf-automatic-install.timer", "dnf-makecache.timer"),
    "zypper": ("packagekit-background.timer", "os-update.timer", "transactional-update.timer"),
}
# D-Bus starts it whenever a desktop or a console asks, and then it keeps the lock for minutes.
SERVICES = {"zypper": ("packagekit.service",)}
POLL_SECONDS = 0.2


def try_lock(path):
    """An open file that holds the POSIX lock at `path`; None when another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return None
        raise
    return handle


def command_of(pid):
    """`apt-get` for the process id, as the kernel names it; `?` when it is gone."""
    return hostinfo.read("/proc/%d/comm" % pid, 64).strip() or "?"


def parse_locks(text, inode):
    """Process ids that hold (not wait for) a lock on an inode, from the text of /proc/locks.

    The device is left out: btrfs shows another one there than stat does.
    """
    found = set()
    for line in text.splitlines():
        fields = line.split()
        # 1: POSIX  ADVISORY  WRITE 4711 00:1f:257 0 EOF ; a waiter has "->" after the number
        if len(fields) > 5 and fields[1] != "->" and fields[5].rsplit(":", 1)[-1] == str(inode):
            found.add(int(fields[4]))
    return {pid for pid in found if pid > 0}


def has_open(pid, path):
    """Whether a process has `path` open."""
    base = "/proc/%d/fd" % pid
    try:
        return any(os.readlink(os.path.join(base, name)) == path for name in os.listdir(base))
    except OSError:
        return False  # it ended meanwhile


def holders(path):
    """Process ids holding the lock file `path`."""
    pids = parse_locks(hostinfo.read("/proc/locks"), os.stat(path).st_ino)
    return sorted(pid for pid in pids if has_open(pid, path))


def pid_file_holder(path):
    """The living process that a lock file of dnf or zypper names, or None."""
    text = hostinfo.read(path, 32).strip()
    if text.isdigit() and int(text) != os.getpid() and os.path.exists("/proc/" + text):
        return int(text)
    return None


def busy():
    """What keeps the package manager now: [(path, pid or 0)]; [] when it is free."""
    found = []
    manager = hostinfo.package_manager()
    for path in APT_LOCKS if manager == "apt" else (os.path.join(rpmdb.folder(), ".rpm.lock"),):
        if not os.path.exists(path):
            continue
        handle = try_lock(path)
        if handle is None:
            found += [(path, pid) for pid in holders(path)] or [(path, 0)]
        else:
            os.close(handle)
    for pattern in PID_FILES.get(manager, ()):
        for path in glob.glob(pattern):
            pid = pid_file_holder(path)
            if pid:
                found.append((path, pid))
    return found


def wait_free(seconds):
    """Wait up to `seconds` for the package locks; returns who still holds one, as text."""
    deadline = time.monotonic() + seconds
    while True:
        found = busy()
        if not found or time.monotonic() >= deadline:
            return describe(found)
        time.sleep(POLL_SECONDS)


def describe(found):
    """`apt-get (process 4711) holds /var/lib/dpkg/lock` for each holder, "" for none."""
    return "; ".join(
        "%s (process %d) holds %s" % (command_of(pid), pid, path) if pid
        else "an unknown process holds %s" % path
        for path, pid in found
    )


@contextlib.contextmanager
def dpkg_held(seconds):
    """Holds dpkg's front-end lock, so that the package database stands still; apt hosts only.

    Raises TimeoutError when another process keeps it longer than `seconds`.
    """
    if hostinfo.package_manager() != "apt":
        yield
        return
    deadline = time.monotonic() + seconds
    handle = try_lock(APT_LOCKS[0])
    while handle is None:
        if time.monotonic() >= deadline:
            raise TimeoutError(describe([(APT_LOCKS[0], pid) for pid in holders(APT_LOCKS[0])]))
        time.sleep(POLL_SECONDS)
        handle = try_lock(APT_LOCKS[0])
    try:
        yield
    finally:
        os.close(handle)


class Inhibitor:
    """Keeps the host's automatic updates out for as long as this process lives.

    On apt hosts by their own locks, which the kernel releases even if we are killed: nothing is
    left to undo. Elsewhere active timers are stopped, and services that would take the lock are
    masked until the next boot at the latest; `register` stores their names before.
    """

    def __init__(self, register):
        self._register = register
        self._handles = []
        self.stopped = []

    def start(self):
        """Keep them out; what runs already is waited for by apt's own locks."""
        manager = hostinfo.package_manager()
        if manager == "apt":
            self._lock_daily()
            return
        if which("systemctl"):
            timers = [
                name for name in TIMERS.get(manager, ())
                if run(["systemctl", "is-active", "--quiet", name], timeout=20).ok
            ]
            services = [name for name in SERVICES.get(manager, ()) if loaded(name)]
            self.stopped = timers + services
            if self.stopped:
                self._register(self.stopped)
            if timers:
                run(["systemctl", "stop", *timers], timeout=60)
            if services:
                run(["systemctl", "mask", "--runtime", *services], timeout=60)

    def _lock_daily(self):
        handle = os.open(APT_DAILY, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)  # apt-daily runs now: apt's locks make us wait for it
        else:
            self._handles.append(handle)
        unattended = try_lock(UNATTENDED)
        if unattended is not None:
            self._handles.append(unattended)

    def stop(self, names=()):
        """Let them in again; `names` are those that an earlier, killed attempt had kept out."""
        for handle in self._handles:
            os.close(handle)
        self._handles = []
        again = sorted(set(self.stopped) | set(names))
        services = [name for name in again if name.endswith(".service")]
        timers = [name for name in again if name not in services]
        if services:
            run(["systemctl", "unmask", "--runtime", *services], timeout=60)
        if timers:
            run(["systemctl", "start", *timers], timeout=60)
        self.stopped = []


def loaded(unit):
    """Whether there is such a unit, and nobody has masked it."""
    result = run(["systemctl", "show", "--property=LoadState", "--value", unit], timeout=20)
    return result.out.strip() == "loaded"
