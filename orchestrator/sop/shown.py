"""Which documents an officer must have been shown to sign or return a gate. Pure.

The fold and the audit hold every journal to this table, so a name may be added to what `sop-run
sign` shows, but none may be taken away here: journals of years ago name exactly these.
"""

from __future__ import annotations

CHECK_LIST = "laporan-hasil-pengecekan.xlsx"
ORDER = "disposisi.pdf"
MONITORING = "lembar-pemantauan.pdf"
UPDATE_RECORD = "catatan-update.xlsx"
MINUTES = "notulensi.pdf"
DRAFT = "laporan-hasil-update-draf.pdf"
REPORT = "laporan-hasil-update.pdf"

DEMANDED: dict[int, tuple[str, ...]] = {
    3: (CHECK_LIST,),
    4: (CHECK_LIST, ORDER),
    8: (MONITORING, UPDATE_RECORD, MINUTES),
    10: (DRAFT,),
    11: (DRAFT,),
}
"""Gate → names of documents whose SHA-256 its statement must hold."""

ARCHIVED = frozenset({REPORT}.union(*DEMANDED.values()))
"""Documents without which no cycle is archived (SOP step 12)."""
