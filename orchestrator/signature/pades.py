"""PAdES-B-B signatures on reports (ETSI EN 319 142-1): made and checked by pyHanko, offline.

Each signature is an increment: the bytes before it stay as they are, so the first one is still
good when the second is added. Fields are made with the first signature; later ones only fill them.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from orchestrator.model.errors import CannotRunError
from orchestrator.signature.certificate import PdfKey
from orchestrator.signature.fields import Look, Place


class _Increment(IncrementalPdfFileWriter):
    """An increment that leaves the metadata alone: what typst wrote is what PDF/A wants."""

    def _update_meta(self) -> None:
        pass


def sign_pdf(
    data: bytes,
    key: PdfKey,
    field: str,
    looks: Mapping[str, Look],
    looks_pdf: bytes,
    *,
    places: Sequence[Place] = (),
    signatures: Sequence[str] = (),
    reason: str = "",
    location: str = "",
) -> bytes:
    """The PDF with one more signature, in `field`, and with the other `looks` filled in.

    `places` are the fields to make first: those named in `signatures` for signatures, the others
    for text. Raises CannotRunError unless each look has one page: else they would be mixed up.
    """
    pages = PdfFileReader(io.BytesIO(looks_pdf)).root["/Pages"]["/Count"]
    if pages != len(looks):
        raise CannotRunError(
            f"the looks of the PDF's fields have {pages} pages instead of {len(looks)}",
            "nothing was signed: correct field.typ in report_templates/typst",
        )
    # Without a line end before the increment, the first signature would break PDF/A.
    writer = _Increment(io.BytesIO(data if data.endswith(b"\n") else data + b"\n"))
    with tempfile.NamedTemporaryFile(prefix="sop-run-", suffix=".pdf") as file:
        file.write(looks_pdf)
        file.flush()
        for place in places:
            make = _signature_field if place.name in signatures else _text_field
            make(writer, place)
        for widget in _widgets(writer):
            name = str(widget.get("/T", ""))
            if name in looks and name != field:
                page = ImportedPdfPage(file.name, looks[name].page)
                _fill(writer, widget, looks[name].text, page)
        metadata = PdfSignatureMetadata(
            field_name=field,
            subfilter=SigSeedSubFilter.PADES,
            md_algorithm="sha256",
            name=key.subject,
            reason=reason or None,
            location=location or None,
        )
        stamp = StaticStampStyle(
            border_width=0,
            background=ImportedPdfPage(file.name, looks[field].page),
            background_layout=SimpleBoxLayoutRule(
                x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID
            ),
        )
        out = io.BytesIO()
        PdfSigner(metadata, signer=_signer(key), stamp_style=stamp).sign_pdf(writer, output=out)
    return out.getvalue()


def field_sizes(data: bytes) -> dict[str, tuple[float, float]]:
    """Width and height of each form field, in points."""
    sizes = {}
    for widget in _widgets(PdfFileReader(io.BytesIO(data))):
        x1, y1, x2, y2 = (float(edge) for edge in widget["/Rect"])
        sizes[str(widget["/T"])] = (x2 - x1, y2 - y1)
    return sizes


def _signer(key: PdfKey) -> SimpleSigner:
    private = key.private_key.private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )  # in memory only
    store = SimpleCertificateStore()
    store.register_multiple(_asn1(c) for c in (key.certificate, *key.chain))
    return SimpleSigner(
        signing_cert=_asn1(key.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _rectangle(place: Place) -> list[float]:
    corners = (place.x, place.y, place.x + place.width, place.y + place.height)
    return [round(corner, 2) for corner in corners]


def _signature_field(writer: IncrementalPdfFileWriter, place: Place) -> None:
    box = tuple(round(edge) for edge in _rectangle(place))
    spec = SigFieldSpec(place.name, on_page=place.page, box=box)  # type: ignore[arg-type]
    append_signature_field(writer, spec)
    # PDF/A wants an appearance of every field, also of one that nobody has signed yet.
    blank = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(
                generic.FloatObject(edge) for edge in (0, 0, place.width, place.height)
            ),
            pdf_name("/Resources"): generic.DictionaryObject(),
        },
        stream_data=b"",
    )
    widget = next(w for w in _widgets(writer) if w["/T"] == place.name)
    widget[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(blank)})
    writer.update_container(widget)


def _text_field(writer: IncrementalPdfFileWriter, place: Place) -> None:
    page, _ = writer.find_page_for_modification(place.page)
    widget = generic.DictionaryObject(
        {
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): pdf_string(place.name),
            pdf_name("/V"): pdf_string(""),
            pdf_name("/Ff"): generic.NumberObject(1),  # read only
            pdf_name("/DA"): pdf_string("0 g"),
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/F"): generic.NumberObject(4),  # printed
            pdf_name("/P"): page,
            pdf_name("/Rect"): generic.ArrayObject(
                [generic.FloatObject(edge) for edge in _rectangle(place)]
            ),
        }
    )
    reference = writer.add_object(widget)
    writer.register_annotation(page, reference)
    if "/AcroForm" not in writer.root:
        empty = generic.DictionaryObject({pdf_name("/Fields"): generic.ArrayObject()})
        writer.root[pdf_name("/AcroForm")] = writer.add_object(empty)
        writer.update_root()
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(reference)
    writer.update_container(fields)


def _widgets(pdf: PdfHandler) -> Iterator[Any]:
    for field in pdf.trailer_view["/Root"]["/AcroForm"]["/Fields"]:
        yield field.get_object()


def _fill(writer: IncrementalPdfFileWriter, widget: Any, text: str, page: ImportedPdfPage) -> None:
    page.set_writer(writer)
    look = writer.add_object(page.as_form_xobject())
    widget[pdf_name("/V")] = pdf_string(text)
    widget[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): look})
    writer.update_container(widget)
