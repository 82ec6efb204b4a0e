"""The systemd timer and service that open the month's cycle.

OnCalendar cannot say "first working Tuesday" with a country's holidays, so the timer fires every
day and `sop-run monthly --if-due` decides. A day on which it failed, or on which the machine was
off, is made up for on the next one.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.fleet.assets import named_paths
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.office import Office
from orchestrator.model.text import printable
from orchestrator.workflow.schedule import schedule_of
from orchestrator.workflow.settings import Settings

NAME = "sop-run-monthly"
SYSTEM = Path("/etc/systemd/system")
SERVICE = """\
# Written by `sop-run schedule`; it writes it anew when it is called again.
[Unit]
Description=Open the month's server update cycle when it is due, and check the servers
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=oneshot
{user}ExecStart={command}
Environment={environment}
# 3: it waits for a signature, the normal end. 1: done with findings, which are in its documents.
SuccessExitStatus=1 3
# Stop as Ctrl-C does: the check ends at a safe boundary, and the next day's run goes on there.
KillMode=mixed
TimeoutStopSec=15min
UMask=0027
Nice=5
{hardening}"""
# What works for a program that reads keys in a home folder, starts ssh and perhaps sudo. Options
# that imply NoNewPrivileges would take sudo away from a host with ansible_connection: local.
HARDENING = """\
PrivateTmp=yes
ProtectSystem=full
ProtectControlGroups=yes
"""
TIMER = """\
# Written by `sop-run schedule`; it writes it anew when it is called again.
[Unit]
Description=Every day: is the month's server update cycle due? ({words})

[Timer]
OnCalendar=*-*-* {clock}:00 {zone}
Persistent=true
AccuracySec=1min

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class Units:
    """The texts of timer and service, and for whom: the system, or one user's own systemd."""

    name: str
    service: str
    timer: str
    user: bool

    @property
    def files(self) -> dict[str, str]:
        """File name → text."""
        return {f"{self.name}.service": self.service, f"{self.name}.timer": self.timer}


def quoted(word: str) -> str:
    """A word for systemd's command lines and settings: no specifier, variable or split in it.

    Raises UsageError for a control character, which no unit can hold.
    """
    if re.search(r"[\x00-\x1f\x7f]", word):
        raise UsageError(f"{printable(word)!r} has a control character, which no unit can hold")
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"'


def make_units(settings: Settings, office: Office, *, name: str, run_as: str, user: bool) -> Units:
    """Timer and service for these files, run as `run_as`; with `user` for that user's systemd.

    Raises UsageError when there is no such user, name or program.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}", name):
        raise UsageError(f"{name!r} is no name for a unit", f"for example --name {NAME}")
    try:
        pwd.getpwnam(run_as)
    except KeyError:
        raise UsageError(f"there is no user {run_as!r} here", "name one with --run-as") from None
    program = Path(sys.executable).with_name("sop-run")
    if not program.is_file():
        raise UsageError(f"there is no {program}", "set sop-run up as README.md says")
    words = [str(program), "monthly", "--if-due", "--inventory", str(settings.inventory)]
    words += ["--office", str(settings.office.absolute()), "--home", str(settings.home)]
    # In arguments a dollar sign begins a variable; in the settings it is a plain letter.
    command = " ".join([quoted(words[0]), *(quoted(w).replace("$", "$$") for w in words[1:])])
    environment = {"LC_ALL": "C.UTF-8", **named_paths()}
    schedule = schedule_of(office, settings)
    service = SERVICE.format(
        user="" if user else f"User={run_as}\n",
        command=command,
        environment=" ".join(quoted(f"{k}={v}") for k, v in environment.items()),
        hardening="" if user else HARDENING,
    )
    zone = office.office.timezone
    timer = TIMER.format(words=schedule.words, clock=schedule.clock, zone=zone)
    return Units(name, service, timer, user)


def verify(units: Units) -> str:
    """What systemd-analyze finds wrong with the units; '' when nothing, or where it is missing."""
    if shutil.which("systemd-analyze") is None:
        return ""
    with tempfile.TemporaryDirectory(prefix="sop-run-units-") as folder:
        paths = write_units(units, Path(folder))
        words = ["systemd-analyze", *(["--user"] if units.user else []), "verify", "--man=no"]
        done = _run([*words, *map(str, paths)])
    lines = [line for line in done.stderr.splitlines() if units.name in line]
    if done.returncode == 0 and not lines:
        return ""
    return printable("; ".join(lines) or done.stderr, 600)


def write_units(units: Units, folder: Path) -> list[Path]:
    """Write both files, each whole or not at all; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in units.files.items():
        path, partial = folder / name, folder / f".{name}.partial"
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o644)
        partial.replace(path)
        paths.append(path)
    return paths


def unit_folder(user: bool) -> Path:
    """Where systemd looks for units of an administrator, or of one user."""
    if not user:
        return SYSTEM
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(configured) if configured else Path.home() / ".config") / "systemd/user"


def install(units: Units) -> list[Path]:
    """Write the units where systemd looks for them and start the timer; returns their paths.

    Raises CannotRunError when systemd refuses.
    """
    paths = write_units(units, unit_folder(units.user))
    for words in activation(units):
        done = _run(words)
        if done.returncode != 0:
            raise CannotRunError(
                f"{' '.join(words)}: {printable(done.stderr or done.stdout, 300)}",
                f"the files are written ({paths[0].parent}); correct the cause and call it again",
            )
    return paths


def activation(units: Units) -> list[list[str]]:
    """The commands that make written units work."""
    base = ["systemctl", *(["--user"] if units.user else [])]
    return [[*base, "daemon-reload"], [*base, "enable", "--now", f"{units.name}.timer"]]


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, capture_output=True, text=True, errors="replace", check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))
