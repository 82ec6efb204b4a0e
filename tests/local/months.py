"""Months of a real office on this machine, from the command line to the archive; and its forger."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.archive.bag import TAG_FILES, bag_info, derived
from orchestrator.journal.entry import GENESIS, Entry
from orchestrator.journal.fold import IllegalEntry, fold
from orchestrator.journal.store import write_copy
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.cycle import CycleId
from orchestrator.model.errors import SopRunError
from orchestrator.workflow.gates import Choices, Signer, send_back, sign
from orchestrator.workflow.monthly import Standing, monthly
from orchestrator.workflow.progress import Silent
from orchestrator.workflow.settings import resolve
from tests.local.conftest import LocalOffice


def whole_month(office: LocalOffice, period: str, until: int = 99) -> Standing:
    """A cycle to its end, or to the gate `until`, every item put off, within this process."""
    settings, cycle = resolve(office.inventory), CycleId.parse(period)
    standing = monthly(settings, cycle, Silent())
    while standing.next != "closed":
        if standing.gate is None:
            standing = monthly(settings, cycle, Silent())
            continue
        gate, state = standing.gate, standing.state
        if gate.number == until:
            break
        signed = {s.role for s in state.signed(gate.number)}
        officer = next(state.office.with_role(r)[0].id for r in gate.signers if r not in signed)
        items = state.plan.items if gate.number == 3 and state.plan else ()
        choices = Choices(defer={i.number: "this is a test" for i in items})
        standing = sign(settings, Signer(period, officer, office.key(officer)), Silent(), choices)
    return standing


def make_months(office: LocalOffice) -> LocalOffice:
    """2026-10 and 2026-12 without trouble; in 2026-11 steps 3 and 10 are sent back once."""
    today = datetime.now(ZoneInfo("Asia/Jakarta"))
    last = (today + timedelta(minutes=30)).date()  # unless midnight comes: the very last day
    office.edit_officer("analis", valid_from="2020-01-01", valid_until=last.isoformat())
    whole_month(office, "2026-10")
    settings = resolve(office.inventory)
    monthly(settings, CycleId.parse("2026-11"), Silent())
    returned(office, "2026-11", "analis", "a host is missing")
    whole_month(office, "2026-11", until=10)
    returned(office, "2026-11", "jf", "part C is wrong")
    whole_month(office, "2026-11")
    whole_month(office, "2026-12")
    return office


def returned(office: LocalOffice, period: str, officer: str, reason: str) -> None:
    """The open gate sent back, then put forward again."""
    settings = resolve(office.inventory)
    send_back(settings, Signer(period, officer, office.key(officer)), Silent(), reason)
    monthly(settings, CycleId.parse(period), Silent())


def copy_of(archive: Path, folder: Path) -> Path:
    """A copy under the archive's own name."""
    target = folder / archive.name
    shutil.copytree(archive, target, symlinks=True)
    return target


# What a forger does who knows this program well.


def retag(bag: Path) -> None:
    """Make all hashes and sizes right again."""
    payload = sorted(p for p in (bag / "data").rglob("*") if p.is_file())
    _manifest(bag, "manifest-sha256.txt", payload)
    info = (bag / "bag-info.txt").read_text(encoding="utf-8").splitlines()
    oxum = f"{sum(p.stat().st_size for p in payload)}.{len(payload)}"
    info = [f"Payload-Oxum: {oxum}" if x.startswith("Payload-Oxum: ") else x for x in info]
    (bag / "bag-info.txt").write_text("\n".join(info) + "\n", encoding="utf-8")
    _manifest(bag, "tagmanifest-sha256.txt", [bag / name for name in TAG_FILES])


def _manifest(bag: Path, name: str, files: list[Path]) -> None:
    lines = [f"{sha256_hex(p.read_bytes())}  {p.relative_to(bag).as_posix()}\n" for p in files]
    (bag / name).write_text("".join(lines), encoding="utf-8")


def journal_of(bag: Path) -> list[dict[str, Any]]:
    """The entries of an archive, to be changed."""
    lines = (bag / "data/journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def rehashed(entries: list[dict[str, Any]]) -> list[Entry]:
    """The entries as a chain that holds, whatever was changed in them."""
    chain: list[Entry] = []
    for number, fields in enumerate(entries, 1):
        prev = chain[-1].hash if chain else GENESIS
        chain.append(Entry.from_line(json.dumps({**fields, "seq": number, "prev": prev})).sealed())
    return chain


def forge(bag: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the journal and make everything else that follows from it anew."""
    entries = journal_of(bag)
    change(entries)
    chain = rehashed(entries)
    data = bag / "data"
    (data / "journal.db").unlink()
    write_copy(chain, data / "journal.db")
    lines = "".join(e.line() + "\n" for e in chain)
    (data / "journal.jsonl").write_text(lines, encoding="utf-8")
    try:
        state = fold(chain)
        files = derived(chain, state)
    except (IllegalEntry, SopRunError, ValueError):
        retag(bag)
        return
    shutil.rmtree(data / "signatures")
    (data / "signatures").mkdir()
    for name, text in files.items():
        (data / name).write_text("".join(text()), encoding="utf-8")
    (bag / "bag-info.txt").write_text(bag_info(state, "0.0"), encoding="utf-8")
    retag(bag)
