"""Reports signed with certificates: one signature, then two, PDF/A still, and no way to tamper."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.stamp import TextStampStyle
from pypdf import PdfReader, PdfWriter

from orchestrator.documents.names import DocumentName
from orchestrator.documents.signing import FIELD, Act, looks_of, signable
from orchestrator.journal.state import CycleState
from orchestrator.model.errors import CannotRunError
from orchestrator.signature.certificate import PdfKey, read_pdf_key
from orchestrator.signature.fields import Expected
from orchestrator.signature.pades import field_sizes, sign_pdf
from orchestrator.signature.pades_check import check_pdf, read_roots
from tests.certificates import PASSPHRASE, Made, certificate
from tests.unit.documents.sample import STATES, normal

NUMBER = "500.12.12/0123/2026"
JF, KEPALA = "Contoh Pranata Komputer", "Contoh Kepala Bidang"


@dataclass(frozen=True)
class Signed:
    """A report with one and with two signatures, and who made them."""

    one: bytes
    two: bytes
    makers: tuple[Made, Made]
    at: str

    def expected(self, number: int = 2) -> list[Expected]:
        return [
            Expected(field, made.fingerprint, self.at)
            for field, made in zip(FIELD.values(), self.makers, strict=True)
        ][:number]


def pinned(state: CycleState, officer: str, made: Made, folder: Path) -> tuple[CycleState, PdfKey]:
    """The state with the certificate in office.yml, and the key as the program reads it."""
    officers = tuple(
        o.model_copy(update={"certificates": (made.fingerprint,)}) if o.id == officer else o
        for o in state.office.officers
    )
    state.office = state.office.model_copy(update={"officers": officers})
    who = state.office.officer(officer)
    assert who is not None
    path = made.p12(folder / f"{officer}.p12")
    return state, read_pdf_key(path, PASSPHRASE, who, made.certificate.not_valid_after_utc)


def sign_both(folder: Path, kind: str = "normal", note: str = "") -> Signed:
    makers = (certificate(JF), certificate(KEPALA))
    at = makers[0].certificate.not_valid_after_utc.isoformat()

    def state_at(step: int) -> CycleState:
        state = STATES[kind](step)
        letters = state.office.letters.model_copy(update={"electronic_signature_note": note})
        state.office = state.office.model_copy(update={"letters": letters})
        return state

    state, key = pinned(state_at(9), "pranata", makers[0], folder)
    officer = state.office.officer("pranata")
    assert officer is not None
    act = Act(10, officer, key.fingerprint, at, "")
    made = signable(DocumentName.VERIFIED_REPORT, state, act)
    sizes = {p.name: (p.width, p.height) for p in made.places}
    looks, pictures = looks_of(state, act, made.data_sha256, sizes)
    fields = tuple(FIELD.values())
    one = sign_pdf(
        made.pdf, key, "verified", looks, pictures, places=made.places, signatures=fields
    )
    state, key = pinned(state_at(10), "kepala", makers[1], folder)
    officer = state.office.officer("kepala")
    assert officer is not None
    act = Act(11, officer, key.fingerprint, at, NUMBER)
    looks, pictures = looks_of(state, act, made.data_sha256, field_sizes(one))
    return Signed(one, sign_pdf(one, key, "established", looks, pictures), makers, at)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return sign_both(tmp_path_factory.mktemp("keys"))


def test_one_and_two_signatures_hold(signed: Signed) -> None:
    assert check_pdf(signed.one, signed.expected(1)) == [""]
    assert check_pdf(signed.two, signed.expected()) == ["", ""]
    assert signed.two.startswith(signed.one), "the second is an increment of the first"


@pytest.mark.parametrize("number", [1, 2])
def test_it_is_still_pdf_a_with_its_attachment(signed: Signed, number: int) -> None:
    pdf = PdfReader(io.BytesIO(signed.one if number == 1 else signed.two))
    root = pdf.trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in xmp
    assert "/NeedAppearances" not in root["/AcroForm"]
    for field in root["/AcroForm"]["/Fields"]:
        widget = field.get_object()
        assert "/N" in widget["/AP"], "every field has an appearance"
        assert int(widget["/F"]) & 4, "and is printed"
        assert "/A" not in widget and "/AA" not in widget
    (data,) = pdf.attachments["data.json"]
    assert json.loads(data)["document"] == DocumentName.VERIFIED_REPORT.value
    code = str(pdf.get_fields()["qr"]["/V"])
    assert sha256(data).hexdigest() in code and "2026-11" in code


def test_the_increment_begins_on_a_line_of_its_own(signed: Signed) -> None:
    ends = [i for i in range(len(signed.two)) if signed.two.startswith(b"%%EOF", i)]
    assert len(ends) == 3
    assert all(signed.two[end + 5 : end + 6] in (b"\n", b"\r") for end in ends[:-1])


def test_the_number_and_the_day_come_with_the_establishment(signed: Signed) -> None:
    one = PdfReader(io.BytesIO(signed.one)).get_fields()
    two = PdfReader(io.BytesIO(signed.two)).get_fields()
    assert one["number"]["/V"] == "sementara/500.12.12/2026-11/XI/2026"
    assert two["number"]["/V"] == NUMBER and NUMBER in str(two["qr"]["/V"])
    assert "…" in str(one["date"]["/V"]) and "…" not in str(two["date"]["/V"])


def looks_text(pdf: bytes) -> str:
    """The text of all fields' appearances."""
    out = PdfWriter()
    reader = PdfReader(io.BytesIO(pdf))
    words = []
    for field in reader.trailer["/Root"]["/AcroForm"]["/Fields"]:
        look = field.get_object()["/AP"]["/N"].get_object()
        page = out.add_blank_page(300, 100)
        forms = look["/Resources"].get("/XObject", {})
        for form in [look, *(f.get_object() for f in forms.values())]:
            page[pypdf_name("/Resources")] = form["/Resources"]
            page[pypdf_name("/Contents")] = stream_of(form.get_data())
            words.append(page.extract_text())
    return "\n".join(words)


