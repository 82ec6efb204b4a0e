"""Keeps the way open by which the control node came in: SSH, the address, the route (SOP step 7).

An update that stops sshd or takes the network down leaves a host that nobody can restore from
outside. The worker is still there. It knows by which connection it was asked, looks whether the
host could still be reached that way, starts what had stopped, and if that does not help puts the
host back by itself. What cannot be seen from the host (a firewall's rule, a switch) it cannot
judge; nor is there a worker after a restart of the host until the control node asks.
"""

import ipaddress
import os
import re
import socket
import time

from hostside import hostinfo, systemd
from hostside.command import run

SETTLE_SECONDS = 10  # sshd and addresses may be away for a moment while they are restarted
POLL_SECONDS = 0.5
ANY_PORT = 9
MEND_SECONDS = 60
NETWORKS = re.compile(r"^(networking|systemd-networkd|NetworkManager|network)\.service$")


def parse_connection(text):
    """{peer, address, port} from SSH_CONNECTION's text; None when it is none."""
    fields = text.split()
    if len(fields) != 4 or not fields[3].isdigit():
        return None
    try:
        peer, address = plain_address(fields[0]), plain_address(fields[2])
    except ValueError:
        return None
    return {"peer": peer, "address": address, "port": int(fields[3])}


def plain_address(text):
    """An address without its scope; IPv4 in IPv6's clothes as IPv4. Raises ValueError."""
    address = ipaddress.ip_address(text.split("%", 1)[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


def connection():
    """The SSH connection that this process descends from, or None.

    sudo takes SSH_CONNECTION out of the environment, so that of the processes above is read.
    """
    pid = os.getpid()
    while pid > 1:
        for entry in hostinfo.read("/proc/%d/environ" % pid).split("\0"):
            name, _, value = entry.partition("=")
            if name == "SSH_CONNECTION":
                return parse_connection(value)
        fields = hostinfo.read("/proc/%d/stat" % pid, 4096).rpartition(")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return None


def broken(way):
    """Why nobody can come in by that way now; "" when one can, as far as the host can see."""
    if "tcp/%d" % way["port"] not in systemd.listening_ports():
        return "nothing listens on port %d any more" % way["port"]
    address = ipaddress.ip_address(way["address"])
    if address.is_loopback:
        return ""
    # Link-local addresses are reached by an interface that the text does not name: not looked at.
    if not address.is_link_local and str(address) not in hostinfo.addresses():
        return "the host has no longer the address %s" % address
    if not address.is_link_local and not has_route(way["peer"]):
        return "the host has no longer a route to the control node"
    return ""


def has_route(peer):
    """Whether the kernel knows a way to an address; nothing is sent."""
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((peer, ANY_PORT))
    except OSError:
        return False
    return True


def stays_broken(way, seconds=SETTLE_SECONDS):
    """What is broken for at least `seconds`; "" as soon as the way is open."""
    deadline = time.monotonic() + seconds
    while True:
        reason = broken(way)
        if not reason or time.monotonic() >= deadline:
            return reason
        time.sleep(POLL_SECONDS)


def mend(active_before):
    """Start the units that were active and are not, and restart what makes the network.

    Elsewhere such units are spared, since that cuts connections off; here they are cut off.
    """
    if not systemd.available():
        return
    lost = sorted(set(active_before) - set(systemd.active_units()))
    networks = [unit for unit in active_before if NETWORKS.match(unit) and unit not in lost]
    for verb, units in (("restart", networks), ("start", lost)):
        if units:
            run(["systemctl", "reset-failed", *units], timeout=MEND_SECONDS)
            run(["systemctl", verb, *units], timeout=MEND_SECONDS)


def guard(way, active_before, answer, put_back):
    """See to it that the host can be reached; returns whether it had to be put back for that.

    `put_back` restores the host and returns "" or why it could not. Findings: `way-in-mended`
    where starting units was enough; status `failed` and `way-in-lost` otherwise.
    """
    lost = stays_broken(way)
    if not lost:
        return False
    mend(active_before)
    still = stays_broken(way)
    if not still:
        answer.problem("way-in-mended", "%s; what had stopped was started again" % lost,
                       "Find out which package does that before the next update.")
        return False
    failure = put_back()
    mend(active_before)
    end = stays_broken(way)
    words = "restoring it failed: %s" % failure if failure else "the host was put back by itself"
    if end:
        words += "; %s still" % end
    answer.status = "failed"  # whatever the packages say: this is no state to leave a host in
    answer.problem("way-in-lost", "after the update %s; %s" % (still, words),
                   "Find out which package does that before it is approved again.")
    return True
