"""The archive of a cycle: a BagIt folder (RFC 8493) that can be read without this program."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import bagit

from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries, write_copy
from orchestrator.model.canonical import canonical_json, sha256_hex
from orchestrator.model.errors import CannotRunError
from orchestrator.signature.ssh import allowed_signers

HOW_TO_VERIFY = """\
How to verify this folder without the program that made it
==========================================================
1. Every file is unchanged (from the folder that holds bagit.txt):
     sha256sum -c tagmanifest-sha256.txt && sha256sum -c manifest-sha256.txt
2. Every signature (NAME is for example step-03-analis, OFFICER stands in the .json):
     cd data/signatures
     ssh-keygen -Y verify -f ../allowed_signers -I OFFICER -n sop-run/gate/1 \\
         -s NAME.sig < NAME.json
   Compare the keys in allowed_signers with those that the officers themselves show.
3. The journal: each line of data/journal.jsonl holds `hash`, the SHA-256 of the line's other
   fields as JSON with sorted keys and no spaces, and `prev`, the hash of the line before:
     python3 -c '
     import hashlib, json
     prev = "0" * 64
     for n, line in enumerate(open("data/journal.jsonl", encoding="utf-8"), 1):
         e = json.loads(line); h = e.pop("hash")
         c = json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
         assert e["prev"] == prev and hashlib.sha256(c.encode()).hexdigest() == h, n
         prev = h
     print("journal ok")'
"""


def make_bag(cycle_folder: Path, state: CycleState, target: Path) -> str:
    """Bundle a cycle into `target`; returns the SHA-256 of its tag manifest.

    The folder appears whole or not at all. What an interrupted call left is made again.
    Raises CannotRunError when the disk refuses.
    """
    staging = target.with_name(f".{target.name}.partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        _fill(staging, cycle_folder, state)
        bagit.make_bag(str(staging), bag_info=_bag_info(state), checksums=["sha256"], processes=1)
        _two_spaces(staging / "tagmanifest-sha256.txt")
        if target.exists():
            shutil.rmtree(target)  # never recorded in the journal, so a left-over of a crash
        staging.rename(target)
    except (OSError, sqlite3.Error, bagit.BagError) as error:
        raise CannotRunError(
            f"the archive {target} cannot be written: {error}",
            "free space, then run the same command again: nothing is lost",
        ) from error
    return manifest_hash(target)


def manifest_hash(bag: Path) -> str:
    """SHA-256 of the tag manifest, which covers every other file of the bag."""
    return sha256_hex((bag / "tagmanifest-sha256.txt").read_bytes())


def _two_spaces(manifest: Path) -> None:
    """Write a manifest as `sha256sum -c` reads it; bagit puts one space where it wants two."""
    lines = manifest.read_text(encoding="utf-8").splitlines()
    _write(manifest, "".join("  ".join(line.split(None, 1)) + "\n" for line in lines))


def _fill(staging: Path, cycle_folder: Path, state: CycleState) -> None:
    (staging / "documents").mkdir()
    for name in state.documents:
        shutil.copyfile(cycle_folder / "documents" / name, staging / "documents" / name)
    entries = [e for e in read_entries(cycle_folder / "journal.db") if e.seq <= state.seq]
    write_copy(entries, staging / "journal.db")
    lines = "".join(entry.line() + "\n" for entry in entries)
    _write(staging / "journal.jsonl", lines)
    signatures = staging / "signatures"
    signatures.mkdir()
    signers: dict[str, str] = {}
    named = [(f"step-{record.step:02d}-{record.role}", record) for record in state.signatures]
    for number, order in enumerate(state.restores, 1):
        named.append((f"restore-{number:02d}-{order.signature.role}", order.signature))
    for name, record in named:
        (signatures / f"{name}.json").write_text(record.statement, encoding="utf-8")
        (signatures / f"{name}.sig").write_text(record.signature, encoding="utf-8")
        signers[record.officer] = allowed_signers(record.officer, record.keys)
    _write(staging / "allowed_signers", "".join(signers[k] for k in sorted(signers)))
    if state.plan is not None:
        _write(staging / "plan.json", state.plan.canonical())
    _write(staging / "office.json", canonical_json(state.office.model_dump(mode="json")))
    _write(staging / "VERIFY.txt", HOW_TO_VERIFY)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _bag_info(state: CycleState) -> dict[str, str]:
    letters = state.office.letters
    return {
        "Bag-Software-Agent": f"sop-run {state.tool_version}",
        "Bagging-Date": state.last_at[:10],
        "Source-Organization": state.office.office.agency,
        "External-Identifier": state.cycle,
        "External-Description": "SOP update/perbaikan software/sistem operasi",
        "Classification-Code": letters.classification_code,
        "Nature": letters.nature,
        "Retention-Years": str(letters.retention_years),
        "Journal-Head": state.head,
        "Previous-Cycle": state.previous_cycle or "-",
        "Previous-Manifest-SHA256": state.previous_manifest or "-",
    }
