"""The public keys that an auditor got from the officers themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.model.errors import UsageError


@dataclass(frozen=True)
class Trusted:
    """Key material by officer; keys under '' may belong to any officer."""

    keys: dict[str, frozenset[str]]

    def holds(self, officer: str, key: str) -> bool:
        """Whether the auditor trusts `key` (a line of a .pub file) as that officer's."""
        material = key.split()[1]
        return material in self.keys.get(officer, ()) or material in self.keys.get("", ())


def read_trusted(path: Path | None) -> Trusted | None:
    """Read a file of public keys; None for no file.

    Lines are those of .pub files (`ssh-ed25519 AAAA… comment`: any officer's), or those of an
    allowed_signers file (`OFFICER … ssh-ed25519 AAAA…`: that officer's). Raises UsageError when
    the file cannot be read or a line holds no key.
    """
    if path is None:
        return None
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
    return Trusted({owner: frozenset(found) for owner, found in keys.items()})
