"""Names of cycles: `2026-11` (monthly) and `2026-11-i01` (incidental)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATTERN = re.compile(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])(?:-i(?P<number>\d{2}))?")


@dataclass(frozen=True, order=True)
class CycleId:
    """One run of the SOP in a month; `number` is None for the monthly one, 1–99 for incidental."""

    year: int
    month: int
    number: int | None = None

    @classmethod
    def parse(cls, text: str) -> CycleId:
        """Read `2026-11` or `2026-11-i01`; raises ValueError with the expected form."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is not a cycle: write YYYY-MM (monthly) or YYYY-MM-iNN (incidental)"
            )
        number = match["number"]
        return cls(int(match["year"]), int(match["month"]), int(number) if number else None)

    @property
    def period(self) -> str:
        """The month, as `2026-11`."""
        return f"{self.year:04d}-{self.month:02d}"

    def __str__(self) -> str:
        return self.period if self.number is None else f"{self.period}-i{self.number:02d}"
