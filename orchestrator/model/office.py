"""The office: letterhead, officers, rules. Read from office.yml, kept in the journal."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from orchestrator.model.amount import Canary, Limit, Wave
from orchestrator.model.schedule import Schedule
from orchestrator.model.working_time import WorkingTime

Role = Literal["pengelola", "analis", "jf", "kepala"]
"""pengelola: Pengelola Sistem dan Jaringan; analis: Analis Sistem Informasi dan Jaringan;
jf: JF Pranata Komputer Ahli Muda; kepala: Kepala Bidang Teknologi dan Informatika."""

ROLE_NAMES: dict[Role, str] = {
    "pengelola": "Pengelola Sistem dan Jaringan",
    "analis": "Analis Sistem Informasi dan Jaringan",
    "jf": "JF Pranata Komputer Ahli Muda",
    "kepala": "Kepala Bidang Teknologi dan Informatika",
}
"""Roles as the SOP's columns name them."""

Duty = Literal["order-test", "draft-verify", "draft-establish", "verify-establish", "test-together"]
"""A pair of duties that two persons share; what each means: orchestrator/sop/machine.py."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
OptionalText = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)]


PublicKey = Annotated[
    str,
    StringConstraints(pattern=r"^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\r\n]*)?$"),
]


def _bare_hex(value: object) -> object:
    return value.replace(":", "").lower() if isinstance(value, str) else value


Fingerprint = Annotated[
    str, BeforeValidator(_bare_hex), StringConstraints(pattern=r"^[0-9a-f]{64}$")
]
"""SHA-256 of a certificate in hex; colons, as openssl prints them, are dropped."""


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
    first_number: int = Field(1, ge=1)  # where {number} begins each year
    electronic_signature_note: OptionalText = ""  # stands in the stamp of a PDF signature

    @field_validator("number_pattern")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        try:
            value.format(number=1, cycle="2026-11", year=2026, month=11, month_roman="XI")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                "may use {number}, {cycle}, {year}, {month} and {month_roman} only"
            ) from error
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
    certificates: tuple[Fingerprint, ...] = ()  # SHA-256 of certificates that sign PDFs
    certificate_name: OptionalText = ""  # the name in the certificate, where it is another form
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
    """What an office changes about one step; what is left out stays as in the SOP."""

    role: Role | None = None
    partner: Role | None = None  # step 8 only: who tests together with the role
    minutes: int | None = Field(None, ge=1, le=60 * 24 * 30)
    name: OptionalText = ""
    needs: tuple[Text, ...] = ()
    outputs: tuple[Text, ...] = ()
    remark: OptionalText = ""


class Wording(Strict):
    """The SOP's words around its steps; what is left out stays as in the SOP."""

    title: OptionalText = ""
    basis: tuple[Text, ...] = ()
    qualifications: tuple[Text, ...] = ()
    related: tuple[Text, ...] = ()
    equipment: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    records: tuple[Text, ...] = ()


class Rules(Strict):
    """How updates are carried out, and which separations of duty hold."""

    separation_of_duties: bool = True
    relaxed_duties: tuple[Duty, ...] = ()  # pairs that one person may hold all the same
    canary: Canary = 1
    wave: Wave = 10
    abort_limit: Limit = 1
    reboot: Literal["never", "if-needed", "always"] = "if-needed"
    reboot_timeout_seconds: int = Field(600, ge=30)
    restore_by: tuple[Role, ...] = Field(("kepala",), min_length=1)


class Office(Strict):
    """office.yml, whole."""

    office: Letterhead
    letters: Letters = Letters()
    officers: tuple[Officer, ...] = Field(min_length=1)
    roles: dict[Role, Text] = {}  # the office's own names of the roles
    sop: Wording = Wording()
    steps: dict[int, StepOverride] = {}
    rules: Rules = Rules()
    working_time: WorkingTime = WorkingTime()
    schedule: Schedule | None = None

    @field_validator("steps")
    @classmethod
    def _known_steps(cls, value: dict[int, StepOverride]) -> dict[int, StepOverride]:
        for number, change in value.items():
            if number not in range(2, 13):
                raise ValueError(f"{number} is not a step that can be changed (2 to 12)")
            if change.partner and number != 8:
                raise ValueError(f"{number}: only step 8 is done together; leave out partner")
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

    def role_name(self, role: Role) -> str:
        """What the office calls a role."""
        return self.roles.get(role, ROLE_NAMES[role])
