"""One entry of a journal, and the hash that chains it to the one before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from orchestrator.model.canonical import canonical_json, sha256_hex

GENESIS = "0" * 64
"""`prev` of the first entry."""


@dataclass(frozen=True)
class Entry:
    """Something that happened. `hash` is SHA-256 over the canonical JSON of all other fields."""

    seq: int  # from 1, without gaps
    at: str  # UTC, ISO 8601 with microseconds
    kind: str
    step: int | None
    actor: str
    host: str
    body: dict[str, Any]
    prev: str
    hash: str = ""

    def content(self) -> dict[str, Any]:
        """All fields but the hash."""
        return {
            "seq": self.seq,
            "at": self.at,
            "kind": self.kind,
            "step": self.step,
            "actor": self.actor,
            "host": self.host,
            "body": self.body,
            "prev": self.prev,
        }

    def computed_hash(self) -> str:
        """What `hash` must be."""
        return sha256_hex(canonical_json(self.content()))

    def sealed(self) -> Entry:
        """The entry with its hash."""
        return Entry(**self.content(), hash=self.computed_hash())

    def line(self) -> str:
        """The entry as one line of JSON Lines."""
        return canonical_json({**self.content(), "hash": self.hash})

    @classmethod
    def from_line(cls, line: str) -> Entry:
        """Read a line of JSON Lines; raises ValueError or KeyError when it is none."""
        data = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError("not an object")
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})


def sealed_hash(row: Sequence[Any]) -> str:
    """The hash of an entry from (seq, at, kind, step, actor, host, body, prev).

    The body is at hand as canonical JSON, so it need not be made again.
    """
    seq, at, kind, step, actor, host, body, prev = row
    actor, at, host, kind, prev = map(encode_basestring, (actor, at, host, kind, prev))
    return sha256_hex(
        f'{{"actor":{actor},"at":{at},"body":{body},"host":{host},"kind":{kind},"prev":{prev},'
        f'"seq":{seq},"step":{"null" if step is None else step}}}'
    )


class BrokenChain(ValueError):
    """The journal is not what was written; `seq` names the entry that fails."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"journal entry {seq}: {reason}")
        self.seq = seq


def check_link(entry: Entry, seq: int, prev: str, digest: str = "") -> None:
    """Raise BrokenChain unless `entry` is number `seq`, follows `prev` and hashes to its hash.

    `digest` is what it hashes to where that is known already.
    """
    if entry.seq != seq:
        raise BrokenChain(seq, f"expected entry {seq}, found entry {entry.seq}")
    if (digest or entry.computed_hash()) != entry.hash:
        raise BrokenChain(seq, "its content does not match its hash (altered)")
    if entry.prev != prev:
        raise BrokenChain(
            seq, "it does not follow the entry before (removed, reordered or spliced)"
        )
