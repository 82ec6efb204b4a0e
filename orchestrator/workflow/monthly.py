"""The procedure from start to end, read like the SOP. Every call goes on where it stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from orchestrator.documents.names import DocumentName
from orchestrator.fleet.inventory import Inventory, read_inventory
from orchestrator.journal.book import CycleBook, read_state
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.model.office import Office
from orchestrator.office.load import load_office
from orchestrator.sop.procedure import Step
from orchestrator.sop.relaxed import relaxations
from orchestrator.workflow.archive import archive
from orchestrator.workflow.calendar import keep_calendar
from orchestrator.workflow.change import change
from orchestrator.workflow.check import check
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.run import Run
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.signed import take_up
from orchestrator.workflow.stop import SafeStop
from orchestrator.workflow.wayback import check_list, put_forward

GATE_DOCUMENTS: dict[int, tuple[DocumentName, ...]] = {
    3: (),  # the check list of step 2 is shown
    4: (DocumentName.ORDER, DocumentName.ORDER_WORD),
    8: (
        DocumentName.MONITORING,
        DocumentName.UPDATE_RECORD,
        DocumentName.UPDATE_RECORD_PDF,
        DocumentName.MINUTES,
        DocumentName.MINUTES_WORD,
    ),
    10: (),  # the draft of step 9 is shown
    11: (DocumentName.VERIFIED_REPORT,),
}
"""Documents that are made when a gate opens."""

SHOWN: dict[int, tuple[DocumentName, ...]] = {
    3: (DocumentName.CHECK_LIST, DocumentName.CHECK_LIST_PDF),
    4: (DocumentName.CHECK_LIST, DocumentName.CHECK_LIST_PDF, DocumentName.ORDER),
    8: (
        DocumentName.MONITORING,
        DocumentName.UPDATE_RECORD,
        DocumentName.UPDATE_RECORD_PDF,
        DocumentName.MINUTES,
    ),
    10: (DocumentName.DRAFT_REPORT,),
    11: (DocumentName.VERIFIED_REPORT,),
}
"""Documents whose hashes a gate's signature covers; Word files say the same, for editing."""


@dataclass(frozen=True)
class Standing:
    """Where a cycle stands after a call."""

    state: CycleState
    folder: Path
    gate: Step | None  # waits for a signature
    next: Literal["sign", "monthly", "closed"]


def monthly(settings: Settings, cycle: CycleId, progress: Progress) -> Standing:
    """Open or continue the cycle and go on to the next gate or to the end."""
    office = load_office(settings.office)
    folder = settings.cycle_folder(str(cycle))
    begun = (folder / "journal.db").exists()
    if not begun and cycle.number is not None:
        # Opened here it would be for every host and without a reason.
        raise UsageError(
            f"there is no incidental cycle {cycle}",
            "open one with: sop-run remediate HOST --reason TEXT",
        )
    inventory = None if begun else read_inventory(settings.inventory, settings.limit)
    with SafeStop() as stop, CycleBook(folder, create=not begun) as book:
        if book.is_new:
            inventory = inventory or read_inventory(settings.inventory, settings.limit)
            open_cycle(settings, cycle, book, office, inventory)
        else:
            _same_hosts(settings, book.state)
            adopt_office(book, office)
            keep_calendar(book)
        for rule in (r for r in book.state.relaxed if not r.until):
            progress.say(f"relaxed, as the report will say: {rule.words}")
        return carry_on(Run(settings, book, progress, stop))


def open_cycle(
    settings: Settings,
    cycle: CycleId,
    book: CycleBook,
    office: Office,
    inventory: Inventory,
    *,
    occasion: dict[str, Any] | None = None,
) -> None:
    """SOP step 1; inventory and office have been read and found good before.

    `occasion` is what an incidental cycle or a dry run says of itself (docs/reference/journal.md).
    """
    previous = _previous(settings, str(cycle))
    book.record(
        "cycle.opened",
        {
            "cycle": str(cycle),
            "kind": "monthly" if cycle.number is None else "incidental",
            **office_body(office),
            "hosts": list(inventory.hosts),
            "addresses": inventory.addresses,
            "tool_version": version("sop-run"),
            "previous_cycle": previous.cycle if previous else "",
            "previous_manifest": previous.archive_manifest if previous else "",
            **(occasion or {}),
        },
        step=1,
    )
    keep_calendar(book)


