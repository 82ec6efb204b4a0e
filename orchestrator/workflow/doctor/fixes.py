"""What to do about each finding of a host: always our own words, never the host's.

A host that somebody else controls must not be able to put a command into an operator's hands, so
hints that come with its evidence are not shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

INSTALL = {
    "apt": "apt-get install {0}",
    "dnf": "dnf install {0}",
    "zypper": "zypper install {0}",
}
CLEAN = {"apt": "apt-get clean", "dnf": "dnf clean packages", "zypper": "zypper clean"}
DEPLOY = "echo '{user} ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/sop-run"


@dataclass(frozen=True)
class Place:
    """A host as an operator reaches it."""

    host: str
    login: str  # after `ssh`; '' for this machine
    manager: str = "apt"

    @property
    def address(self) -> str:
        """The address alone."""
        return self.login.rpartition("@")[2].rpartition(" ")[2] or "localhost"

    @property
    def user(self) -> str:
        """The user's name, or a word to put it for."""
        before, at, _ = self.login.rpartition("@")
        return before.rpartition(" ")[2] if at else "USER"

    def on(self, command: str) -> str:
        """A command to be run on the host as root."""
        where = f"on {self.host} (ssh {self.login})" if self.login else "here"
        return f"{where}, as root: {command}"

    def install(self, packages: Mapping[str, str]) -> str:
        """The command that installs something, called as each package manager has it."""
        name = packages.get(self.manager, packages["apt"])
        return INSTALL.get(self.manager, INSTALL["apt"]).format(name)


def fix_of(code: str, place: Place) -> str:
    """What to do about a finding of the host program."""
    av = {"apt": "clamav-daemon clamav-freshclam", "dnf": "clamd clamav-update"}
    commands = {
        "half-configured": "dpkg --configure -a",
        "disk-low": f"{CLEAN.get(place.manager, CLEAN['apt'])}; journalctl --vacuum-size=100M; "
        "du -xh / | sort -h | tail",
        "clock-off": "timedatectl set-ntp true (compare `date -u` there and here)",
        "clock-unsynchronized": f"{place.install({'apt': 'chrony'})} && systemctl enable --now "
        + ("chrony" if place.manager == "apt" else "chronyd"),
        "no-antivirus": place.install(av)
        + "; where the office wants none: antivirus_method: none in the inventory",
        "antivirus-inactive": "systemctl enable --now clamav-daemon && systemctl status "
        "clamav-daemon",
        "antivirus-database-old": "freshclam && systemctl enable --now clamav-freshclam",
        "release-end-of-life": "upgrade to a supported release; updates of this one have ended",
        "release-near-end-of-life": "plan the upgrade to the next release before that day",
    }
    inventory = {
        "not-root": "ansible_become: true",
        "antivirus-unreadable": "ansible_become: true, or a command `version` that works",
        "bad-antivirus-command": "correct antivirus_method and antivirus_command "
        "(docs/how-to/antivirus.md)",
        "bad-check": "correct test_checks (docs/reference/checks.md)",
        "bad-option": "correct the variable that is named (docs/reference/variables.md)",
        "no-backup": "correct backup_method or backup_command (docs/explanation/backup.md)",
        "untested-backup": "try it on a guest that nobody needs (docs/how-to/hypervisor.md)",
        "no-package-manager": "take the host out: it has neither apt, dnf nor zypper",
    }
    if code in commands:
        return place.on(commands[code])
    if code in inventory:
        return f"in the inventory, for {place.host}: {inventory[code]}"
    return place.on("look at it by hand; the finding is in docs/reference/findings.md")


# What the reason of a host without answer contains → what to do. Our own words of
# fleet/decode.py and plugins/action/sop_phase.py, and those of ssh.
REASONS: tuple[tuple[str, str], ...] = (
    (
        r"host key has changed",
        "find out why first; then, with the key compared on the host's console "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub): ssh-keygen -R {address} && "
        "ssh {login}",
    ),
    (
        r"host key is unknown",
        "ssh {login}, and compare the fingerprint with the host's own "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on its console)",
    ),
    (
        r"login was refused",
        "ssh-copy-id {login}, or correct ansible_user and ansible_ssh_private_key_file for {host}",
    ),
    (r"no answer in time", "try by hand: ssh {login} sudo -v"),
    (
        r"sudo asks for a password",
        "call again with --ask-become-pass, keep ansible_become_password in a vault, or on the "
        "host, as root: " + DEPLOY,
    ),
    (r"sudo refused the password", "type the right one, or correct ansible_become_password"),
    (r"sudo is refused", "on the host, as root: " + DEPLOY),
    (
        r"sudo wants a terminal",
        "on the host, as root: echo 'Defaults:{user} !requiretty' >> /etc/sudoers.d/sop-run; or in "
        "the inventory, for {host}: ansible_pipelining: false",
    ),
    (r"sudo is not on the host", "on the host, as root: apt-get install sudo (or dnf, zypper)"),
    (
        r"no Python 3",
        "on the host, as root: apt-get install python3 (or dnf, zypper); or in the inventory, for "
        "{host}: ansible_python_interpreter: PATH",
    ),
    (r"Python is incomplete", "on the host, as root: apt-get install python3"),
    (
        r"Python is too old",
        "install Python 3.6 or later on the host and set, for {host}: "
        "ansible_python_interpreter: PATH",
    ),
    (r"far too much output", "ssh {login} true: whatever it prints must go from its profile"),
    (r"no answer within", "try by hand: ssh {login} sudo -n id -u; raise doctor_timeout_seconds"),
    (
        r"variable of this host is encrypted",
        "export ANSIBLE_VAULT_PASSWORD_FILE=FILE, the file with the vault's password",
    ),
    (r"Connection refused", "on its console: systemctl enable --now ssh (sshd on EL and SUSE)"),
    (
        r"Could not resolve|not known",
        "in the inventory, for {host}: ansible_host: ADDRESS (now {address})",
    ),
    (
        r"timed out|No route|unreachable",
        "ping {address}; is the host on, is the address right, does a firewall drop port 22?",
    ),
)


def fix_of_reason(reason: str, place: Place) -> str:
    """What to do about a host that gave no answer."""
    for pattern, words in REASONS:
        if re.search(pattern, reason, re.IGNORECASE):
            names = {"login": place.login or "localhost", "address": place.address}
            return words.format(host=place.host, user=place.user, **names)
    return f"try by hand: ssh {place.login or 'localhost'} sudo -n id -u"
