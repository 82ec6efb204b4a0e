"""Reads an Ansible inventory, in any form that ansible-core knows (SOP step 2: the list)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.fleet.assets import ansible_environment
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.house import ROOT
from orchestrator.model.text import printable

_NO_MATCH = re.compile(r"Could not match supplied host pattern, ignoring: (.+)")
_ORIGIN = re.compile(r"^(.+)\n\s*Origin: (\S+)", re.MULTILINE)
_LOCKED = re.compile(r"no vault secrets|vault password file|Decryption failed", re.IGNORECASE)
_HOST_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:@-]{0,252}")


@dataclass(frozen=True)
class Inventory:
    """The hosts in scope, sorted, with the address that Ansible will use for each.

    `logins` is what to give to ssh by hand: `deploy@192.0.2.11`, '' for this machine itself.
    """

    path: Path
    hosts: tuple[str, ...]
    addresses: dict[str, str]
    logins: dict[str, str] = field(default_factory=dict)


def read_inventory(path: Path, limit: str = "") -> Inventory:
    """The hosts of `path`, reduced by an Ansible host pattern `limit`.

    Raises UsageError for a malformed or empty inventory or an unknown host, in Ansible's own words
    (they name file and line).
    """
    if not path.exists():
        raise UsageError(f"there is no inventory at {path}", "name one with --inventory PATH")
    command = ["ansible-inventory", "-i", str(path), "--list"]
    if limit:
        command += ["--limit", limit]
    environment = {**os.environ, **ansible_environment()}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise CannotRunError(f"ansible-inventory cannot be run: {error}") from error
    unknown = _NO_MATCH.findall(done.stderr)
    if unknown:
        raise UsageError(
            f"--limit names hosts that {path} does not have: {printable(', '.join(unknown))}",
            "correct the pattern; ansible-inventory --graph shows the names",
        )
    if done.returncode != 0:
        hint = ""
        if _LOCKED.search(done.stderr):
            hint = "set ANSIBLE_VAULT_PASSWORD_FILE to the file with the vault's password"
        raise UsageError(f"the inventory {path} cannot be read:\n{_words(done.stderr)}", hint)
    return _reduce(path, json.loads(done.stdout), bool(limit))


def _words(stderr: str) -> str:
    """What is wrong and where, out of Ansible's message, each once."""
    found = [f"{place}: {what}" for what, place in _ORIGIN.findall(stderr) if ":" in place]
    lines = found or [x for x in stderr.splitlines() if x.strip()]
    return "\n".join(f"  {printable(x, 300)}" for x in list(dict.fromkeys(lines))[:8])


def _reduce(path: Path, listing: dict[str, dict[str, Any]], limited: bool) -> Inventory:
    variables = listing.get("_meta", {}).get("hostvars", {})
    names: set[str] = set()
    for group, content in listing.items():
        if group != "_meta":
            members = content.get("hosts", [])
            names.update(str(m) for m in members)
    if not names:
        raise UsageError(
            f"the inventory {path} has no hosts" + (" that match --limit" if limited else ""),
            "add at least one host",
        )
    odd = sorted(n for n in names if not _HOST_NAME.fullmatch(n))
    if odd:
        raise UsageError(
            f"the inventory {path} has a host name that is none: {printable(odd[0])!r}",
            "use letters, digits, '.', '-' and '_'",
        )
    addresses, logins = {}, {}
    for name in names:
        own = variables.get(name, {})
        addresses[name] = printable(own.get("ansible_host", name), 80)
        logins[name] = _login(own, addresses[name])
    return Inventory(path, tuple(sorted(names)), addresses, logins)


def _login(own: dict[str, Any], address: str) -> str:
    """What to type after `ssh`; parts that are templates or odd are left for the reader."""
    if own.get("ansible_connection") == "local":
        return ""
    user, port = own.get("ansible_user", ""), str(own.get("ansible_port", "22"))
    plain = isinstance(user, str) and _HOST_NAME.fullmatch(user)
    words = f"{user}@" if plain else "USER@" if user else ""
    words += address if _HOST_NAME.fullmatch(address) else "ADDRESS"
    return words if port == "22" or not port.isdigit() else f"-p {port} {words}"
