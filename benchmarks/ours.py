"""Our side, through the program's own code, as `sop-run monthly` calls it; documents left out.

`python -m benchmarks.ours check|sign|change INVENTORY HOME LAB [CANARY]`. `sign` prepares the
change and is not measured; documents have a benchmark of their own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.model.cycle import CycleId
from orchestrator.workflow.settings import Settings

CYCLE = "2026-11"


def settings_of(inventory: str, home: str) -> Settings:
    """The lab's inventory and office, as every command takes them."""
    return Settings(Path(inventory), Path(inventory).parent / "office.yml", Path(home))


def check(settings: Settings) -> None:
    """SOP steps 1 and 2: inventory, journal, every host's evidence, plan."""
    from orchestrator.fleet.inventory import read_inventory
    from orchestrator.journal.book import CycleBook
    from orchestrator.office.load import load_office
    from orchestrator.workflow.check import list_items
    from orchestrator.workflow.monthly import open_cycle
    from orchestrator.workflow.progress import Silent
    from orchestrator.workflow.run import Run
    from orchestrator.workflow.stop import SafeStop

    office = load_office(settings.office)
    inventory = read_inventory(settings.inventory)
    folder = settings.cycle_folder(CYCLE)
    with SafeStop() as stop, CycleBook(folder, create=True) as book:
        open_cycle(settings, CycleId.parse(CYCLE), book, office, inventory)
        list_items(Run(settings, book, Silent(), stop))


def sign(settings: Settings, lab: Path, canary: str) -> None:
    """SOP steps 1 to 4 with the lab's officers; `off`: no canary, all hosts in one wave."""
    from orchestrator.lab.officers import key_folder
    from orchestrator.workflow.gates import Choices, Signer
    from orchestrator.workflow.gates import sign as sign_gate
    from orchestrator.workflow.monthly import monthly
    from orchestrator.workflow.order import Terms
    from orchestrator.workflow.progress import Silent

    monthly(settings, CycleId.parse(CYCLE), Silent())
    terms = Terms(canary="off", wave="100%") if canary == "off" else Terms(canary=canary)
    for officer, choices in (("analis", Choices()), ("kepala", Choices(terms=terms))):
        sign_gate(settings, Signer(CYCLE, officer, key_folder(lab) / officer), Silent(), choices)


def change(settings: Settings) -> None:
    """SOP steps 5 to 8: backup, update, antivirus, test; a verdict for every host."""
    from orchestrator.journal.book import CycleBook
    from orchestrator.workflow.change import change as carry_out
    from orchestrator.workflow.progress import Silent
    from orchestrator.workflow.run import Run
    from orchestrator.workflow.stop import SafeStop

    with SafeStop() as stop, CycleBook(settings.cycle_folder(CYCLE)) as book:
        carry_out(Run(settings, book, Silent(), stop))


if __name__ == "__main__":
    part, given_inventory, given_home, given_lab, *more = sys.argv[1:]
    given = settings_of(given_inventory, given_home)
    if part == "check":
        check(given)
    elif part == "sign":
        sign(given, Path(given_lab), *more)
    else:
        change(given)
