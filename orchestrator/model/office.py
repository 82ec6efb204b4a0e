"""The office: letterhead, officers, rules. Read from office.yml, kept in the journal."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Role = Literal["pengelola", "analis", "jf", "kepala"]
"""pengelola: Pengelola Sistem dan Jaringan; analis: Analis Sistem Informasi dan Jaringan;
jf: JF Pranata Komputer Ahli Muda; kepala: Kepala Bidang Teknologi dan Informatika."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
OptionalText = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)]


PublicKey = Annotated[
    str,
    StringConstraints(pattern=r"^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\r\n]*)?$"),
]


class Strict(BaseModel):
    """Base: frozen, and an unknown key is an error (a typing slip must not pass as a default)."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Letterhead(Strict):
    """What stands at the head of every document."""

    government: Text
    agency: Text
    unit: Text = "Bidang Teknologi dan Informatika"
    address: OptionalText = ""
    phone: OptionalText = ""
    website: OptionalText = ""
    email: OptionalText = ""
    city: Text
    place: OptionalText = ""  # room named in the minutes
    timezone: Text = "Asia/Jakarta"
    logo: OptionalText = ""  # path of a PNG or SVG, relative to office.yml

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not a time zone; for example Asia/Jakarta")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.timezone)


class Letters(Strict):
    """Form of the documents. Codes are placeholders until the office sets its own."""

    number_pattern: Text = "000.0.0/{cycle}/{year}"
    classification_code: Text = "000.0.0"
    nature: Text = "Terbatas"
    retention_years: int = Field(5, ge=1, le=100)
    paper: Literal["f4", "a4"] = "f4"

    @field_validator("number_pattern")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        try:
            value.format(cycle="2026-11", year=2026, month=11, month_roman="XI")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("may use {cycle}, {year}, {month} and {month_roman} only") from error
        return value


def key_material(key: str) -> str:
    """A public key without its comment."""
    return " ".join(key.split()[:2])


class Officer(Strict):
    """A person of the office who carries out or signs steps."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    role: Role
    name: Text
    rank: OptionalText = ""
    nip: OptionalText = ""
    keys: tuple[PublicKey, ...] = ()  # as in ~/.ssh/id_ed25519.pub
    revoked_keys: tuple[PublicKey, ...] = ()  # keys that must not be accepted any more
    valid_from: OptionalText = ""  # YYYY-MM-DD
    valid_until: OptionalText = ""  # YYYY-MM-DD

    @field_validator("valid_from", "valid_until")
    @classmethod
    def _date(cls, value: str) -> str:
        from datetime import date

        if value:
            date.fromisoformat(value)
        return value

    @property
    def valid_keys(self) -> tuple[str, ...]:
        """The keys that are not revoked."""
        revoked = {key_material(k) for k in self.revoked_keys}
        return tuple(k for k in self.keys if key_material(k) not in revoked)


class StepOverride(Strict):
    """What an office changes about one step."""

    role: Role | None = None
    minutes: int | None = Field(None, ge=1, le=60 * 24 * 30)
    name: OptionalText = ""


class Rules(Strict):
    """How updates are carried out, and which separations of duty hold."""

    separation_of_duties: bool = True
    canary: int = Field(1, ge=1)
    wave: int = Field(10, ge=1)
    abort_limit: int = Field(1, ge=0)
    reboot: Literal["never", "if-needed", "always"] = "if-needed"
    reboot_timeout_seconds: int = Field(600, ge=30)
    restore_by: tuple[Role, ...] = Field(("kepala",), min_length=1)


class Office(Strict):
    """office.yml, whole."""

    office: Letterhead
    letters: Letters = Letters()
    officers: tuple[Officer, ...] = Field(min_length=1)
    steps: dict[int, StepOverride] = {}
    rules: Rules = Rules()

    @field_validator("steps")
    @classmethod
    def _known_steps(cls, value: dict[int, StepOverride]) -> dict[int, StepOverride]:
        for number in value:
            if number not in range(2, 13):
                raise ValueError(f"{number} is not a step that can be changed (2 to 12)")
        return value

    @field_validator("officers")
    @classmethod
    def _unique(cls, value: tuple[Officer, ...]) -> tuple[Officer, ...]:
        seen: set[str] = set()
        keys: dict[str, str] = {}
        for officer in value:
            if officer.id in seen:
                raise ValueError(f"officer id {officer.id!r} stands twice")
            seen.add(officer.id)
            for key in officer.keys:
                material = key_material(key)
                if material in keys:
                    raise ValueError(f"{officer.id!r} and {keys[material]!r} have the same key")
                keys[material] = officer.id
        return value

    def officer(self, officer_id: str) -> Officer | None:
        """The officer with this id, or None."""
        return next((o for o in self.officers if o.id == officer_id), None)

    def with_role(self, role: Role) -> tuple[Officer, ...]:
        """All officers of a role, in the order of office.yml."""
        return tuple(o for o in self.officers if o.role == role)
