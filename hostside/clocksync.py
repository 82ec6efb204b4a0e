"""Whether the host's clock is kept right, and how far it is from the control node's (SOP 2)."""

import ctypes
import re
import time

from hostside.command import run, which

TOLERANCE_SECONDS = 300
OFF = "the host's clock is %+.0f s from the control node's"
# A container has its machine's clock and cannot set it.
CONTAINERS = frozenset({
    "systemd-nspawn", "lxc", "lxc-libvirt", "docker", "podman", "openvz", "rkt", "wsl", "proot",
    "container-other",
})
TIME_ERROR = 5  # ntp_gettime(3): the kernel holds its clock for unsynchronized


def parse_tracking(text):
    """{synchronized, offset} of `chronyc -c tracking`, or None; `offset` in seconds, ahead is +."""
    fields = text.strip().split(",")
    if len(fields) < 14 or not re.match(r"^-?\d+(\.\d+)?(e-?\d+)?$", fields[4]):
        return None
    if fields[13] == "Not synchronised":
        return {"synchronized": False, "offset": None}
    # chrony counts how slow the clock is against its servers.
    return {"synchronized": True, "offset": 0.0 - float(fields[4])}


def kernel_synchronized():
    """What the kernel says of its clock, the same that timedatectl shows; None when unknown."""
    try:
        gettime = ctypes.CDLL(None).ntp_gettime
    except (AttributeError, OSError):  # a libc without it
        return None
    state = gettime(ctypes.create_string_buffer(256))
    return None if state < 0 else state != TIME_ERROR


def fact():
    """`facts.clock_sync`: {by, synchronized, offset}; values are null where nobody knows."""
    if which("chronyc"):
        found = parse_tracking(run(["chronyc", "-n", "-c", "tracking"], timeout=5).out)
        if found:
            return dict(found, by="chrony")
    return {"by": "kernel", "synchronized": kernel_synchronized(), "offset": None}


def offset_of(request):
    """Seconds that this clock is ahead of the control node's as of when the request arrived.

    None when it brings no time. The way here counts as a part of it, so a second means nothing.
    """
    if request.get("clock") is None:
        return None
    since = max(0.0, time.monotonic() - request.get("arrived", time.monotonic()))
    return time.time() - since - float(request["clock"])


def findings(found, offset, virtualization):
    """[(code, message)]; `offset` as `offset_of` gives it."""
    told = []
    if offset is not None and abs(offset) > TOLERANCE_SECONDS:
        told.append(("clock-off", OFF % offset))
    if found["synchronized"] is False and virtualization not in CONTAINERS:
        told.append(("clock-unsynchronized", "no time service keeps the host's clock right"))
    return told
