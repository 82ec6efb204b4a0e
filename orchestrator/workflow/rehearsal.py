"""A dry run: the procedure up to what would be signed and done, on real hosts, changing nothing.

It checks, plans and rehearses (preflight, back end, simulated update, baseline), and makes its
documents, all marked as a trial. It keeps to a folder of its own, HOME/dry-runs/, which is no
cycle: nothing there counts, is signed or continued.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from orchestrator.documents.names import DocumentName
from orchestrator.fleet.inventory import Inventory, read_inventory
from orchestrator.journal.book import CycleBook
from orchestrator.journal.judge import judge
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Phase
from orchestrator.office.load import load_office
from orchestrator.workflow.check import list_items
from orchestrator.workflow.monthly import Standing, open_cycle
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.remediate import Occasion, hosts_in_scope, next_number
from orchestrator.workflow.requests import requests_for
from orchestrator.workflow.run import Run
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.stop import SafeStop


def rehearse_month(settings: Settings, cycle: CycleId, progress: Progress) -> Standing:
    """A dry run of the cycle, as `sop-run monthly --dry-run` calls it."""
    return _rehearse(settings, cycle, read_inventory(settings.inventory, settings.limit), progress)


def rehearse_remediation(
    settings: Settings, period: CycleId, occasion: Occasion, progress: Progress
) -> Standing:
    """A dry run of an incidental cycle; it takes no number away."""
    inventory = hosts_in_scope(settings, occasion.hosts)
    cycle = next_number(settings, period)
    return _rehearse(settings, cycle, inventory, progress, occasion.body())


def _rehearse(
    settings: Settings,
    cycle: CycleId,
    inventory: Inventory,
    progress: Progress,
    occasion: dict[str, object] | None = None,
) -> Standing:
    office = load_office(settings.office)
    folder = _new_folder(settings, cycle)
    with SafeStop() as stop, CycleBook(folder, create=True) as book:
        body = {**(occasion or {}), "rehearsal": True}
        open_cycle(settings, cycle, book, office, inventory, occasion=body)
        run = Run(settings, book, progress, stop)
        list_items(run)
        hosts = [h for h in run.state.hosts if run.state.items_of(h)]
        run.phase(Phase.REHEARSE, requests_for(run.state, hosts, Phase.REHEARSE))
        run.document(DocumentName.CHECK_LIST, 2)
        book.record("step.passed", step=2)
        for host in run.state.hosts:
            verdict = judge(run.state, host)
            words = verdict.model_dump(mode="json", exclude={"host"})
            book.record("host.verdict", words, host=host)
            progress.verdict(verdict)
        run.document(DocumentName.MONITORING, 2)
        book.record("rehearsal.ended")
        return Standing(run.state, folder, None, "closed")


def _new_folder(settings: Settings, cycle: CycleId) -> Path:
    """A folder that no other dry run has."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = settings.home / "dry-runs" / f"{cycle}-{stamp}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise CannotRunError(
            f"{folder} cannot be made: {error}", "free space or name another --home"
        ) from error
    return folder
