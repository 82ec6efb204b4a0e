"""Runs commands on the host: fixed locale, no prompts, bounded time and output, always ended."""

import os
import signal
import subprocess
import tempfile

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "NEEDRESTART_MODE": "l",
    "NEEDRESTART_SUSPEND": "1",
    "APT_LISTCHANGES_FRONTEND": "none",
    "APT_LISTBUGS_FRONTEND": "none",
    "UCF_FORCE_CONFFOLD": "1",
    "HOME": "/root",
    "TERM": "dumb",
}


class Result:
    """How a command ended: `code` (None when it was ended at the time limit), `out`, `err`."""

    def __init__(self, argv, code, out, err):
        self.argv = argv
        self.code = code
        self.out = out
        self.err = err

    @property
    def ok(self):
        """Whether the command ended with exit code 0."""
        return self.code == 0

    def tail(self, lines=5):
        """The last lines of both streams, for a message."""
        text = (self.out + "\n" + self.err).strip().splitlines()
        return "\n".join(line[:400] for line in text[-lines:])


def which(name):
    """Path of a program on the fixed PATH, or None."""
    for folder in ENVIRONMENT["PATH"].split(":"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def read_bounded(handle, limit):
    """The first `limit` bytes of an open file as text; undecodable bytes are replaced."""
    handle.seek(0)
    return handle.read(limit).decode("utf-8", "replace")


def end_group(group):
    """Kill every process of a group, if there is any."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing of it is left


def run(argv, timeout=120, limit=8 * 1024 * 1024, env=None, cwd="/"):
    """Run `argv` (a list, no shell) in a session of its own and return a Result.

    Output goes to files, so a process left in the background cannot keep us waiting; at most
    `limit` bytes of each stream are read. At `timeout` seconds the whole session's process
    group is killed and `code` is None; it is killed, too, when the command itself was. A command
    that does not exist gives code 127.
    """
    environment = dict(ENVIRONMENT)
    environment.update(env or {})
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment,
                cwd=cwd, start_new_session=True, close_fds=True,
            )
        except OSError as error:
            return Result(argv, 127, "", "%s: %s" % (argv[0], error))
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            end_group(process.pid)
            process.wait()
            code = None
        if code is not None and code < 0:
            end_group(process.pid)  # somebody killed it: what it had begun must not go on alone
        return Result(argv, code, read_bounded(out, limit), read_bounded(err, limit))
