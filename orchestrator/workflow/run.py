"""A cycle under work: its journal, its settings, and how phases and documents are recorded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.documents.names import DocumentName
from orchestrator.documents.render import render, write_atomically
from orchestrator.fleet.run import PhaseCall
from orchestrator.fleet.settle import run_settled
from orchestrator.journal.book import CycleBook
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.evidence import Outcome, Phase
from orchestrator.workflow.progress import Progress
from orchestrator.workflow.settings import Settings
from orchestrator.workflow.stop import SafeStop

EARLIER = "earlier"
"""Folder beside documents/ with those that a later revision took the place of."""


def kept_copy(folder: Path, sha256: str) -> Path:
    """Where a cycle keeps the second copy of a PDF that was signed with a certificate."""
    return folder / "signed" / f"{sha256}.pdf"


@dataclass
class Run:
    """One call's work on one cycle."""

    settings: Settings
    book: CycleBook
    progress: Progress
    stop: SafeStop | None = None  # set while hosts may be worked on

    @property
    def state(self) -> CycleState:
        """The cycle as it stands."""
        return self.book.state

    @property
    def documents(self) -> Path:
        """Folder of the cycle's documents."""
        return self.book.folder / "documents"

    def phase(self, phase: Phase, requests: Mapping[str, dict[str, Any]], wave: int = 0) -> None:
        """Run a phase on the hosts of `requests` and record every outcome as it comes."""
        if not requests:
            return
        self._boundary()
        hosts = sorted(requests)
        if not self._under_way(phase, wave, hosts):
            self.book.record("phase.started", {"phase": phase, "wave": wave, "hosts": hosts})
        self.progress.phase(phase, len(hosts), wave)
        begun, done = time.monotonic(), 0

        def on_outcome(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            self.book.record("host.outcome", outcome.body(), host=outcome.host)
            self.progress.outcome(outcome, done, len(hosts))

        call = PhaseCall(
            phase,
            self.settings.inventory,
            requests,
            self.book.folder / "runner" / f"{phase}-{wave}",
            self.settings.become_password,
        )
        run_settled(
            call,
            on_outcome,
            restart_seconds=self.state.office.rules.reboot_timeout_seconds,
            on_wait=self.progress.waiting,
            before_wait=self._boundary,
        )
        seconds = round(time.monotonic() - begun, 3)
        self.book.record("phase.ended", {"phase": phase, "wave": wave, "seconds": seconds})
        self._boundary()

    def _boundary(self) -> None:
        if self.stop is not None:
            self.stop.boundary()

    def _under_way(self, phase: Phase, wave: int, hosts: list[str]) -> bool:
        """Whether an interrupted call began this very phase: then it goes on, not anew."""
        last = self.state.runs[-1] if self.state.runs else None
        return (
            last is not None
            and not last.ended_at
            and (last.phase, last.wave) == (phase, wave)
            and set(hosts) <= set(last.hosts)
        )

    def document(self, name: DocumentName, step: int, *, newer_than: int = 0) -> Path:
        """Render a document for a step and record its hash, unless this step has it already.

        One that is older than journal entry `newer_than` does not count. A report that was signed
        with a certificate stays what it is.
        """
        path = self.documents / name
        if self.state.signed_pdf(name) is not None:
            return path
        record = self.state.documents.get(name)
        # By entry, not by time: the clock may have been wrong.
        since = max(self.state.steps[step].opened_seq, newer_than)
        if step == 4:  # the order's document shows the terms that were drafted last
            since = max(since, self.state.drafted_seq)
        if record is not None and record.step == step and record.seq >= since:
            if path.is_file() and sha256_hex(path.read_bytes()) == record.sha256:
                return path
            self.progress.say(f"{name} was changed or is gone since it was recorded: made again")
        self.keep_earlier(name, path)
        assets = self.settings.office.parent  # a relative logo lies beside office.yml
        templates = self.settings.templates
        rendered = render(name, self.state, self.documents, templates=templates, assets=assets)
        body = {"name": str(name), "sha256": rendered.sha256, "size": rendered.size}
        self.book.record("document.rendered", body, step=step)
        self.progress.document(str(path))
        return path

    def keep_earlier(self, name: DocumentName, path: Path) -> None:
        """Put a copy of what was recorded before aside: an officer may have returned or signed it.

        It goes to the archive as `earlier/NNNN-NAME`, NNNN being its journal entry.
        """
        if not path.is_file():
            return
        digest = sha256_hex(path.read_bytes())
        for record in self.state.rendered:
            if (record.name, record.sha256) == (name, digest):
                earlier = self.book.folder / EARLIER
                earlier.mkdir(exist_ok=True)
                write_atomically(earlier / f"{record.seq:04d}-{name}", path.read_bytes())
                return
