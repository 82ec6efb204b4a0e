"""Reports signed with certificates, from the command line, on this machine, which is only read."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from orchestrator.journal.book import read_state
from orchestrator.journal.store import read_entries, write_copy
from tests.certificates import PASSPHRASE, Made, certificate
from tests.cli import SOP_RUN, Called
from tests.local.conftest import LocalOffice

VERIFIED, REPORT = "laporan-hasil-update-terverifikasi.pdf", "laporan-hasil-update.pdf"
NUMBER = "500.12.12/0123/2026"


@dataclass(frozen=True)
class Office:
    """An office whose cycle waits at step 10, with certificates for verifier and establisher."""

    local: LocalOffice
    makers: dict[str, Made]

    @property
    def cycle(self) -> Path:
        return self.local.home / "cycles/2026-11"

    @property
    def documents(self) -> Path:
        return self.cycle / "documents"

    def p12(self, officer: str) -> Path:
        return self.local.folder / "keys" / f"{officer}.p12"

    def sign(self, officer: str, *more: str | Path) -> Called:
        """Sign gate and PDF; the passphrase comes from a file."""
        secret = self.local.folder / "keys" / "passphrase"
        words = ("--pdf-key", str(self.p12(officer)), "--pdf-passphrase-file", str(secret))
        return self.local.sign(officer, *words, *map(str, more))

    def audit(self, *more: str | Path) -> Called:
        return self.local.run("audit", "2026-11", *more)

    def rewound(self, seq: int) -> None:
        """The journal as a crash right after entry `seq` would have left it."""
        entries = [e for e in read_entries(self.cycle / "journal.db") if e.seq <= seq]
        for path in (*self.cycle.glob("journal.db*"), *self.cycle.glob("journal.head")):
            path.unlink()
        write_copy(entries, self.cycle / "journal.db")


@pytest.fixture(scope="module")
def _drafted(tmp_path_factory: pytest.TempPathFactory, _checked: LocalOffice) -> Office:
    folder = tmp_path_factory.mktemp("drafted") / "office"
    shutil.copytree(_checked.folder, folder, symlinks=True)
    local = LocalOffice(folder)
    assert local.sign("analis", *local.defer_all()).code == 3
    assert local.sign("kepala").code == 0
    assert local.run("monthly", "--period", "2026-11").code == 3
    makers = {
        "jf": certificate("Contoh Pranata Komputer"),
        "kepala": certificate("Contoh Kepala Bidang"),
    }
    (folder / "keys" / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    for officer, made in makers.items():
        made.p12(folder / "keys" / f"{officer}.p12")
        local.edit_officer(officer, certificates=[made.fingerprint])
    assert local.sign("analis").code == 3
    assert local.sign("pengelola").code == 3
    return Office(local, makers)


@pytest.fixture
def office(tmp_path: Path, _drafted: Office) -> Office:
    shutil.copytree(_drafted.local.folder, tmp_path / "office", symlinks=True)
    return Office(LocalOffice(tmp_path / "office"), _drafted.makers)


def fields(path: Path) -> dict[str, str]:
    found = PdfReader(path).get_fields() or {}
    return {name: str(f.get("/V", "")) for name, f in found.items() if f.get("/FT") == "/Tx"}


def signatures(path: Path) -> list[str]:
    found = PdfReader(path).get_fields() or {}
    return [name for name, f in found.items() if f.get("/FT") == "/Sig" and "/V" in f]


def test_verified_and_established_with_two_certificates(office: Office) -> None:
    verified = office.sign("jf")
    assert verified.code == 3 and VERIFIED in verified.out, verified.text
    assert "--pdf-key FILE.p12" in verified.out and "--number TEXT" in verified.out
    assert signatures(office.documents / VERIFIED) == ["verified"]
    assert "sementara/" in fields(office.documents / VERIFIED)["number"]
    assert office.audit().code == 0
    assert office.sign("kepala", "--number", NUMBER).code == 0
    closed = office.local.run("monthly", "--period", "2026-11")
    assert "Cycle 2026-11 is closed" in closed.out, closed.text
    assert signatures(office.documents / REPORT) == ["verified", "established"]
    assert fields(office.documents / REPORT)["number"] == NUMBER

    audit = office.audit()
    assert audit.code == 0, audit.text
    for step, officer, name in ((10, "jf", VERIFIED), (10, "jf", REPORT), (11, "kepala", REPORT)):
        assert f"PDF signature: {name}, step {step} by {officer}" in audit.out
    archive = office.local.home / "archive/2026/2026-11"
    assert office.local.run("audit", archive).code == 0
    trusted = office.local.folder / "roots.pem"
    pems = [m.pem(office.local.folder / "x.pem").read_text() for m in office.makers.values()]
    trusted.write_text("".join(pems), encoding="utf-8")
    assert office.audit("--trust-pdf", trusted).code == 0
    stranger = certificate("Otoritas", authority=True).pem(office.local.folder / "other.pem")
    refused = office.audit("--trust-pdf", stranger)
    assert refused.code == 1 and "First failure: PDF signature" in refused.out
    assert office.audit("--trust-pdf", office.local.key("jf")).code == 2
    no_secret_was_kept(office)


def no_secret_was_kept(office: Office) -> None:
    for path in office.local.folder.rglob("*"):
        if path.is_file() and path.parent.name != "keys":
            data = path.read_bytes()
            assert PASSPHRASE.encode() not in data, path
            assert b"PRIVATE KEY" not in data, path


def test_what_is_refused_is_refused_before_anything_is_recorded(office: Office) -> None:
    head = office.local.facts()["journal_head"]
    jf, secret = office.local.key("jf"), office.local.folder / "keys" / "passphrase"
    wrong = office.local.folder / "keys" / "wrong"
    wrong.write_text("salah", encoding="utf-8")
    base = ("sign", "2026-11", "--as", "jf", "--key", jf)
    cases: list[tuple[tuple[str | Path, ...], str]] = [
        (("--pdf-key", office.p12("jf"), "--pdf-passphrase-file", wrong), "passphrase is wrong"),
        (("--pdf-key", office.p12("kepala"), "--pdf-passphrase-file", secret), "names 'Contoh Ke"),
        (("--pdf-passphrase-file", secret), "goes with --pdf-key"),
        (("--number", "7"), "at step 11 only"),
    ]
    for words, message in cases:
        called = office.local.run(*base, *words)
        assert (called.code, message in called.err) == (2, True), (words, called.text)
        assert "salah" not in called.text and PASSPHRASE not in called.text
    with_wrong_ssh_key = office.local.run(
        "sign", "2026-11", "--as", "jf", "--key", office.local.key("kepala"),
        "--pdf-key", office.p12("jf"), "--pdf-passphrase-file", secret,
    )  # fmt: skip
    assert with_wrong_ssh_key.code == 2, with_wrong_ssh_key.text
    assert office.local.facts()["journal_head"] == head
    assert not list(office.cycle.glob("signed/*")), "no signed PDF is left of it"
    assert not (office.documents / VERIFIED).exists()


def test_the_passphrase_from_the_environment_and_from_the_terminal(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOP_RUN_PDF_PASSPHRASE", PASSPHRASE)
    assert office.local.sign("jf", "--pdf-key", str(office.p12("jf"))).code == 3
    monkeypatch.delenv("SOP_RUN_PDF_PASSPHRASE")
    words = ["sign", "2026-11", "--as", "kepala", "--key", str(office.local.key("kepala"))]
    words += ["--pdf-key", str(office.p12("kepala")), "--inventory", str(office.local.inventory)]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(SOP_RUN), *words], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as asked:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                if b"Passphrase of" in chunk:
                    os.write(ours, PASSPHRASE.encode() + b"\n")
                shown += chunk
        except OSError:
            pass  # the other end was closed: the call is over
    os.close(ours)
    assert asked.returncode == 0, shown.decode()
    assert b"Passphrase of" in shown and PASSPHRASE.encode() not in shown
    assert signatures(office.documents / REPORT) == ["verified", "established"]


def test_tampering_is_found_and_named(office: Office) -> None:
    assert office.sign("jf").code == 3
    path = office.documents / VERIFIED
    good = path.read_bytes()
    resaved = BytesIO()
    PdfWriter(clone_from=PdfReader(BytesIO(good))).write(resaved)
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for bad in (bytes(flipped), resaved.getvalue(), good + b"\n% more\n"):
        path.write_bytes(bad)
        called = office.audit()
        assert called.code == 1, called.text
        assert f"FAIL  PDF signature: {VERIFIED}, step 10 by jf" in called.out
    refused = office.sign("kepala")
    assert refused.code == 2 and "changed since" in refused.err
    assert "put back" in office.local.run("documents", "2026-11").out
    assert path.read_bytes() == good
    assert office.audit().code == 0


def test_documents_never_makes_a_signed_pdf_again(office: Office) -> None:
    assert office.sign("jf").code == 3
    path = office.documents / VERIFIED
    good = path.read_bytes()
    path.unlink()
    shutil.rmtree(office.cycle / "signed")
    lost = office.local.run("documents", "2026-11")
    assert f"{VERIFIED}: is signed with a certificate and cannot be made again" in lost.out
    assert not path.exists()
    refused = office.local.run("monthly", "--period", "2026-11")
    assert refused.code == 4 and "put it back from a backup" in refused.err
    path.write_bytes(good)
    assert office.local.run("monthly", "--period", "2026-11").code == 3


def test_a_crash_between_signing_and_journal(office: Office) -> None:
    before = read_state(office.cycle).seq
    assert office.sign("jf").code == 3
    signed = next(e for e in read_entries(office.cycle / "journal.db") if e.seq > before)
    assert signed.kind == "gate.signed"
    digest = (office.documents / VERIFIED).read_bytes()

    office.rewound(signed.seq)  # the gate is in the journal, the document is not
    (office.documents / VERIFIED).unlink()
    assert office.local.run("monthly", "--period", "2026-11").code == 3
    assert (office.documents / VERIFIED).read_bytes() == digest
    assert office.audit().code == 0

    office.rewound(before)  # the PDF was signed, the gate was not: the officer signs again
    (office.documents / VERIFIED).unlink()
    assert office.local.run("monthly", "--period", "2026-11").code == 3
    assert office.sign("jf").code == 3
    assert office.audit().code == 0
    assert office.sign("kepala").code == 0


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
def test_certificates_at_one_step_only(office: Office, first: bool, second: bool) -> None:
    assert (office.sign("jf") if first else office.local.sign("jf")).code == 3
    assert (office.documents / VERIFIED).is_file()
    assert (office.sign("kepala") if second else office.local.sign("kepala")).code == 0
    assert office.local.run("monthly", "--period", "2026-11").code in (0, 1)
    assert signatures(office.documents / VERIFIED) == (["verified"] if first else [])
    assert signatures(office.documents / REPORT) == (["established"] if second else [])
    assert office.audit().code == 0
    assert "unchanged" in office.local.run("documents", "2026-11").out


def test_sent_back_and_verified_anew(office: Office) -> None:
    assert office.sign("jf").code == 3
    back = ("return", "2026-11", "--as", "kepala", "--key", office.local.key("kepala"))
    assert office.local.run(*back, "--reason", "bagian C").code == 0
    assert office.local.run("monthly", "--period", "2026-11").code == 3
    assert office.local.sign("jf").code == 3
    assert signatures(office.documents / VERIFIED) == [], "the new one, made without certificate"
    assert office.audit().code == 0


def test_what_was_signed_before_a_return_is_kept_beside_what_is_signed_after_it(
    office: Office,
) -> None:
    assert office.sign("jf").code == 3
    first = (office.documents / VERIFIED).read_bytes()
    back = ("return", "2026-11", "--as", "kepala", "--key", office.local.key("kepala"))
    assert office.local.run(*back, "--reason", "bagian C").code == 0
    assert office.local.run("monthly", "--period", "2026-11").code == 3
    assert office.sign("jf").code == 3
    assert (office.documents / VERIFIED).read_bytes() != first
    assert "unchanged" in office.local.run("documents", "2026-11").out
    assert office.sign("kepala").code == 0
    assert office.local.run("monthly", "--period", "2026-11").code in (0, 1)
    assert office.audit().code == 0
    kept = (office.local.home / "archive/2026/2026-11/data/earlier").glob(f"*-{VERIFIED}")
    assert [path.read_bytes() for path in kept] == [first]


def test_numbers_are_counted_through_the_year(office: Office) -> None:
    path = office.local.inventory / "office.yml"
    text = path.read_text(encoding="utf-8")
    before = "number_pattern: 000.0.0/{cycle}/{year}"
    assert before in text
    after = "number_pattern: '500.12.12/{number:04d}/{year}'\n  first_number: 41"
    path.write_text(text.replace(before, after), encoding="utf-8")
    shown = office.local.sign("jf")
    assert shown.code == 3 and "--number TEXT" not in shown.out
    assert office.local.sign("kepala").code == 0
    assert read_state(office.cycle).number == "500.12.12/0041/2026"
    called = office.local.run("documents", "2026-11")
    assert called.code == 0
