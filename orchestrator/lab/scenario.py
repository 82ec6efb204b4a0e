"""What each test host shows: its packages, its pending updates, its checks. Data, no action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.model.errors import UsageError

Kind = Literal["full", "rpm", "thin", "vm", "hypervisor", "guest"]


@dataclass(frozen=True)
class HostSpec:
    """A host to make: its name in the inventory, its tier, the scenario that it shows."""

    name: str
    kind: Kind
    scenario: str


@dataclass(frozen=True)
class Scenario:
    """How a host is made and what is to be seen on it."""

    name: str
    shows: str
    host: str  # its hosts are called HOST01, HOST02, …
    kind: Kind = "full"
    base: str = "debian"  # root in the pool; of a machine: the logical volume that is its /
    install: tuple[tuple[str, str], ...] = ()  # (package, version) of the lab's repositories
    sources: tuple[str, ...] = ("lab",)  # lab, security
    prepare: tuple[tuple[str, ...], ...] = ()  # commands run in the root before its first boot
    checks: tuple[Mapping[str, object], ...] = ()  # the inventory's `test_checks`
    variables: Mapping[str, object] = field(default_factory=dict)  # of the host, in the inventory
    ready: tuple[str, ...] = ()  # command that succeeds on the host when it is at work
    reachable: bool = True


def answers(service: str, port: int) -> tuple[Mapping[str, object], ...]:
    """Checks of a service that speaks HTTP."""
    return (
        {
            "name": f"{service} answers",
            "type": "http",
            "url": f"http://127.0.0.1:{port}/",
            "status": 200,
            "text": service,
            "required": True,
        },
        {
            "name": f"{service} is active",
            "type": "service",
            "unit": f"{service}.service",
            "required": True,
        },
    )


def _asks(port: int) -> tuple[str, ...]:
    return ("curl", "--silent", "--fail", "--max-time", "2", f"http://127.0.0.1:{port}/")


_SSH = ({"name": "ssh listens", "type": "port", "port": 22, "required": True},)
_CLAMD: tuple[Mapping[str, object], ...] = (
    {
        "name": "clamd is active",
        "type": "service",
        "unit": "clamav-daemon.service",
        "required": True,
    },
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "clean",
        "a service is updated and goes on answering (lab-web 1.0 → 1.1)",
        "web",
        install=(("lab-web", "1.0"),),
        checks=answers("lab-web", 8080),
        ready=_asks(8080),
    ),
    Scenario(
        "security",
        "the distribution's real security updates are pending, under its own signature",
        "sec",
        sources=("security",),
        checks=_SSH,
    ),
    Scenario(
        "breaks",
        "an update after which the service does not start (lab-api 1.0 → 2.0)",
        "api",
        install=(("lab-api", "1.0"),),
        checks=answers("lab-api", 8081),
        ready=_asks(8081),
    ),
    Scenario(
        "unreachable",
        "runs, but its network link is down",
        "far",
        install=(("lab-web", "1.0"),),
        checks=answers("lab-web", 8080),
        reachable=False,
    ),
    Scenario(
        "antivirus",
        "ClamAV with databases of version 1; the mirror offers 6; EICAR is found",
        "av",
        base="antivirus",
        checks=_CLAMD,
        ready=("test", "-S", "/run/clamav/clamd.ctl"),
    ),
    Scenario(
        "idle",
        "nothing is pending",
        "idle",
        install=(("lab-web", "1.1"),),
        checks=answers("lab-web", 8080),
        ready=_asks(8080),
    ),
    Scenario(
        "reboot",
        "an update that asks for a reboot (lab-kernel 6.1.1 → 6.1.2)",
        "kernel",
        install=(("lab-kernel", "6.1.1"),),
        checks=_SSH,
    ),
    Scenario(
        "tool",
        "an update that is not about security (lab-tool 1.0 → 1.1)",
        "tool",
        install=(("lab-tool", "1.0"),),
        checks=_SSH,
    ),
    Scenario(
        "conffile",
        "an update whose configuration file was changed on the host (lab-conf 1.0 → 1.1)",
        "conf",
        install=(("lab-conf", "1.0"),),
        prepare=(("sed", "-i", "s/workers = 2/workers = 8/", "/etc/lab-conf.conf"),),
        checks=_SSH,
    ),
    Scenario(
        "held",
        "a package with a newer version is on hold (lab-held 1.0, 1.1 is offered)",
        "held",
        install=(("lab-held", "1.0"),),
        prepare=(("apt-mark", "hold", "lab-held"),),
        checks=_SSH,
    ),
    Scenario(
        "postinst",
        "an update whose installation script fails (lab-badpost 1.0 → 1.1)",
        "post",
        install=(("lab-badpost", "1.0"),),
        checks=_SSH,
    ),
    Scenario(
        "snapper",
        "as `breaks`, with the host's own snapper for the backup",
        "snap",
        base="snapper",
        install=(("lab-api", "1.0"),),
        checks=answers("lab-api", 8081),
        ready=_asks(8081),
    ),
    Scenario(
        "rpm",
        "dnf: a security update of a service and a bug fix (imitation of an EL host)",
        "rpm",
        kind="rpm",
        base="rpm",
        install=(("lab-release", "9.4"), ("rlab-web", "1.0"), ("rlab-tool", "1.0")),
        sources=(),
        checks=answers("rlab-web", 8090),
        ready=_asks(8090),
    ),
    Scenario(
        "rpm-breaks",
        "dnf: an update after which the service does not start (imitation of an EL host)",
        "rpmapi",
        kind="rpm",
        base="rpm",
        install=(("lab-release", "9.4"), ("rlab-api", "1.0")),
        sources=(),
        checks=answers("rlab-api", 8091),
        ready=_asks(8091),
    ),
    Scenario(
        "suse",
        "zypper: a security update of a service and a bug fix (imitation of a SLES host)",
        "suse",
        kind="rpm",
        base="suse",
        install=(("lab-release-suse", "15.7"), ("rlab-web", "1.0"), ("rlab-tool", "1.0")),
        sources=(),
        checks=answers("rlab-web", 8090),
        ready=_asks(8090),
    ),
    Scenario(
        "suse-breaks",
        "zypper: an update after which the service does not start (imitation of a SLES host)",
        "suseapi",
        kind="rpm",
        base="suse",
        install=(("lab-release-suse", "15.7"), ("rlab-api", "1.0")),
        sources=(),
        checks=answers("rlab-api", 8091),
        ready=_asks(8091),
    ),
    Scenario(
        "lvm",
        "an emulated machine with / on an LVM volume (ext4); an update breaks its service",
        "lvm",
        kind="vm",
        base="root",
        install=(("lab-web", "1.0"), ("lab-api", "1.0")),
        checks=answers("lab-web", 8080) + answers("lab-api", 8081),
        ready=_asks(8081),
    ),
    Scenario(
        "lvm-thin",
        "the same with / in an LVM thin pool (xfs), and an update that asks for a reboot",
        "thinlv",
        kind="vm",
        base="rootthin",
        install=(("lab-web", "1.0"), ("lab-api", "1.0"), ("lab-kernel", "6.1.1")),
        checks=answers("lab-web", 8080) + answers("lab-api", 8081),
        ready=_asks(8081),
    ),
    Scenario(
        "hypervisor",
        "libvirt and QEMU, which run the lab's guests",
        "kvm",
        kind="hypervisor",
        base="hypervisor",
        sources=(),
        checks=_SSH,
        ready=("virsh", "--quiet", "list"),
    ),
    Scenario(
        "guest",
        "an emulated machine that a hypervisor of the lab runs; an update breaks its service",
        "guest",
        kind="guest",
        base="root",
        install=(("lab-web", "1.0"), ("lab-api", "1.0")),
        variables={"backup_method": "libvirt", "backup_hypervisor": "kvm01"},
        checks=answers("lab-web", 8080) + answers("lab-api", 8081),
        ready=_asks(8081),
    ),
    Scenario(
        "thin",
        "no services, one ordinary update pending (lab-tool 1.0 → 1.1)",
        "thin",
        kind="thin",
        base="thin",
        checks=_SSH,
    ),
)


def scenario(name: str) -> Scenario:
    """The scenario of that name. Raises UsageError, listing all, when there is none."""
    for candidate in SCENARIOS:
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in SCENARIOS)
    raise UsageError(f"lab: there is no scenario {name!r}", f"Known: {known}.")


def plan_hosts(full: int, rpm: int, thin: int, vm: int = 0) -> list[HostSpec]:
    """So many hosts of each kind; each kind goes round its scenarios in the order above."""
    wanted: Sequence[tuple[Kind, int]] = (
        *(("full", full), ("rpm", rpm), ("thin", thin), ("vm", vm)),
    )
    specs = []
    for kind, count in wanted:
        cycle = [candidate for candidate in SCENARIOS if candidate.kind == kind]
        width = 3 if kind == "thin" else 2
        for index in range(count):
            shown = cycle[index % len(cycle)]
            number = index // len(cycle) + 1
            specs.append(HostSpec(f"{shown.host}{number:0{width}d}", kind, shown.name))
    return specs


def demo_hosts() -> list[HostSpec]:
    """One host for everything that the demo shows."""
    return plan_hosts(full=7, rpm=1, thin=0)
