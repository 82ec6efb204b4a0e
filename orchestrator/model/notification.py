"""Who is told what: notifications.yml, read. Addresses are secrets and never printed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints, field_validator

from orchestrator.model.office import Role

Event = Literal["gate", "hosts", "done", "aborted"]
"""gate: an officer must sign; hosts: hosts ended in a finding; done: the cycle is closed;
aborted: a run ended because something does not work."""
EVENTS: tuple[Event, ...] = ("gate", "hosts", "done", "aborted")


class Target(BaseModel):
    """One address of apprise, and what is sent there."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    url: SecretStr
    events: tuple[Event, ...] = EVENTS
    roles: tuple[Role, ...] = ()  # of event gate: only when one of these must sign

    @field_validator("url")
    @classmethod
    def _has_a_scheme(cls, value: SecretStr) -> SecretStr:
        if "://" not in value.get_secret_value():
            raise ValueError("it is no address of apprise; for example mailtos://…")
        return value

    @field_validator("events")
    @classmethod
    def _some(cls, value: tuple[Event, ...]) -> tuple[Event, ...]:
        if not value:
            raise ValueError("name at least one event, or leave the key out for all")
        return value

    @property
    def scheme(self) -> str:
        """What kind of address it is, such as `mailtos`: all of it that may be shown."""
        return self.url.get_secret_value().partition("://")[0][:30]

    def wants(self, event: Event, roles: tuple[Role, ...]) -> bool:
        """Whether it is told of this event, `roles` being those that must sign."""
        mine = event != "gate" or not self.roles or bool(set(roles) & set(self.roles))
        return event in self.events and mine


class Notifications(BaseModel):
    """notifications.yml, whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    targets: tuple[Target, ...] = ()
    details: bool = False  # also reasons, which may name packages

    @field_validator("targets")
    @classmethod
    def _unique(cls, value: tuple[Target, ...]) -> tuple[Target, ...]:
        names = [target.name for target in value]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"the name {twice[0]!r} stands twice")
        return value
