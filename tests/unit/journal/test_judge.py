"""What the antivirus phase means for a host: approved versions and a scanner that is proven."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.journal.judge import judge
from orchestrator.model.verdict import Verdict
from tests.unit.cycles import Chain, evidence, item

FOUND: dict[str, Any] = {"class": "antivirus", "name": "Acme signatures", "from": "7", "to": "9"}
NOT_PROVEN = {"code": "av-eicar-not-found", "message": "Acme did not find EICAR", "hint": ""}
FORBIDDEN = {"code": "av-mirror-forbidden", "message": "HTTP/1.0 403 Forbidden", "hint": ""}


@pytest.mark.parametrize(
    ("result", "status", "problems", "verdict", "words"),
    [
        ("updated", "ok", [], Verdict.UPDATED, "1 items"),
        ("updated", "failed", [NOT_PROVEN], Verdict.INCOMPLETE, "did not find EICAR"),
        ("failed", "failed", [FORBIDDEN, NOT_PROVEN], Verdict.INCOMPLETE, "was not updated"),
    ],
)
def test_an_antivirus_that_is_not_proven_is_no_update(
    result: str, status: str, problems: list[dict[str, str]], verdict: Verdict, words: str
) -> None:
    chain = Chain()
    chain.check(item(**FOUND, arch=""))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    chain.run("backup", {"web1": {"evidence": evidence("backup")}})
    answer = evidence("antivirus")
    answer |= {"status": status, "problems": problems, "items": [{**FOUND, "result": result}]}
    chain.run("antivirus", {"web1": {"evidence": answer}})
    chain.run("test", {"web1": {"evidence": evidence("test")}})
    found = judge(chain.state, "web1")
    assert found.verdict is verdict
    assert words in found.reason
