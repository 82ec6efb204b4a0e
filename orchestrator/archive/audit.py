"""Verifies a cycle or an archive offline: chain, procedure, signatures, documents, bag."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from orchestrator.archive.bag import Text, derived, file_hash, manifest_hash
from orchestrator.archive.folder import check_expected, check_hashes, check_info, check_layout
from orchestrator.archive.pdfs import check_pdfs
from orchestrator.archive.replay import replay
from orchestrator.archive.report import Report
from orchestrator.archive.trust import Trusted
from orchestrator.journal.entry import Entry
from orchestrator.journal.state import CycleState, DocumentRecord
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import UsageError
from orchestrator.sop.shown import ARCHIVED, ORDER


def is_archive(folder: Path) -> bool:
    """Whether a folder looks like an archive of sop-run."""
    return (folder / "bagit.txt").is_file() and (folder / "data").is_dir()


def audit_archive(folder: Path, trusted: Trusted | None = None) -> Report:
    """Verify an archive folder with nothing but itself and, if given, trusted public keys.

    With `trusted` every signature must come from one of its keys. Nothing is written, and no link
    is followed. Raises UsageError when `folder` is no archive.
    """
    if not is_archive(folder):
        raise UsageError(
            f"{folder} is no archive of sop-run", "name the folder with bagit.txt in it"
        )
    report = Report(trusted=trusted is not None and trusted.keys is not None)
    name = "bag: plain files only, each one listed"
    if not report.attempt(name, lambda: check_layout(folder)):
        return report  # what else lies there is not opened
    data = folder / "data"
    entries = replay(report, data / "journal.db", frozen=True, trusted=trusted)
    lines = data / "journal.jsonl"
    report.attempt("journal.jsonl is the same journal", lambda: _same_lines(lines, entries))
    state = report.state
    if state is not None:
        report.attempt("procedure: the cycle stood at its archive", lambda: _complete(state))
        _documents(report, state, data / "documents")
        check_pdfs(report, state, data / "documents", trusted)
        _earlier(report, state, data / "earlier")
        _derived(report, folder, entries, state)
        report.attempt("bag: it lies under its own name", lambda: _own_name(folder, state))
    report.attempt("bag: every file is there and unchanged", lambda: check_hashes(folder))
    report.manifest = manifest_hash(folder)
    return report


def _derived(report: Report, folder: Path, entries: Iterable[Entry], state: CycleState) -> None:
    """Files that follow from the journal are made once more from it, and compared byte for byte."""
    data = folder / "data"
    files: dict[str, Text] = {}

    def derive() -> str:
        files.update(derived(entries, state))
        return f"{len(files)} files"

    if not report.attempt("what follows from the journal can be made from it", derive):
        return
    for path in (name for name in files if not name.startswith("signatures/")):
        check = partial(_same, data / path, files[path])
        report.attempt(f"{path} is what the journal says", check)
    report.attempt("signatures/ is what the journal says", lambda: _all_same(data, files))
    report.attempt("bag-info.txt is what the journal says", lambda: check_info(folder, state))
    name = "bag: nothing is missing, nothing unknown"
    report.attempt(name, lambda: check_expected(folder, files, state))


def audit_cycle(folder: Path, home: Path, trusted: Trusted | None = None) -> Report:
    """Verify a cycle where it lies, and its archive when it has one."""
    report = Report(trusted=trusted is not None and trusted.keys is not None)
    replay(report, folder / "journal.db", frozen=False, trusted=trusted)
    state = report.state
    if state is None:
        return report
    _documents(report, state, folder / "documents")
    check_pdfs(report, state, folder / "documents", trusted)
    _earlier(report, state, folder / "earlier")
    if state.archive_manifest:
        bag = home / state.archive_path

        def same() -> str:
            found = manifest_hash(bag)
            if found != state.archive_manifest:
                raise ValueError(f"the journal says {state.archive_manifest}, the archive {found}")
            return found

        report.attempt("archive: manifest hash is the one in the journal", same)
        if is_archive(bag):
            for check in audit_archive(bag, trusted).checks:
                report.add(f"archive: {check.name}", check.ok, check.detail)
    return report


def _complete(state: CycleState) -> str:
    """A journal that was cut short is not one of a cycle that was archived."""
    if state.steps[11].state != "passed" or state.steps[12].state != "open":
        raise ValueError("step 11 has not passed in this journal: it was cut short")
    # A cycle that restores has the order to restore in place of the written one.
    demanded = ARCHIVED - {ORDER} if state.source is not None else ARCHIVED
    if missing := sorted(demanded - set(state.documents)):
        raise ValueError(f"{missing[0]} was never made in this journal: it was cut short")
    return "step 11 is signed, every document was made"


def _documents(report: Report, state: CycleState, folder: Path) -> None:
    for record in state.documents.values():
        report.attempt(
            f"document: {record.name} (journal entry {record.seq})",
            partial(_unchanged, folder / record.name, record),
        )


def _earlier(report: Report, state: CycleState, folder: Path) -> None:
    """Documents of earlier revisions, as far as they were kept."""
    for record in state.rendered:
        path = folder / f"{record.seq:04d}-{record.name}"
        if path.exists():
            report.attempt(
                f"earlier document: {record.name} (journal entry {record.seq})",
                partial(_unchanged, path, record),
            )


def _unchanged(path: Path, record: DocumentRecord) -> str:
    size = path.stat().st_size
    if size != record.size:
        raise ValueError(f"it was changed: it has {size} bytes, the journal says {record.size}")
    found = file_hash(path)
    if found != record.sha256:
        raise ValueError(f"it was changed: SHA-256 is {found}, the journal says {record.sha256}")
    return f"SHA-256 {record.sha256[:16]}…"


def _same_lines(path: Path, entries: Iterable[Entry]) -> str:
    number = 0
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, entry in enumerate(entries, 1):
            right = entry.line() + "\n"
            if lines.readline(len(right) + 1) != right:
                raise ValueError(
                    f"journal entry {number} differs between journal.db and journal.jsonl"
                )
        if lines.read(1):
            raise ValueError(f"it has more than the {number} entries of journal.db")
    return f"{number} entries"


def _same(path: Path, text: Text) -> str:
    size = 0
    with path.open("rb") as file:
        for piece in text():
            right = piece.encode("utf-8")
            size += len(right)
            if file.read(len(right)) != right:
                raise ValueError(f"{path.name} is not what the journal gives: it was changed")
        if file.read(1):
            raise ValueError(f"{path.name} is not what the journal gives: it was changed")
    return f"{size} bytes"


def _all_same(data: Path, files: dict[str, Text]) -> str:
    chosen = {name: text for name, text in files.items() if name.startswith("signatures/")}
    for name, text in chosen.items():
        _same(data / name, text)
    return f"{len(chosen) // 2} statements, each with its signature"


def _own_name(folder: Path, state: CycleState) -> str:
    """A folder that bears a cycle's name holds that cycle; any other name is fine for a copy."""
    name = folder.resolve().name
    try:
        CycleId.parse(name)
    except ValueError:
        return f"cycle {state.cycle}"
    if name != state.cycle:
        raise ValueError(f"the folder {name} holds the archive of cycle {state.cycle}")
    return f"cycle {state.cycle}"
