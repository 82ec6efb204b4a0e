"""`sop-run doctor` from start to end; reads everything, changes nothing, opens no cycle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from orchestrator.fleet.inventory import Inventory, read_inventory
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.workflow.doctor.control import look_at_control
from orchestrator.workflow.doctor.hosts import look_at_hosts
from orchestrator.workflow.doctor.officefile import look_at_office
from orchestrator.workflow.doctor.places import look_at_places
from orchestrator.workflow.doctor.records import Diagnosis, HostReport, Look
from orchestrator.workflow.settings import Settings

MANY = 2
"""From so many hosts on, the same wrong clock everywhere means the control machine's."""


def diagnose(settings: Settings, say: Callable[[str], None]) -> Diagnosis:
    """Look at the control machine, the office's files and every host.

    Raises UsageError for a `--limit` that names no host; whatever else is wrong is in the result.
    """
    diagnosis = Diagnosis(control=[*look_at_control(), *look_at_places(settings)])
    _, looks = look_at_office(settings, date.today())
    diagnosis.office += looks
    inventory = _inventory(settings, diagnosis)
    if inventory is None:
        return diagnosis
    say(f"looking at {counted(len(inventory.hosts), 'host')}")
    try:
        diagnosis.hosts = look_at_hosts(inventory, settings.become_password)
    except CannotRunError as error:
        diagnosis.unable = error.message
        return diagnosis
    diagnosis.control += _own_clock(diagnosis.hosts)
    return diagnosis


def counted(number: int, word: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _inventory(settings: Settings, diagnosis: Diagnosis) -> Inventory | None:
    try:
        inventory = read_inventory(settings.inventory)
    except UsageError as error:
        fix = error.hint or "correct the file and line that it names"
        diagnosis.office.append(Look("inventory", "finding", error.message, fix))
        return None
    except CannotRunError as error:
        diagnosis.office.append(Look("inventory", "finding", error.message, error.hint))
        return None
    words = f"{settings.inventory}: {counted(len(inventory.hosts), 'host')}"
    diagnosis.office.append(Look("inventory", "ok", words))
    return read_inventory(settings.inventory, settings.limit) if settings.limit else inventory


def _own_clock(hosts: list[HostReport]) -> list[Look]:
    """When every host seems to be off in the same direction, it is this machine that is."""
    offsets = [h.offset for h in hosts if h.offset is not None]
    off = [h.offset for h in hosts if any(f.code == "clock-off" for f in h.findings)]
    ahead = {offset > 0 for offset in off if offset is not None}
    if len(off) < MANY or len(off) < len(offsets) or len(ahead) != 1:
        return []
    words = f"all {len(off)} hosts seem to be off: it is this machine's clock that is wrong"
    return [Look("clock", "finding", words, "timedatectl set-ntp true; date -u")]
