"""What an auditor trusts from outside: keys of the officers, authorities of certificates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.model.errors import UsageError


@dataclass(frozen=True)
class Trusted:
    """Key material by officer; keys under '' may belong to any officer. None: nothing was given."""

    keys: dict[str, frozenset[str]] | None = None
    roots: tuple[Any, ...] | None = None  # authorities whose certificates may have signed PDFs

    def holds(self, officer: str, key: str) -> bool:
        """Whether the auditor trusts `key` (a line of a .pub file) as that officer's."""
        if self.keys is None:
            return True
        material = key.split()[1]
        return material in self.keys.get(officer, ()) or material in self.keys.get("", ())


def read_trusted(keys: Path | None, authorities: Path | None = None) -> Trusted | None:
    """Read a file of public keys and one of certificates (PEM); None for no file at all."""
    if keys is None and authorities is None:
        return None
    roots = None
    if authorities is not None:
        from orchestrator.signature.pades_check import read_roots  # loading pyHanko takes a second

        roots = read_roots(authorities)
    return Trusted(None if keys is None else _read_keys(keys), roots)


def _read_keys(path: Path) -> dict[str, frozenset[str]]:
    """Keys by officer, '' for any.

    Lines are those of .pub files (`ssh-ed25519 AAAA… comment`: any officer's), or those of an
    allowed_signers file (`OFFICER … ssh-ed25519 AAAA…`: that officer's). Raises UsageError when
    the file cannot be read or a line holds no key.
    """
    keys: dict[str, set[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        place = next((n for n, word in enumerate(words) if word.startswith("AAAA")), 0)
        if not place:
            raise UsageError(
                f"{path}:{number}: no public key",
                "write lines of .pub files, or allowed_signers lines that begin with the officer",
            )
        owners = words[0].split(",") if place > 1 else [""]
        for owner in owners:
            keys.setdefault(owner, set()).add(words[place])
    if not keys:
        raise UsageError(f"{path} holds no public key", "put the officers' .pub lines in it")
    return {owner: frozenset(found) for owner, found in keys.items()}