def pypdf_name(name: str) -> object:
    from pypdf.generic import NameObject

    return NameObject(name)


def stream_of(data: bytes) -> object:
    from pypdf.generic import StreamObject

    stream = StreamObject()
    stream.set_data(data)
    return stream


def test_stamps_name_the_officer_and_no_authority_that_is_not_configured(
    signed: Signed, tmp_path: Path
) -> None:
    words = looks_text(signed.two)
    assert "Contoh Pranata Komputer, S.T., M.Kom." in words
    assert "Contoh Kepala Bidang, S.Kom., M.T." in words
    assert "Ditandatangani secara elektronik" in words and NUMBER in words.replace("\u200b", "")
    assert "BSrE" not in words
    note = "Ditandatangani secara elektronik dengan sertifikat BSrE"
    shown = looks_text(sign_both(tmp_path, note=note).two)
    assert note in " ".join(shown.split())


def test_hostile_texts_are_signed_as_well(tmp_path: Path) -> None:
    made = sign_both(tmp_path, "hostile")
    assert check_pdf(made.two, made.expected()) == ["", ""]


def refused(pdf: bytes, expected: list[Expected]) -> str:
    faults = check_pdf(pdf, expected)
    assert any(faults), "it was taken"
    return " ".join(faults)


def test_a_flipped_byte_anywhere(signed: Signed) -> None:
    first = len(signed.one)
    for at in (100, first // 2, first - 40_000, first + 2_000, len(signed.two) - 200):
        pdf = bytearray(signed.two)
        pdf[at] ^= 1
        refused(bytes(pdf), signed.expected())


def stamped(pdf: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    style = TextStampStyle(stamp_text="LUNAS")
    style.create_stamp(writer, None, {}).apply(0, 100, 400)  # type: ignore[arg-type]
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_an_added_stamp(signed: Signed) -> None:
    assert "added" in refused(stamped(signed.two), signed.expected())
    assert "added" in refused(stamped(signed.one), signed.expected(1))


def test_a_stamp_between_the_signatures(signed: Signed, tmp_path: Path) -> None:
    state, key = pinned(normal(10), "kepala", signed.makers[1], tmp_path)
    officer = state.office.officer("kepala")
    assert officer is not None
    between = stamped(signed.one)
    act = Act(11, officer, key.fingerprint, signed.at, NUMBER)
    looks, pictures = looks_of(state, act, "0" * 64, field_sizes(between))
    two = sign_pdf(between, key, "established", looks, pictures)
    first, second = check_pdf(two, signed.expected())
    assert "other than the fields" in first and second == ""


def test_a_resave(signed: Signed) -> None:
    for pdf, number in ((signed.one, 1), (signed.two, 2)):
        out = io.BytesIO()
        PdfWriter(clone_from=PdfReader(io.BytesIO(pdf))).write(out)
        refused(out.getvalue(), signed.expected(number))


def test_a_number_that_is_filled_in_after_the_last_signature(signed: Signed) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(signed.two))
    field = next(
        f.get_object()
        for f in writer.root["/AcroForm"]["/Fields"]
        if f.get_object()["/T"] == "number"
    )
    assert isinstance(field, generic.DictionaryObject)
    field[pdf_name("/V")] = pdf_string("999")
    writer.update_container(field)
    out = io.BytesIO()
    writer.write(out)
    assert "added" in refused(out.getvalue(), signed.expected())


def test_signatures_that_are_missing_or_by_others(signed: Signed) -> None:
    assert "other signatures" in refused(signed.one, signed.expected())
    assert "other signatures" in refused(signed.two, signed.expected(1))
    other = Expected("verified", certificate(JF).fingerprint, signed.at)
    assert "another certificate" in refused(signed.one, [other])
    assert "cannot be read" in refused(b"%PDF-1.7 nothing", signed.expected())
    assert "cannot be read" in refused(b"", signed.expected())


def test_a_certificate_that_had_expired_by_the_journal(signed: Signed) -> None:
    late = Expected("verified", signed.makers[0].fingerprint, "2999-01-01T00:00:00+00:00")
    assert "valid from" in refused(signed.one, [late])


def test_authorities_that_an_auditor_trusts(tmp_path: Path) -> None:
    root, stranger = (certificate(n, authority=True) for n in ("Otoritas", "Otoritas Lain"))
    made = certificate(JF, issuer=root)
    state, key = pinned(normal(9), "pranata", made, tmp_path)
    officer = state.office.officer("pranata")
    assert officer is not None
    at = made.certificate.not_valid_after_utc.isoformat()
    act = Act(10, officer, key.fingerprint, at, "")
    base = signable(DocumentName.VERIFIED_REPORT, state, act)
    sizes = {p.name: (p.width, p.height) for p in base.places}
    looks, pictures = looks_of(state, act, base.data_sha256, sizes)
    pdf = sign_pdf(
        base.pdf, key, "verified", looks, pictures, places=base.places, signatures=("verified",)
    )
    expected = [Expected("verified", made.fingerprint, at)]
    assert check_pdf(pdf, expected) == [""]
    assert check_pdf(pdf, expected, read_roots(root.pem(tmp_path / "root.pem"))) == [""]
    other = read_roots(stranger.pem(tmp_path / "other.pem"))
    assert "not trusted" in check_pdf(pdf, expected, other)[0]


LONG = "Prof. Dr. Ir. Contoh Kusumawardhani Notonegoro Hadiningrat, S.Kom., M.Kom., M.T., Ph.D."
NOTE = "Ditandatangani secara elektronik dengan sertifikat dari penyelenggara bernama panjang " * 2


@pytest.mark.parametrize(
    "words", ["B/500.12.12.3/" + "BIDANG-PERSANDIAN-" * 4 + "/2026", "x" * 200]
)
def test_words_too_long_for_their_field_stay_in_it(words: str) -> None:
    """A look that needed a second page put all looks after it into other fields."""
    state = normal(10)
    letters = state.office.letters.model_copy(update={"electronic_signature_note": NOTE})
    officers = tuple(o.model_copy(update={"name": LONG}) for o in state.office.officers)
    state.office = state.office.model_copy(update={"letters": letters, "officers": officers})
    officer = state.office.officer("kepala")
    assert officer is not None
    act = Act(11, officer, "ab" * 32, "2026-11-20T01:00:00Z", words)
    sizes = {"number": (400.0, 14.0), "qr": (210.0, 68.0), "established": (210.0, 49.6)}
    looks, pictures = looks_of(state, act, "0" * 64, {**sizes, "date": (210.0, 14.0)})
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pictures)).pages]
    assert len(pages) == len(looks) == 4
    squeezed = ["".join(page.replace("\u200b", "").split()) for page in pages]
    assert words in squeezed[looks["number"].page], "to its last letter"
    stamp = squeezed[looks["established"].page]
    assert "Ph.D." in stamp and "SHA-256" in stamp
    assert "20November2026" in squeezed[looks["date"].page]


def test_looks_of_other_pages_than_fields_are_refused(tmp_path: Path) -> None:
    made = certificate(JF)
    at = made.certificate.not_valid_after_utc.isoformat()
    state, key = pinned(normal(9), "pranata", made, tmp_path)
    officer = state.office.officer("pranata")
    assert officer is not None
    act = Act(10, officer, key.fingerprint, at, "")
    base = signable(DocumentName.VERIFIED_REPORT, state, act)
    looks, pictures = looks_of(state, act, base.data_sha256, {"verified": (210.0, 50.0)})
    more = {**looks, "date": looks["verified"]}
    with pytest.raises(CannotRunError, match="1 pages instead of 2"):
        sign_pdf(base.pdf, key, "verified", more, pictures, places=base.places)
