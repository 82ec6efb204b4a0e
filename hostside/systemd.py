"""What runs on a host: units by systemctl, listening ports from /proc/net. Reads only."""

import os
import re
import time

from hostside.command import run, which

# Units that come and go by themselves; their absence says nothing about an update.
TRANSIENT = re.compile(
    r"^(user@|user-runtime-dir@|session-|run-|sop-run-|apt-daily|dnf-makecache|packagekit)"
)
SHOWN = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,"
    "ActiveEnterTimestampMonotonic"
)
LISTEN = {"tcp": "0A", "udp": "07"}
LOOPBACK = {"0100007F", "0" * 24 + "01000000"}
X11_FORWARDING = range(6010, 6100)


def available():
    """Whether systemd is this host's init, so that units can be asked for."""
    return os.path.isdir("/run/systemd/system") and which("systemctl") is not None


def list_units(state):
    """Names of services and sockets in a state (`active`, `failed`), sorted; [] without systemd."""
    if not available():
        return []
    result = run([
        "systemctl", "list-units", "--type=service,socket", "--state=" + state,
        "--plain", "--no-legend", "--no-pager", "--full",
    ], timeout=30)
    if not result.ok:
        raise OSError("systemctl list-units: %s" % result.tail())
    return parse_units(result.out)


def parse_units(text):
    """Unit names, sorted, from `systemctl list-units --plain --no-legend`."""
    names = (line.split(None, 1)[0] for line in text.splitlines() if line.strip())
    return sorted(name for name in names if not TRANSIENT.match(name))


def active_units():
    """Services and sockets that are active, without those that come and go by themselves."""
    return list_units("active")


def failed_units():
    """Services and sockets that failed."""
    return list_units("failed")


def show(units):
    """Properties of units, {name: {property: value}}, in one call; {} for none or no systemd."""
    if not units or not available():
        return {}
    argv = ["systemctl", "show", "--no-pager", "-p", SHOWN, "--", *units]
    result = run(argv, timeout=30)
    if not result.ok:
        raise OSError("systemctl show: %s" % result.tail())
    return parse_show(result.out)


def parse_show(text):
    """Blocks of `Key=value` lines, one block per unit, as {Id: {key: value}}."""
    units = {}
    for block in re.split(r"\n\s*\n", text.strip()):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in values:
            units[values["Id"]] = values
    return units


def active_seconds(properties):
    """Seconds since a unit became active, by the same clock as systemd's (monotonic)."""
    entered = int(properties.get("ActiveEnterTimestampMonotonic") or 0)
    return time.clock_gettime(time.CLOCK_MONOTONIC) - entered / 1000000.0


def parse_sockets(text, protocol):
    """Listening sockets of one /proc/net table as (address in hex, port) pairs."""
    found = set()
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) > 3 and columns[3] == LISTEN[protocol]:
            address, port = columns[1].rsplit(":", 1)
            found.add((address, int(port, 16)))
    return found


def ephemeral_floor():
    """The first port that the kernel hands out by itself; listening above it is by chance."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", "r") as handle:
            return int(handle.read().split()[0])
    except OSError:
        return 32768


def lasting(sockets, protocol, floor):
    """`tcp/8080` for each socket that a service holds, not a session or the kernel's choice."""
    return {
        "%s/%d" % (protocol, port) for address, port in sockets
        if 0 < port < floor and not (address in LOOPBACK and port in X11_FORWARDING)
    }


def port_key(name):
    """Sorts `tcp/80` before `tcp/443`."""
    protocol, port = name.split("/")
    return protocol, int(port)


def listening_ports():
    """Listening ports as [`tcp/22`, …] over IPv4 and IPv6, below the ephemeral range."""
    found, floor = set(), ephemeral_floor()
    for protocol in LISTEN:
        for table in (protocol, protocol + "6"):
            try:
                with open("/proc/net/" + table, "r") as handle:
                    text = handle.read(16 * 1024 * 1024)
            except OSError:
                continue  # a kernel without IPv6 has no such table
            found |= lasting(parse_sockets(text, protocol), protocol, floor)
    return sorted(found, key=port_key)
