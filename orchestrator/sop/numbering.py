"""The number of the documents (nomor surat): provisional until the report is established. Pure."""

from __future__ import annotations

from string import Formatter

from orchestrator.model.cycle import CycleId

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


class _Open:
    """Stands for a running number that is not given yet, in whatever form it is asked for."""

    def __format__(self, form: str) -> str:
        return "…"


def counts(pattern: str) -> bool:
    """Whether a number pattern holds {number}, which the program counts through the year."""
    return any(name == "number" for _, name, _, _ in Formatter().parse(pattern))


def letter_number(pattern: str, cycle: str, serial: int | None) -> str:
    """The number by the office's pattern; `…` where {number} is not given yet."""
    this = CycleId.parse(cycle)
    return pattern.format(
        number=_Open() if serial is None else serial,
        cycle=cycle,
        year=this.year,
        month=this.month,
        month_roman=roman_month(this.month),
    )


def roman_month(month: int) -> str:
    """I to XII."""
    return _ROMAN[month - 1]
