"""An incidental cycle for a few hosts, at any hour: the same steps, gates and documents."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.fleet.inventory import Inventory, read_inventory
from orchestrator.journal.book import CycleBook
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.model.selection import EVERYTHING, Selection
from orchestrator.office.load import load_office
from orchestrator.workflow.exclusive import begun, known_states
from orchestrator.workflow.monthly import Standing, carry_on, cycles, monthly, open_cycle
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.run import Run
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.stop import SafeStop

MOST = 99  # incidental cycles of a month


@dataclass(frozen=True)
class Occasion:
    """What an incidental cycle is opened for."""

    hosts: tuple[str, ...]
    reason: str
    selection: Selection = EVERYTHING

    def body(self) -> dict[str, object]:
        """Its part of `cycle.opened`."""
        return {"reason": self.reason, "selection": self.selection.model_dump(mode="json")}


def hosts_in_scope(settings: Settings, hosts: tuple[str, ...]) -> Inventory:
    """The inventory reduced to the named hosts; raises UsageError for an unknown one."""
    try:
        return read_inventory(settings.inventory, ",".join(hosts))
    except UsageError as error:
        words = error.message.replace("--limit names hosts that", "HOST names what")
        raise UsageError(words.replace(" that match --limit", ""), error.hint) from error


def remediate(
    settings: Settings, period: CycleId, occasion: Occasion, progress: Progress
) -> Standing:
    """Open an incidental cycle in the month `period` and go on to its first gate.

    The same call again goes on with the cycle that it opened, as long as that is not closed.
    """
    if not occasion.reason.strip():
        raise UsageError(
            "an incidental cycle needs a reason", "say it with --reason TEXT; it is in its report"
        )
    office = load_office(settings.office)
    inventory = hosts_in_scope(settings, occasion.hosts)
    opened = _opened_before(settings, period, occasion, inventory)
    if opened is not None:
        progress.say(f"going on with cycle {opened}, which was opened for just this")
        return resume(settings, opened, progress)
    for words in _others_at_work(settings, inventory.hosts):
        progress.say(words)
    cycle = next_number(settings, period)
    with (
        SafeStop() as stop,
        CycleBook(settings.cycle_folder(str(cycle)), create=True) as book,
    ):
        if not book.is_new:
            raise UsageError(f"cycle {cycle} was opened by another run just now", "run it again")
        open_cycle(settings, cycle, book, office, inventory, occasion=occasion.body())
        return carry_on(Run(settings, book, progress, stop))


def resume(settings: Settings, cycle: CycleId, progress: Progress) -> Standing:
    """Go on with an incidental cycle; raises UsageError when there is none of this name."""
    if cycle.number is None:
        raise UsageError(
            f"{cycle} is a monthly cycle", f"go on with: sop-run monthly --period {cycle}"
        )
    if not (settings.cycle_folder(str(cycle)) / "journal.db").is_file():
        known = ", ".join(cycles(settings.home)) or "none yet"
        raise UsageError(f"there is no cycle {cycle} in {settings.home}", f"cycles there: {known}")
    return monthly(replace(settings, limit=""), cycle, progress)


def next_number(settings: Settings, period: CycleId) -> CycleId:
    """The month's next free incidental cycle; numbers of archived cycles are never used again."""
    month = replace(period, number=None)
    used = [0]
    for folder in (settings.home / "cycles", settings.archive_folder(str(month)).parent):
        for path in folder.glob(f"{month}-i*"):
            try:
                used.append(CycleId.parse(path.name).number or 0)
            except ValueError:
                continue  # a folder that is no cycle's
    if max(used) >= MOST:
        raise UsageError(f"{month} has {MOST} incidental cycles already", "use the next month")
    return replace(month, number=max(used) + 1)


def _open_incidentals(settings: Settings, period: CycleId) -> list[CycleState]:
    month = replace(period, number=None)
    return [
        state
        for state in known_states(settings)
        if state.cycle.startswith(f"{month}-i") and not state.closed_at
    ]


def _opened_before(
    settings: Settings, period: CycleId, occasion: Occasion, inventory: Inventory
) -> CycleId | None:
    """The open cycle that this very call opened before, or None."""
    for state in _open_incidentals(settings, period):
        same = (state.hosts, state.reason, state.selection)
        if same == (inventory.hosts, occasion.reason, occasion.selection):
            return CycleId.parse(state.cycle)
    return None


def _others_at_work(settings: Settings, hosts: tuple[str, ...]) -> list[str]:
    """Warnings on hosts that another cycle is changing now; the change itself is refused then."""
    found = []
    for state in known_states(settings):
        both = sorted(set(hosts) & begun(state))
        if both:
            found.append(
                f"cycle {state.cycle} is changing {', '.join(both)} now: this one can be prepared "
                "and signed, and changes them only after that one is done with them"
            )
    return found