def _same_hosts(settings: Settings, state: CycleState) -> None:
    """A cycle's hosts are fixed when it opens; another --limit is refused, not ignored."""
    if settings.limit:
        hosts = read_inventory(settings.inventory, settings.limit).hosts
        if hosts != state.hosts:
            raise UsageError(
                f"cycle {state.cycle} was opened for {len(state.hosts)} hosts, "
                f"--limit {settings.limit!r} names {len(hosts)} others",
                "leave out --limit to go on with the cycle as it is",
            )


def carry_on(run: Run, *, hosts: bool = True) -> Standing:
    """Go on until a signature is needed or the cycle is closed.

    With `hosts` false only paper work is done: no host is asked anything, nothing is archived.
    """
    take_up(run)
    while not run.state.closed_at:
        gate = run.state.gate
        if gate is not None:
            for name in GATE_DOCUMENTS[gate.number]:
                run.document(name, gate.number)
            return _standing(run, "sign")
        step = next(
            s.number for s in run.state.procedure if run.state.steps[s.number].state == "open"
        )
        if step == 9:
            draft(run)
        elif not hosts:
            return _standing(run, "monthly")
        elif step == 2 and run.state.source is not None:
            put_forward(run)
            check_list(run)
        elif step == 2:
            check(run)
        elif step in (5, 6, 7, 8):
            change(run)
        elif step == 12:
            archive(run)
        else:
            run.book.record("cycle.closed", step=13)
    return _standing(run, "closed")


def draft(run: Run) -> None:
    """SOP step 9: the draft report, with all that was noted for it until now."""
    run.progress.step(run.state, 9)
    noted = max((note.seq for note in run.state.notes), default=0)
    run.document(DocumentName.DRAFT_REPORT, 9, newer_than=noted)
    run.document(DocumentName.DRAFT_REPORT_WORD, 9, newer_than=noted)
    run.book.record("step.passed", step=9)


def adopt_office(book: CycleBook, office: Office) -> None:
    """Record a changed office.yml (a key added, an officer replaced) before it is used."""
    if office != book.state.office and not book.state.closed_at:
        book.record("office.changed", office_body(office))


def office_body(office: Office) -> dict[str, Any]:
    """The office as the journal keeps it, with the rules of the SOP that it relaxes in words."""
    relaxed = [asdict(r) for r in relaxations(office)]
    return {"office": office.model_dump(mode="json"), "relaxed": relaxed}


def cycles(home: Path) -> list[str]:
    """Names of all cycles in `home`, oldest first."""
    names = []
    for path in (home / "cycles").glob("*/journal.db"):
        try:
            names.append(CycleId.parse(path.parent.name))
        except ValueError:
            continue  # a folder that is no cycle's
    return [str(n) for n in sorted(names, key=_order)]


def _order(cycle: CycleId) -> tuple[int, int, int]:
    """Sorts the monthly cycle before the incidental ones of its month."""
    return cycle.year, cycle.month, cycle.number or 0


def _previous(settings: Settings, cycle: str) -> CycleState | None:
    """The newest archived cycle before this one: its manifest hash chains the months."""
    this = CycleId.parse(cycle)
    for name in reversed(cycles(settings.home)):
        if _order(CycleId.parse(name)) < _order(this):
            state = read_state(settings.cycle_folder(name))
            if state.archive_manifest:
                return state
    return None


def _standing(run: Run, following: Literal["sign", "monthly", "closed"]) -> Standing:
    return Standing(run.state, run.book.folder, run.state.gate, following)


def find_cycle(settings: Settings, cycle: str) -> Path:
    """The folder of a cycle; raises UsageError naming the cycles that there are."""
    try:
        CycleId.parse(cycle)
    except ValueError as error:
        raise UsageError(str(error)) from error
    folder = settings.cycle_folder(cycle)
    if not (folder / "journal.db").is_file():
        known = ", ".join(cycles(settings.home)) or "none yet"
        raise UsageError(f"there is no cycle {cycle} in {settings.home}", f"cycles there: {known}")
    return folder
