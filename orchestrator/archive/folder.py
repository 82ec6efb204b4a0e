"""The bag as a folder: nothing but plain files, all of them listed, none changed (RFC 8493).

An archive may come from anywhere, so nothing in it is followed, and sizes are looked at before
contents.
"""

from __future__ import annotations

import logging
import re
import stat
from collections.abc import Iterable
from pathlib import Path

import bagit

from orchestrator.archive.bag import DECLARATION, TAG_FILES, bag_info, file_hash, manifest_hash
from orchestrator.journal.state import CycleState

LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)")
TAG_BYTES = 4 << 20
"""No file beside data/ is larger: a manifest has some dozens of lines."""
SLACK = 64 << 20
"""Bytes that data/ may have beyond twice what it should: a changed file is then still named."""
FILES = 20_000
"""More files than any cycle has: a folder with more is not read to its end."""


def plain_files(bag: Path) -> dict[str, int]:
    """Path → size of every file; raises ValueError for anything that is no plain file."""
    found: dict[str, int] = {}
    folders = [bag]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            name = path.relative_to(bag).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                folders.append(path)
            elif stat.S_ISREG(mode):
                found[name] = path.lstat().st_size
            else:
                what = "a symbolic link" if stat.S_ISLNK(mode) else "a special file"
                raise ValueError(f"{name!r} is {what}; a bag holds plain files only")
            if len(found) + len(folders) > FILES:
                raise ValueError(f"it holds more than {FILES} files and folders")
    return found


def check_layout(bag: Path) -> str:
    """Names, kinds and sizes of all files, before any of them is trusted."""
    files = plain_files(bag)
    listed: dict[str, str] = {}
    for name in (*TAG_FILES, "tagmanifest-sha256.txt"):
        if name not in files:
            raise ValueError(f"{name} is missing")
        if files[name] > TAG_BYTES:
            raise ValueError(f"{name} is larger than {TAG_BYTES} bytes")
    if (bag / "bagit.txt").read_text(encoding="utf-8") != DECLARATION:
        raise ValueError("bagit.txt was changed: it does not declare a bag of version 1.0")
    listed |= read_manifest(bag / "manifest-sha256.txt")
    tags = read_manifest(bag / "tagmanifest-sha256.txt")
    if set(tags) != set(TAG_FILES):
        raise ValueError(f"tagmanifest-sha256.txt does not list exactly {', '.join(TAG_FILES)}")
    for name in listed:
        if not name.startswith("data/"):
            raise ValueError(f"manifest-sha256.txt lists {name!r}, which is not in data/")
    known = {*listed, *TAG_FILES, "tagmanifest-sha256.txt"}
    if extra := sorted(set(files) - known):
        raise ValueError(f"{extra[0]!r} is in no manifest: it was added")
    if gone := sorted(known - set(files)):
        raise ValueError(f"{gone[0]} is missing")
    payload = sum(size for name, size in files.items() if name.startswith("data/"))
    told = _oxum(bag)
    if payload > 2 * told + SLACK:
        raise ValueError(f"data/ has {payload} bytes, bag-info.txt tells of {told}: not opened")
    return f"{len(files)} plain files, all listed, {payload} bytes"


def _oxum(bag: Path) -> int:
    """The bytes in data/ as bag-info.txt tells them."""
    text = (bag / "bag-info.txt").read_text(encoding="utf-8")
    match = re.search(r"^Payload-Oxum: ([0-9]{1,15})\.[0-9]{1,6}$", text, re.MULTILINE)
    if match is None:
        raise ValueError("bag-info.txt does not tell how large data/ is (Payload-Oxum)")
    return int(match[1])


def read_manifest(path: Path) -> dict[str, str]:
    """Path → SHA-256 of a manifest; raises ValueError for a line that could mean something else."""
    found: dict[str, str] = {}
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        raise ValueError(f"{path.name} does not end with a line feed")
    for number, line in enumerate(text.split("\n")[:-1], 1):
        match = LINE.fullmatch(line)
        if match is None or any(part in ("", ".", "..") for part in match[2].split("/")):
            raise ValueError(f"{path.name} line {number} is no hash and plain path: {line[:120]!r}")
        if match[2] in found:
            raise ValueError(f"{path.name} line {number} names {match[2]} a second time")
        found[match[2]] = match[1]
    return found


def check_hashes(bag: Path) -> str:
    """Every file against the manifests, by this program and by the bagit library."""
    tags = read_manifest(bag / "tagmanifest-sha256.txt")
    payload = read_manifest(bag / "manifest-sha256.txt")
    for name, digest in {**tags, **payload}.items():
        if file_hash(bag / name) != digest:
            raise ValueError(f"{name} was changed: its SHA-256 is not the one in the manifest")
    logging.getLogger("bagit").setLevel(logging.CRITICAL)  # it reports by exception as well
    bagit.Bag(str(bag)).validate(processes=1)
    return f"{len(payload) + len(tags)} files, manifest {manifest_hash(bag)[:16]}…"


def check_info(bag: Path, state: CycleState) -> str:
    """bag-info.txt against what the journal says, field by field."""
    text = (bag / "bag-info.txt").read_text(encoding="utf-8")
    found = text.split("\n")
    oxum = next((x.partition(": ")[2] for x in found if x.startswith("Payload-Oxum: ")), "")
    wanted = bag_info(state, oxum).split("\n")
    for line, right in zip(found, wanted, strict=False):
        if line != right:
            raise ValueError(f"it says {line[:120]!r}, the journal {right[:120]!r}")
    if text != "\n".join(wanted):
        raise ValueError("it has other lines than the journal gives")
    return f"{len(wanted) - 1} fields"


def check_expected(bag: Path, files: Iterable[str], state: CycleState) -> str:
    """That data/ holds what the journal asks for, and nothing that it does not know of."""
    data = bag / "data"
    earlier = {f"earlier/{r.seq:04d}-{r.name}" for r in state.rendered}
    expected = {*files, "journal.db", "journal.jsonl", "VERIFY.txt"}
    expected |= {f"documents/{name}" for name in state.documents}
    found = {p.relative_to(data).as_posix() for p in data.rglob("*") if not p.is_dir()}
    if gone := sorted(expected - found):
        raise ValueError(f"data/{gone[0]} is missing")
    if extra := sorted(found - expected - earlier):
        raise ValueError(f"data/{extra[0]} belongs to no entry of the journal")
    lines = (data / "journal.jsonl").stat().st_size
    if (data / "journal.db").stat().st_size > 4 * lines + SLACK:
        raise ValueError("data/journal.db is far larger than its entries")
    return f"{len(expected)} files that the journal asks for"
