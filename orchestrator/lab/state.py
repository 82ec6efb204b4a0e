"""lab.json: what a lab consists of, written before anything of it is made.

Every resource of a lab is named after its prefix or lies in its folder, so this one file is all
that `lab down` needs, whenever `lab up` was stopped.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.lab.limits import FOLDER
from orchestrator.lab.members import start_time
from orchestrator.lab.scenario import HostSpec, Kind, scenario
from orchestrator.model.errors import UsageError

SCHEMA = "sop-run/lab/1"
FILE = "lab.json"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Host:
    """A test host."""

    name: str
    kind: Kind
    scenario: str
    number: int  # from 1; names its network interface
    address: str
    user: str  # root, or deploy with sudo
    namespace: str


@dataclass(frozen=True)
class State:
    """A lab: its folder, the prefix of its namespaces, its hosts, and who is making it."""

    directory: Path
    prefix: str
    hosts: tuple[Host, ...]
    maker: tuple[int, int]  # process id and start time (clock ticks since boot) of `lab up`

    @property
    def namespaces(self) -> list[str]:
        """Every network namespace of the lab, the controller's first."""
        return [self.prefix, *(host.namespace for host in self.hosts)]


def plan_state(directory: Path, specs: Sequence[HostSpec]) -> State:
    """Decide prefix, addresses and users. Raises UsageError for names that cannot be."""
    if not specs:
        raise UsageError("lab: no host was asked for", "Use --full, --rpm or --thin.")
    names = [spec.name for spec in specs]
    for spec in specs:
        if not _NAME.fullmatch(spec.name) or names.count(spec.name) > 1:
            raise UsageError(f"lab: {spec.name!r} cannot be a host name, or stands twice")
        if scenario(spec.scenario).kind != spec.kind:
            raise UsageError(f"lab: scenario {spec.scenario!r} is not for {spec.kind} hosts")
    prefix = f"sop-{secrets.token_hex(3)}"
    hosts = tuple(
        Host(
            spec.name,
            spec.kind,
            spec.scenario,
            number,
            # From 10.99.0.10 upwards; the controller is 10.99.0.1.
            f"10.99.{(number + 9) // 250}.{(number + 9) % 250 + 1}",
            "deploy" if number % 2 == 0 else "root",
            f"{prefix}-{spec.name}",
        )
        for number, spec in enumerate(specs, start=1)
    )
    return State(directory, prefix, hosts, (os.getpid(), start_time(os.getpid()) or 0))


def create(state: State) -> None:
    """Take the folder and write lab.json. Raises UsageError when the folder is in use."""
    directory = state.directory
    if any(char.isspace() for char in str(directory)):
        raise UsageError(f"lab: {directory} has a space in its name; ssh cannot use such a folder")
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / FILE).exists():
        raise UsageError(
            f"lab: there is a lab in {directory} already",
            f"Remove it with: sop-run lab down --dir {directory}",
        )
    if any(directory.iterdir()):
        raise UsageError(f"lab: {directory} is not empty", "Name another folder with --dir.")
    save(state)


def save(state: State, folder: Path | None = None) -> None:
    """Write lab.json, whole or not at all, to the lab's folder or to another one."""
    folder = folder or state.directory
    document = {
        "schema": SCHEMA,
        "directory": str(state.directory),
        "prefix": state.prefix,
        "maker": list(state.maker),
        "hosts": [asdict(host) for host in state.hosts],
    }
    temporary = folder / f".{FILE}"
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(document, handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(folder / FILE)


def load(directory: Path) -> State:
    """The lab of a folder. Raises UsageError when there is none, or its lab.json is damaged."""
    state = find(directory)
    if state is None:
        raise UsageError(
            f"lab: there is no lab in {directory}",
            f"Make one with: sop-run lab up --dir {directory}",
        )
    return state


def find(directory: Path) -> State | None:
    """The lab of a folder, also when the folder was deleted while the lab is up; None without."""
    if (directory / FILE).exists():
        return read(directory / FILE)
    states = (read(path) for path in sorted(FOLDER.glob(f"*/{FILE}")))
    return next((state for state in states if state and state.directory == directory), None)


def read(path: Path) -> State | None:
    """Read a lab.json; None when there is none. Raises UsageError when it is damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("schema") != SCHEMA:
            raise UsageError(f"lab: {path} was written by another version of sop-run")
        pid, began = document["maker"]
        hosts = tuple(Host(**host) for host in document["hosts"])
        return State(Path(document["directory"]), document["prefix"], hosts, (pid, began))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"lab: {path} is damaged: {error}") from None
