"""What keeps an officer's certificate from signing: each said clearly, before anything is done."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.model.errors import UsageError
from orchestrator.model.office import Officer
from orchestrator.signature.certificate import read_pdf_key, same_person
from tests.certificates import PASSPHRASE, Made, certificate

NAME = "Contoh Pranata Komputer, S.T., M.Kom."


def officer(*made: Made, **more: str) -> Officer:
    pins = [m.fingerprint for m in made]
    return Officer.model_validate(
        {"id": "jf", "role": "jf", "name": NAME, "certificates": pins, **more}
    )


def refused(path: Path, who: Officer, passphrase: str = PASSPHRASE) -> str:
    with pytest.raises(UsageError) as caught:
        read_pdf_key(path, passphrase, who, datetime.now(UTC))
    assert passphrase not in caught.value.message or not passphrase
    return caught.value.message


def test_the_officers_own_certificate_is_taken(tmp_path: Path) -> None:
    made = certificate("CONTOH PRANATA KOMPUTER")
    path = made.p12(tmp_path / "a.p12")
    key = read_pdf_key(path, PASSPHRASE, officer(made), datetime.now(UTC))
    assert key.fingerprint == made.fingerprint and key.subject == "CONTOH PRANATA KOMPUTER"
    assert PASSPHRASE not in repr(key) and "private" not in repr(key)
    bare = made.p12(tmp_path / "b.p12", passphrase="")
    assert read_pdf_key(bare, "", officer(made), datetime.now(UTC)).officer == "jf"


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    made = certificate(NAME)
    path = made.p12(tmp_path / "a.p12")
    assert "the passphrase is wrong" in refused(path, officer(made), "salah")
    assert "the passphrase is wrong" in refused(path, officer(made), "")


def test_files_that_are_no_key(tmp_path: Path) -> None:
    made = certificate(NAME)
    broken = tmp_path / "broken.p12"
    broken.write_bytes(b"\x30\x82 no key at all")
    assert "no PKCS#12 file" in refused(broken, officer(made))
    assert "cannot be read" in refused(tmp_path / "none.p12", officer(made))


@pytest.mark.parametrize("days", [(-30, -1), (1, 30)])
def test_a_certificate_that_is_not_valid_today(tmp_path: Path, days: tuple[int, int]) -> None:
    made = certificate(NAME, days=days)
    assert "is valid from" in refused(made.p12(tmp_path / "a.p12"), officer(made))


def test_a_certificate_of_somebody_else(tmp_path: Path) -> None:
    made = certificate("Contoh Kepala Bidang")
    path = made.p12(tmp_path / "a.p12")
    assert "names 'Contoh Kepala Bidang'" in refused(path, officer(made))
    named = officer(made, certificate_name="Contoh Kepala Bidang")
    assert read_pdf_key(path, PASSPHRASE, named, datetime.now(UTC)).officer == "jf"


def test_a_certificate_that_office_yml_does_not_pin(tmp_path: Path) -> None:
    path = certificate(NAME).p12(tmp_path / "a.p12")
    assert "is not in office.yml" in refused(path, officer(certificate(NAME)))


def test_a_certificate_that_is_for_something_else(tmp_path: Path) -> None:
    made = certificate(NAME, may_sign=False)
    assert "may not be used for signatures" in refused(made.p12(tmp_path / "a.p12"), officer(made))


def test_names_fit_without_titles_and_in_any_case() -> None:
    assert same_person("BUDI SANTOSO", "Budi Santoso, S.Kom., M.T.")
    assert not same_person("Budi", "Budi Santoso, S.Kom.")
    assert not same_person("", "")
    assert not same_person("Budi Santosa", "Budi Santoso")


def test_fingerprints_are_read_as_openssl_prints_them() -> None:
    made = certificate(NAME)
    printed = ":".join(made.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    pinned = Officer.model_validate(
        {"id": "jf", "role": "jf", "name": NAME, "certificates": [printed]}
    )
    assert pinned.certificates == (made.fingerprint,)
