"""One whole cycle on throw-away real hosts, every gate signed by the demo officers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.archive.audit import audit_archive
from orchestrator.archive.report import Report
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import CannotRunError
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.gates import Signer, sign
from orchestrator.workflow.monthly import Standing, monthly
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.settings import Settings

HOSTS = (
    HostSpec("web01", "full", "clean"),
    HostSpec("sec01", "full", "security"),
    HostSpec("api01", "full", "breaks"),
    HostSpec("down01", "full", "unreachable"),
    HostSpec("av01", "full", "antivirus"),
    HostSpec("idle01", "full", "idle"),
    HostSpec("kernel01", "full", "reboot"),
    HostSpec("rpm01", "rpm", "rpm"),
)
"""What the demo shows: a clean update, real Debian security updates, a service that the update
breaks, an unreachable host, an antivirus update, nothing to do, a reboot, an RPM host."""


PROMISED = {
    "web01": Verdict.UPDATED,
    "sec01": Verdict.UPDATED,
    "api01": Verdict.ROLLED_BACK,
    "down01": Verdict.UNREACHABLE,
    "av01": Verdict.UPDATED,
    "idle01": Verdict.NOTHING_TO_DO,
    "kernel01": Verdict.UPDATED,
    "rpm01": Verdict.UPDATED,
}
"""How each standard host must end; anything else is a fault of the program or of the lab."""


@dataclass(frozen=True)
class Demonstration:
    """What a demo leaves behind."""

    standing: Standing
    settings: Settings
    audit: Report

    @property
    def broken_promises(self) -> list[str]:
        """Hosts that did not end as the demo promises, in words."""
        found = {host: v.verdict for host, v in self.standing.state.verdicts.items()}
        return [
            f"{host} is {found.get(host, 'without a verdict')}, not {verdict}"
            for host, verdict in PROMISED.items()
            if found.get(host) is not verdict
        ]


def hosts(count: int) -> tuple[HostSpec, ...]:
    """The demo's hosts; beyond the standard ones come thin hosts, for numbers."""
    extra = range(1, count - len(HOSTS) + 1)
    return (*HOSTS, *(HostSpec(f"thin{n:03d}", "thin", "idle") for n in extra))


def settings_for(lab: Lab, home: Path) -> Settings:
    """The lab's own inventory and office, as every command takes them."""
    return Settings(lab.inventory, lab.inventory.parent / "office.yml", home)


def whole_cycle(
    lab: Lab, home: Path, cycle: CycleId, progress: Progress, say: Callable[[str], None]
) -> Demonstration:
    """Run a cycle to its end; officers sign with the keys that the lab made."""
    settings = settings_for(lab, home)
    standing = monthly(settings, cycle, progress)
    while standing.next != "closed":
        if standing.gate is None:
            standing = monthly(settings, cycle, progress)
            continue
        officer = _next_officer(standing)
        say(f"step {standing.gate.number}, {standing.gate.title}: signed by {officer}")
        signer = Signer(str(cycle), officer, lab.officer_key(officer))
        standing = sign(settings, signer, progress)
    archive = home / standing.state.archive_path
    return Demonstration(standing, settings, audit_archive(archive))


def _next_officer(standing: Standing) -> str:
    assert standing.gate is not None
    signed = {s.role for s in standing.state.signed(standing.gate.number)}
    for role in standing.gate.signers:
        if role not in signed:
            return standing.state.office.with_role(role)[0].id
    raise CannotRunError(f"step {standing.gate.number} is open although all have signed")
