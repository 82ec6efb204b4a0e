"""What the fold takes from signatures on reports: number, signed PDF, the file on record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.journal.fold import IllegalEntry
from orchestrator.model.statement import SignedPdf
from tests.unit.cycles import OFFICERS, Chain, item
from tests.unit.journal.test_fold import done

CERTIFICATE = "c" * 64
VERIFIED, REPORT = "laporan-hasil-update-terverifikasi.pdf", "laporan-hasil-update.pdf"
PDF = SignedPdf(
    name=VERIFIED,
    sha256="a" * 64,
    size=7,
    field="verified",
    certificate=CERTIFICATE,
    data="d" * 64,
)


def drafted() -> Chain:
    """A cycle that waits at step 10; the verifier's certificate is in office.yml."""
    officers = [
        {
            "id": i,
            "role": r,
            "name": f"Contoh {i}",
            "certificates": [CERTIFICATE] if r == "jf" else [],
        }
        for i, r in OFFICERS.items()
    ]
    chain = Chain(officers=officers)
    chain.check(item(1))
    chain.sign(3, "budi")
    chain.sign(4, "rina")
    done(chain)
    chain.sign(8, "siti")
    chain.sign(8, "budi")
    chain.add("step.passed", step=9)
    return chain


def rendered(chain: Chain, name: str, digest: str) -> None:
    chain.add("document.rendered", {"name": name, "sha256": digest, "size": 7}, step=10)


def test_the_number_is_given_at_step_11_only() -> None:
    chain = drafted()
    with pytest.raises(IllegalEntry, match="a number is given in step 11"):
        chain.sign(10, "joko", number="1")
    chain.sign(10, "joko")
    assert chain.state.number == ""
    chain.sign(11, "rina", number="500/0007/2026", serial=7)
    assert (chain.state.number, chain.state.serial) == ("500/0007/2026", 7)


def test_a_signed_pdf_is_bound_to_officer_and_certificate() -> None:
    chain = drafted()
    with pytest.raises(IllegalEntry, match="does not have the certificate"):
        chain.sign(10, "joko", pdf=PDF.model_copy(update={"certificate": "e" * 64}))
    chain.sign(10, "joko", pdf=PDF)
    ((record, pdf),) = chain.state.pdf_signatures(VERIFIED)
    assert (record.officer, pdf) == ("joko", PDF)
    assert chain.state.pdf_signatures(REPORT) == ()


def test_a_pdf_is_signed_at_steps_10_and_11_only() -> None:
    chain = Chain(
        officers=[
            {"id": i, "role": r, "name": i, "certificates": [CERTIFICATE] if r == "analis" else []}
            for i, r in OFFICERS.items()
        ]
    )
    chain.check(item(1))
    with pytest.raises(IllegalEntry, match="steps 10 and 11"):
        chain.sign(3, "budi", pdf=PDF)


def test_a_signed_pdf_is_never_another_file() -> None:
    chain = drafted()
    rendered(chain, VERIFIED, "b" * 64)
    chain.sign(10, "joko", pdf=PDF)
    with pytest.raises(IllegalEntry, match="is signed with a certificate"):
        rendered(chain, VERIFIED, "b" * 64)
    rendered(chain, VERIFIED, PDF.sha256)
    rendered(chain, REPORT, "b" * 64)


def test_a_return_lets_go_of_the_signed_pdf() -> None:
    chain = drafted()
    chain.sign(10, "joko", pdf=PDF)
    chain.sign(11, "rina", decision="return", reason="a host is missing")
    assert chain.state.signed_pdf(VERIFIED) is None
    chain.add("step.passed", step=9)
    rendered(chain, VERIFIED, "b" * 64)


@pytest.mark.parametrize("more", [{}, {"number": ""}, {"pdf": None, "serial": None}])
def test_a_statement_without_them_reads_as_it_did_before(more: dict[str, Any]) -> None:
    text = drafted().statement(10, "joko", **more).canonical()
    assert not {"pdf", "number", "serial"} & set(json.loads(text))
