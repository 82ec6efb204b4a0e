"""Services and kernel that still wait for a restart since an earlier update (SOP step 2)."""

import os
import re

from hostside import services, systemd
from hostside.command import run, which

NEEDRESTART_SECONDS = 30
KERNEL_WAITS = ("2", "3")  # NEEDRESTART-KSTA: an ABI compatible or a newer kernel is installed


def parse_needrestart(text):
    """(services, whether a kernel waits) of `needrestart -b`."""
    units = re.findall(r"^NEEDRESTART-SVC: (\S+)\s*$", text, re.MULTILINE)
    state = re.search(r"^NEEDRESTART-KSTA: (\d)", text, re.MULTILINE)
    return sorted(set(units)), bool(state) and state.group(1) in KERNEL_WAITS


def pending():
    """(services, whether a kernel waits) of this host; (None, False) when only root could tell."""
    if os.geteuid() != 0:
        return None, False
    if which("needrestart"):
        result = run(["needrestart", "-b", "-r", "l"], timeout=NEEDRESTART_SECONDS)
        if "NEEDRESTART-VER" in result.out:
            return parse_needrestart(result.out)
    return (services.stale_units() if systemd.available() else []), False
