"""Runner events → outcomes. What is missing, broken or too large is a failure, never a success."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
from typing import Any

from pydantic import ValidationError

from orchestrator.model.evidence import Evidence, Outcome, OutcomeKind, Phase
from orchestrator.model.text import printable

MARK = "SOP-RUN-EVIDENCE"
MAX_BYTES = 32 * 1024 * 1024
"""Evidence beyond this many bytes is refused: memory stays bounded whatever a host sends."""
MAX_DEPTH = 40
_TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"


def decode(line: str) -> dict[str, Any]:
    """The evidence in a framed line; raises ValueError saying what is wrong with it."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != MARK:
        raise ValueError("it is not framed")
    try:
        unpack = zlib.decompressobj()
        raw = unpack.decompress(base64.b64decode(parts[2], validate=True), MAX_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"it cannot be unpacked ({error})") from error
    if not unpack.eof:
        raise ValueError(f"it is cut short or larger than {MAX_BYTES} bytes")
    if hashlib.sha256(raw).hexdigest() != parts[1]:
        raise ValueError("its checksum is wrong")
    try:
        document = json.loads(raw, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        _check_depth(document)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    # Lone surrogates (undecodable bytes on the host) cannot be stored as UTF-8: replace them.
    plain = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    document = json.loads(plain)
    if not isinstance(document, dict):
        raise ValueError("it is not an object")
    return document


def _finite(text: str) -> float:
    """A number that the journal can hold; raises ValueError for NaN, Infinity and 1e999."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it has the number {printable(text, 20)}")
    return value


def _whole(text: str) -> int:
    """A whole number that every reader can hold; raises ValueError for a larger one."""
    value = int(text)
    if abs(value) >= 2**63:
        raise ValueError(f"it has the number {printable(text, 20)}")
    return value


def _check_depth(document: Any) -> None:
    """Raise ValueError where it is nested deeper than any evidence is, and than can be recorded."""
    todo = [(document, 1)]
    while todo:
        value, depth = todo.pop()
        if not isinstance(value, dict | list):
            continue
        if depth > MAX_DEPTH:
            raise ValueError(_TOO_DEEP)
        todo += [(v, depth + 1) for v in (value.values() if isinstance(value, dict) else value)]


# What ssh says, and what an operator should do about it.
_SSH_WORDS = (
    (
        re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "its host key has changed: find out why, compare it on the host, then correct known_hosts",
    ),
    (
        re.compile(r"Host key verification failed"),
        "its host key is unknown: compare it on the host, then add it to known_hosts",
    ),
    (
        re.compile(r"waiting for privilege escalation prompt"),
        "no answer in time, at the login or from sudo: try `ssh HOST sudo -v` by hand",
    ),
    (re.compile(r"Permission denied"), "the login was refused: check user and key"),
)
_LATE = re.compile(r"Timed out after (\d+) second")
_ENCRYPTED = re.compile(r"no vault secrets|Decryption failed|undecryptable")
_SSH_ERROR = re.compile(r"ssh: (?!ssh:)(.+?)(?:\.\s|$)", re.DOTALL)


def why_unreachable(message: str) -> str:
    """The cause in plain words, out of Ansible's long message."""
    for pattern, words in _SSH_WORDS:
        if pattern.search(message):
            return words
    error = _SSH_ERROR.search(message)
    return printable(error[1] if error else message or "no connection", 300)


def failed(host: str, phase: Phase, reason: str) -> Outcome:
    """An outcome without evidence from a host that was reached."""
    return Outcome(host=host, phase=phase, kind=OutcomeKind.FAILED, reason=printable(reason, 600))


def from_evidence(host: str, phase: Phase, transaction: str, line: str) -> Outcome:
    """The outcome that a framed answer means; a wrong phase or transaction is a failure."""
    try:
        document = decode(line)
        evidence = Evidence.model_validate(document)
        if phase is Phase.CHECK:
            _ = evidence.new_packages, evidence.removals  # they enter the plan: read them now
    except ValidationError as error:
        first = error.errors()[0]
        return failed(host, phase, f"its evidence is malformed: {first['loc']} {first['msg']}")
    except ValueError as error:
        return failed(host, phase, f"its evidence is unusable: {error}")
    if evidence.phase != phase or evidence.transaction != transaction:
        return failed(host, phase, "its evidence answers another question")
    return Outcome(host=host, phase=phase, kind=OutcomeKind.EVIDENCE, evidence=document)


def from_event(event: dict[str, Any], phase: Phase, transaction: str) -> Outcome | None:
    """The outcome in a runner event, or None when the event is not a host's result."""
    kind = event.get("event")
    data = event.get("event_data") or {}
    host = data.get("host")
    if not host or kind not in ("runner_on_ok", "runner_on_failed", "runner_on_unreachable"):
        return None
    result = data.get("res") or {}
    if "sop_said" in result or data.get("ignore_errors"):
        return None  # what a guest's hypervisor was asked beside: the guest's own task tells it
    if kind == "runner_on_unreachable":
        return Outcome(
            host=host,
            phase=phase,
            kind=OutcomeKind.UNREACHABLE,
            reason=why_unreachable(str(result.get("msg", ""))),
        )
    line = result.get("sop_evidence")
    if kind == "runner_on_ok" and isinstance(line, str):
        return from_evidence(host, phase, transaction, line)
    words = str(result.get("sop_reason") or result.get("msg") or "no evidence")
    return failed(host, phase, _why_failed(words))


def _why_failed(words: str) -> str:
    """The cause in plain words, where the task ended before the program could say anything."""
    if late := _LATE.search(words):
        return f"no answer within {late[1]} s: the host or the connection to it hangs"
    if _ENCRYPTED.search(words):
        return (
            "a variable of this host is encrypted and cannot be read: set "
            "ANSIBLE_VAULT_PASSWORD_FILE to the file with the vault's password"
        )
    return words.removeprefix("Task failed: ")
