"""Keeps the way open by which the control node came in: SSH, the address, the route (SOP step 7).

An update that stops sshd or takes the network down leaves a host that nobody can restore from
outside. The worker is still there. It knows by which connection it was asked, looks whether the
host could still be reached that way, starts what had stopped, and if that does not help puts the
host back by itself.

It judges only what the host itself can have done. A line without a carrier (a cable, a switch that
restarts) is nobody's update, though it takes addresses and routes away, too. A firewall's rule
cannot be seen from here, and after a restart of the host there is no worker until somebody asks.
"""

import ipaddress
import os
import re
import socket
import time

from hostside import hostinfo, systemd
from hostside.command import run

# Seconds that sshd and the network may be away, before and after they were started again:
# restarting sshd takes a moment, getting an address by DHCP takes longer.
SETTLE_SECONDS = {"ssh": (10, 5), "network": (60, 30)}
POLL_SECONDS = 0.5
ANY_PORT = 9
MEND_SECONDS = 60
NETWORKS = re.compile(r"^(networking|systemd-networkd|NetworkManager|network)\.service$")
OWNER = re.compile(r"^\d+: ([^\s@:]+)\S* +inet6? ([0-9a-fA-F.:]+)/", re.MULTILINE)


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
    """The SSH connection that this process descends from, with the interface of its address.

    None when there is none. sudo takes SSH_CONNECTION out of the environment, so that of the
    processes above is read.
    """
    pid = os.getpid()
    while pid > 1:
        for entry in hostinfo.read("/proc/%d/environ" % pid).split("\0"):
            name, _, value = entry.partition("=")
            way = parse_connection(value) if name == "SSH_CONNECTION" else None
            if way:
                return dict(way, interface=interface_of(way["address"]))
        fields = hostinfo.read("/proc/%d/stat" % pid, 4096).rpartition(")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return None


def interface_of(address):
    """The network interface that has an address; "" when nothing tells."""
    owners = parse_owners(run(["ip", "-o", "address", "show"], timeout=20).out)
    name = owners.get(address, "")
    return "" if ipaddress.ip_address(address).is_loopback else name


def parse_owners(text):
    """{address: interface} from `ip -o address show`."""
    return {address.lower(): name for name, address in OWNER.findall(text)}


def broken(way):
    """(`ssh` or `network`, why nobody can come in by that way now); ("", "") when one can.

    As far as the host can see: without a carrier, or a known interface, the network is not judged.
    """
    if "tcp/%d" % way["port"] not in systemd.listening_ports():
        return "ssh", "nothing listens on port %d any more" % way["port"]
    name, address = way.get("interface", ""), way["address"]
    if not name or ipaddress.ip_address(address).is_link_local:
        return "", ""
    if hostinfo.read("/sys/class/net/%s/carrier" % name, 8).strip() == "0":
        return "", ""
    if address not in hostinfo.addresses():
        return "network", "the host has no longer the address %s" % address
    if not has_route(way["peer"]):
        return "network", "the host has no longer a route to the control node"
    return "", ""


def has_route(peer):
    """Whether the kernel knows a way to an address; nothing is sent."""
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((peer, ANY_PORT))
    except OSError:
        return False
    return True


def stays_broken(way, mended=False):
    """What is broken, as `broken` says it, for longer than it may be."""
    started = time.monotonic()
    while True:
        kind, reason = broken(way)
        if not reason or time.monotonic() - started >= SETTLE_SECONDS[kind][mended]:
            return kind, reason
        time.sleep(POLL_SECONDS)


def mend(kind, active_before):
    """Start the units that were active and are not; restart what makes the network if that is it.

    Elsewhere such units are spared, since that cuts connections off; here they are cut off.
    """
    if not systemd.available():
        return
    lost = sorted(set(active_before) - set(systemd.active_units()))
    networks = [
        unit for unit in active_before
        if kind == "network" and NETWORKS.match(unit) and unit not in lost
    ]
    for verb, units in (("restart", networks), ("start", lost)):
        if units:
            run(["systemctl", "reset-failed", *units], timeout=MEND_SECONDS)
            run(["systemctl", verb, *units], timeout=MEND_SECONDS)


def guard(way, active_before, answer, put_back):
    """See to it that the host can be reached; returns whether it had to be put back for that.

    `put_back` restores the host and returns "" or why it could not. Findings: `way-in-mended`
    where starting units was enough; status `failed` and `way-in-lost` otherwise.
    """
    kind, lost = stays_broken(way)
    if not lost:
        return False
    mend(kind, active_before)
    kind, still = stays_broken(way, mended=True)
    if not still:
        answer.problem("way-in-mended", "%s; what had stopped was started again" % lost,
                       "Find out which package does that before the next update.")
        return False
    failure = put_back()
    mend(kind, active_before)
    _, end = stays_broken(way, mended=True)
    words = "restoring it failed: %s" % failure if failure else "the host was put back by itself"
    if end:
        words += "; %s still" % end
    answer.status = "failed"  # whatever the packages say: this is no state to leave a host in
    answer.problem("way-in-lost", "after the update %s; %s" % (still, words),
                   "Find out which package does that before it is approved again.")
    return True
