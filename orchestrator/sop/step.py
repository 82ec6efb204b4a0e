"""What a procedure is made of: its steps, and the words around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.model.office import Role


@dataclass(frozen=True)
class Step:
    """One step of the SOP; `signers` are the roles whose signatures pass it, in any order."""

    number: int
    title: str  # English, for the command line
    kegiatan: str  # Indonesian, for the documents
    role: Role | None
    minutes: int | None  # standard time (Mutu Baku: Waktu)
    needs: tuple[str, ...] = ()  # Mutu Baku: Kelengkapan
    outputs: tuple[str, ...] = ()  # Mutu Baku: Output
    remark: str = ""  # Keterangan
    signers: tuple[Role, ...] = ()
    returns_to: int | None = None  # where a refusal sends the cycle back to
    shape: Literal["terminator", "process", "decision"] = "process"  # in the flowchart

    @property
    def is_gate(self) -> bool:
        """Whether the step waits for a signature."""
        return bool(self.signers)

    @property
    def output(self) -> str:
        """All outputs on one line."""
        return "; ".join(self.outputs)

    @property
    def partner(self) -> Role | None:
        """The role that signs together with the step's own, at step 8."""
        return next((r for r in self.signers if r != self.role), None)


@dataclass(frozen=True)
class Procedure:
    """An SOP, whole: identity (Dasar Hukum to Pencatatan) and steps."""

    title: str
    steps: tuple[Step, ...]
    basis: tuple[str, ...]  # Dasar Hukum
    qualifications: tuple[str, ...]  # Kualifikasi Pelaksana
    related: tuple[str, ...]  # Keterkaitan
    equipment: tuple[str, ...]  # Peralatan
    warnings: tuple[str, ...]  # Peringatan
    records: tuple[str, ...]  # Pencatatan dan pendataan
