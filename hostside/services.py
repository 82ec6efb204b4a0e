"""Finds services that still run what an update or a restore replaced, and restarts them."""

import os
import re

from hostside import hostinfo, systemd
from hostside.command import run

# Restarting these cuts sessions, networks or guests off; they are named instead (needs a reboot).
SPARED = re.compile(
    r"^(dbus|dbus-broker|systemd-logind|systemd-networkd|networking|NetworkManager|wpa_supplicant"
    r"|ifup@.*|getty@.*|serial-getty@.*|console-getty|container-getty@.*|user@.*|display-manager"
    r"|gdm3?|lightdm|sddm|docker|containerd|libvirtd|virt.*d|pve.*|init|emergency"
    r"|rescue)\.service$"
)
SYSTEM_CODE = re.compile(r"^/(usr|lib\w*|bin|sbin|opt)/")
UNIT_FOLDERS = ("/lib/systemd/system/", "/usr/lib/systemd/system/", "/etc/systemd/system/")
RESTART_SECONDS = 180


def parse_cgroup(text):
    """The system service that a process belongs to, from /proc/PID/cgroup; "" for none."""
    for line in text.splitlines():
        path = line.rsplit(":", 1)[-1]
        match = re.search(r"/system\.slice/(?:.*/)?([^/]+\.service)(?:/|$)", path)
        if match:
            return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), match.group(1))
    return ""


def runs_deleted_code(maps):
    """Whether /proc/PID/maps shows executable code of the system that was replaced on disk."""
    for line in maps.splitlines():
        if not line.endswith(" (deleted)"):
            continue
        fields = line.split(None, 5)
        if len(fields) == 6 and "x" in fields[1] and SYSTEM_CODE.match(fields[5]):
            return True
    return False


def stale_units(changed=()):
    """Services with a process that runs deleted code or was started from a path in `changed`."""
    changed, found = frozenset(changed), set()
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        base = "/proc/%s/" % pid
        unit = parse_cgroup(hostinfo.read(base + "cgroup"))
        if not unit or unit in found:
            continue
        words = hostinfo.read(base + "cmdline", 65536).split("\0")
        if changed.intersection(words) or runs_deleted_code(
            hostinfo.read(base + "maps", 16 * 1024 * 1024)
        ):
            found.add(unit)
    return sorted(found)


def units_among(paths):
    """Names of the service units whose unit files are among `paths`."""
    found = set()
    for path in paths:
        folder = next((f for f in UNIT_FOLDERS if path.startswith(f)), None)
        if folder and path.endswith(".service"):
            found.add(path[len(folder):].split("/")[0])
    return sorted(name for name in found if "@." not in name and name.endswith(".service"))


def split_spared(units):
    """(units to restart, units that a restart would hurt)."""
    units = [unit for unit in units if not unit.startswith("sop-run-")]
    spared = [unit for unit in units if SPARED.match(unit)]
    return [unit for unit in units if unit not in spared], spared


def restart(units, answer):
    """Restart units in one call; one that does not come up again is a problem. Returns them all."""
    if not units or not systemd.available():
        return []
    result = run(["systemctl", "restart", *list(units)], timeout=RESTART_SECONDS)
    if not result.ok:
        answer.problem("service-restart", result.tail(4) or "systemctl restart did not end in time",
                       "Look at the unit's journal on the host.")
    return list(units)


def after_update(answer):
    """Restart what still runs replaced code; facts say what was restarted and what was spared."""
    if not systemd.available():
        return
    units, spared = split_spared(stale_units())
    answer.facts["restarted"] = restart(units, answer)
    answer.facts["restart_pending"] = spared


def after_restore(paths, active_before, answer):
    """After files went back: reload units, restart what they belong to, start what was active.

    `paths`: what was put back; `active_before`: the baseline's active units. A unit that was not
    active in the baseline is not started.
    """
    if not systemd.available():
        return
    run(["systemctl", "daemon-reload"], timeout=60)
    run(["systemctl", "reset-failed"], timeout=60)
    wanted, active = set(active_before), set(systemd.active_units())
    touched = (set(stale_units(paths)) | set(units_among(paths))) & (active | wanted)
    lost = {unit for unit in wanted - active if re.match(r"^[^@]+\.(service|socket)$", unit)}
    units, spared = split_spared(sorted(touched | lost))
    answer.facts["restarted"] = restart(units, answer)
    answer.facts["restart_pending"] = spared
