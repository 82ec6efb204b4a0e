"""Finds what a killed worker left running: package tools that carry its transaction's mark.

Every command of a worker has the transaction's id in its environment. Daemons that maintainer
scripts start may inherit it, so only package tools and their descendants count as left over.
"""

import os
import time

from hostside import hostinfo

MARKER = "SOP_RUN_TRANSACTION"
TOOLS = frozenset({
    "apt-get", "dpkg", "dpkg-deb", "dnf", "zypper", "zypp-rpm", "rpm", "freshclam", "btrfs",
})
DNF_WRITER = "Changes packages through dnf's own Python library"
POLL_SECONDS = 0.2


def processes():
    """{pid: parent pid} of all processes."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        fields = hostinfo.read("/proc/%s/stat" % name, 4096).rpartition(")")[2].split()
        if len(fields) > 1 and fields[0] != "Z":
            found[int(name)] = int(fields[1])
    return found


def marked(pid, transaction):
    """Whether a process carries the transaction's mark in its environment."""
    mark = "%s=%s" % (MARKER, transaction)
    return mark in hostinfo.read("/proc/%d/environ" % pid).split("\0")


def is_tool(pid):
    """Whether a process is a package tool, by its name or, for dnf's library, by its program."""
    if hostinfo.read("/proc/%d/comm" % pid, 64).strip() in TOOLS:
        return True
    return DNF_WRITER in hostinfo.read("/proc/%d/cmdline" % pid)


def of(transaction, parents):
    """Package tools of the transaction among `parents` ({pid: parent}), except ourselves."""
    return {
        pid for pid in parents
        if pid != os.getpid() and is_tool(pid) and marked(pid, transaction)
    }


def running(transaction, program):
    """Processes of the transaction, except ourselves, that run a program of the office's."""
    return {
        pid for pid in processes()
        if pid != os.getpid() and marked(pid, transaction)
        and program in hostinfo.read("/proc/%d/cmdline" % pid).split("\0")
    }


def let_end(transaction, program, seconds):
    """Let such a program of a killed attempt come to its end, and kill it when it takes longer."""
    deadline = time.monotonic() + seconds
    while running(transaction, program):
        if time.monotonic() >= deadline:
            for pid in running(transaction, program):
                kill(pid)
        time.sleep(POLL_SECONDS)


def kill(pid):
    """Kill a process that may have ended meanwhile."""
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return


def with_descendants(found, parents):
    """A set of processes and everything below them."""
    everything = set(found)
    while True:
        more = {pid for pid, parent in parents.items() if parent in everything} - everything
        if not more:
            return everything
        everything |= more


def script_runs(transaction):
    """Whether a package tool of the transaction runs something that is no tool: a maintainer
    script or a hook of the package manager."""
    parents = processes()
    tools = of(transaction, parents)
    below = with_descendants(tools, parents) - tools
    return any(not is_tool(pid) for pid in below)


def wait(transaction, seconds):
    """Let what is left of the transaction come to its end; returns whether it did in time."""
    deadline = time.monotonic() + seconds
    while of(transaction, processes()):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(transaction):
    """Kill what is left of the transaction, with everything that it started."""
    for _ in range(5):
        parents = processes()
        found = with_descendants(of(transaction, parents), parents) - {os.getpid()}
        if not found:
            return
        for pid in sorted(found):
            kill(pid)
        time.sleep(POLL_SECONDS)
