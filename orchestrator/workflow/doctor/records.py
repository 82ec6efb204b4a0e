"""What the doctor saw: one record for each look, with a fix where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from orchestrator.model.evidence import Record

Level = Literal["ok", "note", "finding"]
"""`finding` makes the command exit with 1; `note` is good to know and does not."""


@dataclass(frozen=True)
class Look:
    """One thing that was looked at; `words` may quote a host, `fix` is always our own text."""

    name: str
    level: Level
    words: str
    fix: str = ""
    code: str = ""


class Login(Record):
    """As whom a host is worked on."""

    user: str = ""
    root: bool = False
    by: str = ""
    password: bool | None = None


class Backup(Record):
    """Which back end of the backup a host would use, and why not the better ones."""

    asked: str = ""
    method: str = ""
    against: dict[str, str] = Field(default_factory=dict)
    last: dict[str, str] | None = None


class Facts(Record):
    """What a host says of itself, as far as the table shows it; every text is hostile."""

    python: str = ""
    python_path: str = ""
    systemd: bool = False
    package_manager: str = ""
    clock: float | None = None
    clock_sync: dict[str, Any] = Field(default_factory=dict)
    virtualization: str = ""
    os: dict[str, str] = Field(default_factory=dict)
    disk: tuple[dict[str, Any], ...] = ()
    login: Login = Login()
    backup: Backup = Backup()
    antivirus: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class HostReport:
    """What was found on one host; `facts` is None for a host that gave no usable answer."""

    host: str
    login: str  # as ssh takes it; '' for this machine
    reached: bool
    findings: tuple[Look, ...]
    facts: Facts | None = None
    offset: float | None = None  # seconds that the host's clock is ahead, as far as can be known


@dataclass
class Diagnosis:
    """Everything that one call of `sop-run doctor` saw."""

    control: list[Look] = field(default_factory=list)
    office: list[Look] = field(default_factory=list)
    hosts: list[HostReport] = field(default_factory=list)
    unable: str = ""  # why hosts could not be asked at all

    @property
    def findings(self) -> list[Look]:
        """All findings, without notes."""
        looks = [*self.control, *self.office, *(f for h in self.hosts for f in h.findings)]
        return [look for look in looks if look.level == "finding"]
