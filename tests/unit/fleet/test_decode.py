"""What is missing, broken or hostile in a host's answer is a failure, never a success."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

import pytest

from hostside.answer import frame
from orchestrator.fleet import decode
from orchestrator.model.canonical import canonical_json
from orchestrator.model.evidence import Outcome, OutcomeKind, Phase
from tests.unit.cycles import evidence


def event(line: str | None, kind: str = "runner_on_ok", **result: Any) -> dict[str, Any]:
    """A runner event with a framed answer."""
    res = {"sop_evidence": line, **result} if line is not None else result
    return {"event": kind, "event_data": {"host": "web1", "res": res}}


def outcome(found: dict[str, Any], transaction: str = "") -> Outcome:
    made = decode.from_event(found, Phase.CHECK, transaction)
    assert made is not None
    return made


def test_good_evidence_is_kept_verbatim() -> None:
    document = evidence("check", facts={"text": "=cmd {{ x }} \x1b[31m ../ é"})
    made = outcome(event(frame(document)))
    assert made.kind is OutcomeKind.EVIDENCE and made.evidence == document


def reframe(raw: bytes, digest: str = "") -> str:
    packed = base64.b64encode(zlib.compress(raw)).decode()
    return f"{decode.MARK} {digest or hashlib.sha256(raw).hexdigest()} {packed}"


GOOD = frame(evidence("check"))
GOOD_JSON = json.dumps(evidence("check")).encode()
ITEM = {"class": "system", "name": "openssl", "from": "1", "to": "2"}


def nested(levels: int) -> bytes:
    """Evidence that no recursion can follow to its end."""
    return GOOD_JSON.replace(b"{}", b'{"x": ' + b"[" * levels + b"]" * levels + b"}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "not framed"),
        ("SOP-RUN-EVIDENCE x", "not framed"),
        (GOOD[:-8], "cannot be unpacked|cut short"),
        (f"{decode.MARK} {'0' * 64} {GOOD.split()[2]}", "checksum"),
        (reframe(b"[]"), "not an object"),
        (reframe(b"{}"), "malformed"),
        (reframe(json.dumps({**evidence("check"), "status": "fine"}).encode()), "malformed"),
        (frame(evidence("check", facts={"tests": ["ok"]})), "malformed"),
        (frame(evidence("check", facts={"tests": {"result": "failed"}})), "malformed"),
        (frame(evidence("check", facts={"backup": "all is well"})), "malformed"),
        (frame(evidence("check", facts={"advisories": {"missing": 7}})), "malformed"),
        (frame(evidence("check", items=[{**ITEM, "size": 2**54}])), "malformed"),
        (frame(evidence("check", facts={"clock": 10**400})), "the number 1000"),
        (frame(evidence("check", items=[{**ITEM, "size": -1}])), "malformed"),
        (reframe(GOOD_JSON.replace(b"1.0", b"NaN")), "the number NaN"),
        (reframe(GOOD_JSON.replace(b"1.0", b"1e999")), "the number 1e999"),
        (reframe(nested(100_000)), "nested deeper"),
        (reframe(nested(900)), "nested deeper"),
        (frame(evidence("update")), "another question"),
        (frame(evidence("check", "other-transaction")), "another question"),
        (reframe(b" " * (decode.MAX_BYTES + 1)), "larger than"),
    ],
)
def test_unusable_evidence_is_a_failure(line: str, words: str) -> None:
    made = outcome(event(line))
    assert made.kind is OutcomeKind.FAILED and made.evidence is None
    assert any(w in made.reason for w in words.split("|")), made.reason


def test_undecodable_bytes_can_be_stored() -> None:
    document = evidence("check", facts={"name": "caf\udce9"})
    made = outcome(event(frame(document)))
    assert made.evidence is not None
    canonical_json(made.body()).encode("utf-8")
    assert made.evidence["facts"]["name"] == "caf?"


def test_an_unreachable_host_and_a_task_that_failed() -> None:
    message = "Task failed: reached over ssh: ssh: connect to host 10.0.0.1 port 22: No route\r\n"
    made = outcome(event(None, "runner_on_unreachable", msg=message))
    assert made.kind is OutcomeKind.UNREACHABLE
    assert made.reason == "connect to host 10.0.0.1 port 22: No route"
    made = outcome(event(None, "runner_on_failed", msg="x", sop_reason="no Python 3"))
    assert (made.kind, made.reason) == (OutcomeKind.FAILED, "no Python 3")
    made = outcome(event(None, "runner_on_failed", msg="Task failed: Timed out after 9 second(s)."))
    assert made.reason == "no answer within 9 s: the host or the connection to it hangs"
    message = "Error rendering template: Attempt to use undecryptable variable: Decryption failed"
    made = outcome(event(None, "runner_on_failed", msg=message))
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in made.reason
    # Dropped by the runner because it was too large: the result is empty.
    assert outcome(event(None)).kind is OutcomeKind.FAILED


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.",
            "changed",
        ),
        ("No ED25519 host key is known for h. Host key verification failed.", "unknown"),
        ("ops@h: Permission denied (publickey).", "login was refused"),
        ("Timeout (17s) waiting for privilege escalation prompt: ", "at the login or from sudo"),
    ],
)
def test_why_a_host_is_unreachable(message: str, words: str) -> None:
    assert words in outcome(event(None, "runner_on_unreachable", msg=message)).reason


@pytest.mark.parametrize("kind", ["runner_on_start", "playbook_on_stats", "runner_item_on_ok"])
def test_other_events_mean_nothing(kind: str) -> None:
    assert decode.from_event(event(GOOD, kind), Phase.CHECK, "") is None


def test_what_a_hypervisor_is_asked_beside_is_no_result_of_its_guest() -> None:
    for result in ({"sop_said": GOOD}, {"sop_said": "", "sop_reason": "it cannot be reached"}):
        assert decode.from_event(event(None, **result), Phase.CHECK, "") is None
    late = event(None, "runner_on_failed", msg="Timed out after 300 second(s).")
    late["event_data"]["ignore_errors"] = True
    assert decode.from_event(late, Phase.CHECK, "") is None
    late["event_data"]["ignore_errors"] = False
    assert outcome(late).kind is OutcomeKind.FAILED
