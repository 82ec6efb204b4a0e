"""When an office checks its servers: the rule in office.yml, read and put in words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
EXAMPLES = "`first working tuesday`, `second tuesday`, `last working day` or `day 15`"
_RULE = re.compile(
    rf"(?P<which>{'|'.join(ORDINALS)}) (?P<working>working )?(?P<day>day|{'|'.join(WEEKDAYS)})"
    r"|day (?P<number>[1-9]|[12]\d|3[01])"
)


@dataclass(frozen=True)
class Rule:
    """One day of each month.

    `weekday` counts from Monday, 0; None for any day. `number` counts such days from 1, -1 is the
    last. `working` counts only working days; without it the day may be moved off a holiday.
    """

    number: int
    weekday: int | None = None
    working: bool = False


def read_rule(text: str) -> Rule:
    """Read `first working tuesday` and the like; raises ValueError with examples."""
    match = _RULE.fullmatch(" ".join(text.lower().split()))
    if match is None or (match["day"] == "day" and not match["working"]):
        raise ValueError(f"{text!r} is no rule; write for example {EXAMPLES}")
    if match["number"]:
        return Rule(int(match["number"]))
    if match["which"] == "fifth" and match["day"] != "day":
        raise ValueError(f"{text!r}: not every month has five of them; use fourth or last")
    weekday = None if match["day"] == "day" else WEEKDAYS.index(match["day"])
    return Rule(ORDINALS[match["which"]], weekday, bool(match["working"]))


def _rule(text: str) -> str:
    read_rule(text)
    return text


class Schedule(BaseModel):
    """`schedule:` of office.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    rule: Annotated[str, StringConstraints(max_length=60, strip_whitespace=True),
                    AfterValidator(_rule)]  # fmt: skip
    shift: Literal["next", "previous"] = "next"  # where a rule without `working` meets a holiday
    time: Annotated[str, StringConstraints(pattern=r"^([01]?\d|2[0-3])[:.][0-5]\d$")] = "08:00"

    @property
    def day(self) -> Rule:
        """The rule, read."""
        return read_rule(self.rule)

    @property
    def clock(self) -> str:
        """The time as HH:MM."""
        hour, minute = re.split("[:.]", self.time)
        return f"{int(hour):02d}:{minute}"

    @property
    def words(self) -> str:
        """The rule as a sentence's part: `the first Tuesday of the month that is a working day`."""
        rule = self.day
        if rule.weekday is None and not rule.working:
            words = f"day {rule.number} of the month"
            words += " (the last day where there are fewer)" if rule.number > 28 else ""
        else:
            ordinal = next(word for word, number in ORDINALS.items() if number == rule.number)
            if rule.weekday is None:
                return f"the {ordinal} working day of the month"
            words = f"the {ordinal} {WEEKDAYS[rule.weekday].capitalize()} of the month"
            if rule.working:
                return f"{words} that is a working day"
        moved = "next" if self.shift == "next" else "last"
        where = "after" if self.shift == "next" else "before"
        return f"{words}; where that is no working day, the {moved} working day {where} it"
