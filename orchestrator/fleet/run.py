"""Runs one phase over some hosts and hands on each host's outcome as it comes."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.fleet.assets import ansible_environment, playbook
from orchestrator.fleet.decode import failed, from_event
from orchestrator.model.errors import CannotRunError
from orchestrator.model.evidence import Outcome, Phase
from orchestrator.model.house import ROOT
from orchestrator.model.text import printable

MAX_FORKS = 50


@dataclass(frozen=True)
class PhaseCall:
    """One phase to run: on which inventory, with which request for each host."""

    phase: Phase
    inventory: Path
    requests: Mapping[str, Mapping[str, Any]]  # host → request (docs/reference/evidence.md)
    folder: Path  # the runner's own files; emptied before and after
    become_password: str = field(default="", repr=False)  # typed by the user; never on disk

    def transaction(self, host: str) -> str:
        """The transaction that the host's answer must name."""
        return str(self.requests[host].get("transaction", ""))


@dataclass
class _Collector:
    """Receives the runner's events; keeps none of them on disk."""

    call: PhaseCall
    on_outcome: Callable[[Outcome], None]
    seen: set[str] = field(default_factory=set)
    finished: bool = False
    noise: list[str] = field(default_factory=list)

    def handle(self, event: dict[str, Any]) -> bool:
        """Handle one event; False tells the runner not to write it to a file."""
        if event.get("event") == "playbook_on_stats":
            self.finished = True
        host = (event.get("event_data") or {}).get("host")
        if host in self.call.requests and host not in self.seen:
            outcome = from_event(event, self.call.phase, self.call.transaction(str(host)))
            if outcome is not None:
                self.seen.add(outcome.host)
                self.on_outcome(outcome)
        elif not self.finished and event.get("stdout"):
            self.noise = [*self.noise[-20:], str(event["stdout"])]
        return False


def forks_for(hosts: int) -> int:
    """How many hosts are worked on at the same time, at most."""
    return min(MAX_FORKS, max(5, hosts))


def run_phase(call: PhaseCall, on_outcome: Callable[[Outcome], None]) -> None:
    """Run the phase; `on_outcome` is called once for every host of `call.requests`.

    Raises CannotRunError when Ansible itself failed: then the hosts are not to blame, the hosts
    without an outcome stay open, and asking again attaches to what runs.
    """
    import ansible_runner  # takes a second to import

    shutil.rmtree(call.folder, ignore_errors=True)
    requests = call.folder / "requests"
    requests.mkdir(parents=True, mode=0o700)
    for host, request in call.requests.items():
        name = hashlib.sha256(host.encode()).hexdigest() + ".json"
        (requests / name).write_text(json.dumps(request), encoding="utf-8")
    collector = _Collector(call, on_outcome)
    forks = forks_for(len(call.requests))
    try:
        with _limit(call.requests) as limit:
            result = ansible_runner.run(
                private_data_dir=str(call.folder),
                project_dir=str(ROOT),
                playbook=str(playbook(call.phase)),
                inventory=str(call.inventory.resolve()),
                limit=limit,
                forks=forks,
                extravars={"sop_run_requests": str(requests)},
                envvars=ansible_environment(),
                event_handler=collector.handle,
                # Without one, the runner takes SIGTERM and SIGINT away from whoever handles them,
                # and kills Ansible in the middle of the phase.
                cancel_callback=lambda: False,
                quiet=True,
                suppress_env_files=True,  # also: passwords are not written to a file
                **_asked(call),
            )
    except OSError as error:  # no pseudo-terminal, no space, no ansible-playbook
        raise CannotRunError(
            f"ansible-playbook cannot be run for phase {call.phase}: {error}",
            "nothing was done in this phase: correct the cause and run the same command again",
        ) from error
    if not collector.finished:
        words = printable(" ".join(collector.noise), 600)
        raise CannotRunError(
            f"Ansible itself failed in phase {call.phase} ({result.status}): {words}",
            "nothing is lost: correct the cause and run the same command again",
        )
    shutil.rmtree(call.folder, ignore_errors=True)
    for host in call.requests:
        if host not in collector.seen:
            on_outcome(failed(host, call.phase, "no answer came back from the runner"))


@contextmanager
def _limit(hosts: Iterable[str]) -> Iterator[str]:
    """Argument of --limit that names these hosts, however many.

    Ansible parts the argument at spaces, commas and colons and knows no quotes; so the file lies
    in the system's temporary folder, whatever an office's own folder is called.
    """
    with tempfile.NamedTemporaryFile("w", prefix="sop-run-", encoding="utf-8") as file:
        file.write("".join(f"{host}\n" for host in hosts))
        file.flush()
        yield f"@{file.name}"


def _asked(call: PhaseCall) -> dict[str, Any]:
    """Arguments with which the runner answers ansible-playbook's one question, on its terminal."""
    if not call.become_password:
        return {}
    prompt = r"^BECOME password:\s*$"
    return {"cmdline": "--ask-become-pass", "passwords": {prompt: call.become_password}}
