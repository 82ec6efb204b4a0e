"""The archive of a cycle: a BagIt folder (RFC 8493) that can be read without this program.

Everything in it follows from the journal and the documents, so the same cycle gives the same
bytes; docs/reference/archive.md describes every file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from orchestrator.archive.facts import cycle_json, keep_until
from orchestrator.archive.hand import VERIFY
from orchestrator.archive.signed import signed, signers_file
from orchestrator.journal.entry import Entry
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import StoredEntries, write_copy
from orchestrator.model.canonical import canonical_json
from orchestrator.model.errors import CannotRunError
from orchestrator.model.text import printable

DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAG_FILES = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")
"""Files beside data/ that the tag manifest covers."""
CHUNK = 1 << 20


def make_bag(cycle_folder: Path, state: CycleState, target: Path) -> str:
    """Bundle a cycle into `target`; returns the SHA-256 of its tag manifest.

    The folder appears whole or not at all, also after a loss of power. What an interrupted call
    left is made again. Raises CannotRunError when the disk refuses or a document is not the one
    on record.
    """
    staging = target.with_name(f".{target.name}.partial")
    former = target.with_name(f".{target.name}.former")
    try:
        for left in (staging, former):
            if left.exists():
                shutil.rmtree(left)
        (staging / "data").mkdir(parents=True)
        _fill(staging / "data", cycle_folder, state)
        _tag(staging, state)
        _sync(staging)
        if target.exists():  # never recorded in the journal, so a left-over of a crash
            target.rename(former)
        staging.rename(target)
        _sync_folder(target.parent)
        if former.exists():
            shutil.rmtree(former)
    except (OSError, sqlite3.Error) as error:
        raise CannotRunError(
            f"the archive {target} cannot be written: {error}",
            "free space, then run the same command again: nothing is lost",
        ) from error
    return manifest_hash(target)


def manifest_hash(bag: Path) -> str:
    """SHA-256 of the tag manifest, which covers every other file of the bag."""
    return file_hash(bag / "tagmanifest-sha256.txt")


def file_hash(path: Path) -> str:
    """SHA-256 of a file of any size, in constant memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


Text = Callable[[], Iterable[str]]
"""A file's text in pieces, made when it is asked for: some are as large as the journal."""


def derived(entries: Iterable[Entry], state: CycleState) -> dict[str, Text]:
    """Path under data/ → text of every file that follows from the journal alone.

    `entries` are read more than once.
    """
    signatures = signed(entries)
    files: dict[str, Text] = {
        "cycle.json": lambda: cycle_json(entries, state, signatures),
        "office.json": partial(_whole, canonical_json(state.office.model_dump(mode="json"))),
        "allowed_signers": partial(_whole, signers_file(signatures)),
    }
    if state.plan is not None:
        files["plan.json"] = state.plan.canonical  # its SHA-256 is the plan's id
    for one in signatures:
        files[f"signatures/{one.name}.json"] = partial(_whole, one.entry.body["statement"])
        files[f"signatures/{one.name}.sig"] = partial(_whole, one.entry.body["signature"])
    return files


def _whole(text: str) -> tuple[str]:
    return (text,)


def bag_info(state: CycleState, oxum: str) -> str:
    """The text of bag-info.txt; `oxum` is the payload's bytes and files (RFC 8493)."""
    letters = state.office.letters
    fields = {
        "Bag-Software-Agent": f"sop-run {state.tool_version}",
        "Bagging-Date": state.last_at[:10],
        "Payload-Oxum": oxum,
        "Source-Organization": state.office.office.agency,
        "External-Identifier": state.cycle,
        "External-Description": "SOP update/perbaikan software/sistem operasi",
        "Classification-Code": letters.classification_code,
        "Nature": letters.nature,
        "Retention-Years": str(letters.retention_years),
        "Keep-Until": keep_until(state),
        "Plan-ID": state.plan.id if state.plan else "-",
        "Journal-Entries": str(state.seq),
        "Journal-Head": state.head,
        "Previous-Cycle": state.previous_cycle or "-",
        "Previous-Manifest-SHA256": state.previous_manifest or "-",
    }
    return "".join(f"{name}: {printable(fields[name])}\n" for name in sorted(fields))


def _fill(data: Path, cycle_folder: Path, state: CycleState) -> None:
    (data / "documents").mkdir()
    for record in state.documents.values():
        copied = data / "documents" / record.name
        shutil.copyfile(cycle_folder / "documents" / record.name, copied)
        if file_hash(copied) != record.sha256:
            raise CannotRunError(
                f"{record.name} is not the document on record: it was changed since",
                f"run `sop-run documents {state.cycle}` to make it again, then go on",
            )
    _earlier(data, cycle_folder, state)
    entries = StoredEntries(cycle_folder / "journal.db", state.seq, state.head)
    write_copy(entries, data / "journal.db")
    _write(data / "journal.jsonl", (entry.line() + "\n" for entry in entries))
    (data / "signatures").mkdir()
    for name, text in derived(entries, state).items():
        _write(data / name, text())
    _write(data / "VERIFY.txt", (VERIFY,))


def _earlier(data: Path, cycle_folder: Path, state: CycleState) -> None:
    """Documents whose place others took after a return: as far as they were kept."""
    for record in state.rendered:
        kept = cycle_folder / "earlier" / f"{record.seq:04d}-{record.name}"
        if kept.is_file() and file_hash(kept) == record.sha256:
            (data / "earlier").mkdir(exist_ok=True)
            shutil.copyfile(kept, data / "earlier" / kept.name)


def _tag(bag: Path, state: CycleState) -> None:
    payload = sorted(p for p in (bag / "data").rglob("*") if p.is_file())
    _write(bag / "bagit.txt", (DECLARATION,))
    _write(bag / "manifest-sha256.txt", _manifest(bag, payload))
    oxum = f"{sum(p.stat().st_size for p in payload)}.{len(payload)}"
    _write(bag / "bag-info.txt", (bag_info(state, oxum),))
    tags = _manifest(bag, [bag / name for name in TAG_FILES])
    _write(bag / "tagmanifest-sha256.txt", tags)


def _manifest(bag: Path, files: Iterable[Path]) -> Iterator[str]:
    """Lines as `sha256sum -c` reads them."""
    return (f"{file_hash(p)}  {p.relative_to(bag).as_posix()}\n" for p in files)


def _write(path: Path, pieces: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)


def _sync(folder: Path) -> None:
    """Make a whole tree durable."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
