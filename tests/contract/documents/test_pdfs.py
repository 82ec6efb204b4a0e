"""The PDFs as a reader and an archive see them: checks 3, 4, 5 and 7 of a document."""

from __future__ import annotations

import json
import re

import pytest
from pypdf import PdfReader

from orchestrator.documents import DocumentName, render
from orchestrator.documents.content.build import build_content
from orchestrator.documents.content.labels import load_labels
from orchestrator.documents.pdf.typeset import ATTACHMENT, content_json
from orchestrator.documents.templates import SHIPPED
from orchestrator.journal.state import Note
from orchestrator.model.evidence import Phase
from orchestrator.sop.procedure import ROLE_NAMES
from tests.unit.documents.extreme import EXTREMES, incidental, large, many_items, rehearsed
from tests.unit.documents.sample import STATES, all_failed, at, normal, unreachable

REPORT, DRAFT = DocumentName.REPORT, DocumentName.DRAFT_REPORT
LANDSCAPE = (DocumentName.CHECK_LIST_PDF, DocumentName.UPDATE_RECORD_PDF)
PDFS = [n for n in DocumentName if n.value.endswith(".pdf")]
LABELS = load_labels(SHIPPED)
ALL = {**STATES, **EXTREMES}
SIGNERS = {
    DocumentName.ORDER: {"kepala"},
    DocumentName.MONITORING: {"pranata"},
    DocumentName.MINUTES: {"pengelola", "analis"},
    DRAFT: {"pengelola", "pranata", "kepala"},
    REPORT: {"pengelola", "pranata", "kepala"},
}


def read(folder, name, state):
    return PdfReader(render(name, state, folder).path)


def words_of(pdf):
    """All text without white space and break marks: tables wrap where they like."""
    return squeeze("".join(page.extract_text() for page in pdf.pages))


def squeeze(text):
    return re.sub(r"[\s\u200b\u00a0]", "", text)


def fonts_of(pdf):
    for page in pdf.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            yield font.get_object()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", PDFS)
def test_it_can_be_archived(tmp_path, kind, name):
    state = ALL[kind](11)
    pdf = read(tmp_path, name, state)
    root = pdf.trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in xmp
    assert str(root["/Lang"]).startswith("id")
    wanted = (215, 330) if state.office.letters.paper == "f4" else (210, 297)
    if name in LANDSCAPE:
        wanted = wanted[::-1]
    for page in pdf.pages:
        size = (float(page.mediabox.width), float(page.mediabox.height))
        assert size == pytest.approx([mm / 25.4 * 72 for mm in wanted], abs=0.5)
    for font in fonts_of(pdf):
        kid = font["/DescendantFonts"][0].get_object()
        descriptor = kid["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
        assert "LiberationSans" in str(font["/BaseFont"])


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", PDFS)
def test_the_attachment_is_the_content(tmp_path, kind, name):
    state = ALL[kind](11)
    attached = read(tmp_path, name, state).attachments[ATTACHMENT]
    assert attached == [content_json(build_content(name, state, LABELS))]
    assert json.loads(attached[0])["cycle"] == state.cycle


@pytest.mark.parametrize("name", SIGNERS)
def test_every_signer_has_position_name_rank_and_nip(tmp_path, name):
    state = normal()
    words = words_of(read(tmp_path, name, state))
    for officer in state.office.officers:
        if officer.id in SIGNERS[name]:
            block = [ROLE_NAMES[officer.role], officer.name, officer.rank, f"NIP {officer.nip}"]
            assert all(squeeze(word) in words for word in block), officer.id
        else:
            assert squeeze(officer.nip) not in words


@pytest.mark.parametrize("name", [DocumentName.MINUTES, DRAFT, REPORT])
def test_every_host_of_a_large_cycle_is_named(tmp_path, name):
    state = large()
    words = words_of(read(tmp_path, name, state))
    assert all(squeeze(host) in words for host in state.hosts)


@pytest.mark.parametrize("name", [DocumentName.MINUTES, DRAFT, REPORT])
def test_every_host_is_named(tmp_path, name):
    state = normal()
    words = words_of(read(tmp_path, name, state))
    assert all(squeeze(host) in words for host in state.hosts)
    assert "Dikembalikankeversisemula" in words
    assert "Tidakdapatdihubungi" in words


def test_the_report_names_every_item_step_and_signer(tmp_path):
    state = normal()
    words = words_of(read(tmp_path, REPORT, state))
    for item in state.plan.items:
        assert squeeze(item.name) in words
        assert squeeze(item.from_version) in words
    for officer in state.office.officers:
        assert squeeze(officer.name) in words
    for officer in state.office.officers:
        if officer.role != "analis":  # the analyst signs the minutes, not the report
            assert squeeze(officer.rank) in words
            assert squeeze(officer.nip) in words
    for wanted in ("JFPranataKomputerAhliMuda", "1.244", "Lewat1.229", "LAPORAN",
                   "A.Pendahuluan", "E.Penutup", "Undang-UndangNomor25Tahun2009"):  # fmt: skip
        assert wanted in words


def test_the_report_shows_all_signatures(tmp_path):
    state = normal()
    words = words_of(read(tmp_path, REPORT, state))
    content = build_content(REPORT, state, LABELS)
    assert len(content.signatures) == 6
    for row in content.signatures:
        assert row.fingerprint in words
        assert row.sha256[:32] in words


def test_the_minutes_name_both_testers_and_their_evidence(tmp_path):
    words = words_of(read(tmp_path, DocumentName.MINUTES, normal(7)))
    for wanted in ("ContohAnalis,S.Kom.", "ContohPengelola,A.Md.Kom.", "Kamis,19November2026",
                   "11.20–11.32WIB", "Normalsetelahdikembalikan", "0unitgagal"):  # fmt: skip
        assert wanted in words


def test_the_monitoring_sheet_tells_phases_answers_and_deviations(tmp_path):
    words = words_of(read(tmp_path, DocumentName.MONITORING, normal(7)))
    for wanted in ("11.20.00PengujianPelad", "11.32.00", "11menit40detik", "Pengujianweb-01",
                   "layanan-03Dikembalikankeversisemula", "cadangan-04Tidakdapatdihubungi",
                   "ContohPranataKomputer,S.T.,M.Kom."):  # fmt: skip
        assert wanted in words, wanted


def test_a_host_without_evidence_and_a_remark_stand_in_the_monitoring_sheet(tmp_path):
    state = normal(7)
    state.outcomes["web-01"].append(unreachable("web-01", Phase.TEST))
    state.notes.append(Note(7, "pengelola", "Listrik padam 5 menit.", at(195)))
    words = words_of(read(tmp_path, DocumentName.MONITORING, state))
    assert "web-01–Tidakdapatdihubungi" in words
    assert "Catatanlangkah7:Listrikpadam5menit." in words


def test_the_order_names_items_terms_and_plan(tmp_path):
    state = normal(3, abort_limit=4)
    words = words_of(read(tmp_path, DocumentName.ORDER, state))
    assert state.plan.id in words
    assert "lebihdari4peladen" in words
    assert "12dari13butir" in words
    assert all(squeeze(i.name) in words for i in state.plan.items)
    assert "ContohKepalaBidang,S.Kom.,M.T." in words


def test_only_the_draft_says_draft_and_on_every_page(tmp_path):
    for page in read(tmp_path, DRAFT, normal(8)).pages:
        assert "DRAF" in page.extract_text()
    for name in PDFS:
        if name is not DRAFT:
            assert "DRAF" not in words_of(read(tmp_path, name, normal()))


def test_the_draft_carries_no_signature(tmp_path):
    assert "SHA256:" not in words_of(read(tmp_path, DRAFT, normal(8)))


def test_hostile_text_is_shown_and_not_run(tmp_path):
    words = words_of(read(tmp_path, REPORT, STATES["hostile"]()))
    assert '#panic("x")' in words
    assert "{{7*7}}" in words
    assert "paket-□-□" in words
    assert "root:" not in words


def test_an_office_that_says_little_still_gets_a_report(tmp_path):
    words = words_of(read(tmp_path, REPORT, all_failed()))
    assert "DINASCONTOH" in words
    assert "pemisahantugastidakdiberlakukan" in words
    assert "None" not in words


def test_a_large_cycle_is_summed_up_per_host(tmp_path):
    state = normal()
    many_items(state, 600)
    words = words_of(read(tmp_path, REPORT, state))
    assert "Rincian600butir" in words


def test_the_order_says_what_the_updates_bring_and_remove_besides_the_items(tmp_path):
    words = words_of(read(tmp_path, DocumentName.ORDER, normal(4)))
    assert squeeze("libssl4 4.0.1-1") in words
    assert squeeze("Paket yang akan terhapus oleh pemutakhiran: libssl1.1") in words


def test_the_check_list_on_paper_is_decided_on_only_once_it_is_signed(tmp_path):
    before = words_of(read(tmp_path, DocumentName.CHECK_LIST_PDF, normal(2)))
    after = words_of(read(tmp_path, DocumentName.CHECK_LIST_PDF, normal(3)))
    assert "butirdisetujui" not in before and "Setuju" not in before
    assert "12butirdisetujui,1butirditunda" in after
    assert squeeze("Menunggu jendela pemeliharaan Desember") in after
    for words in (before, after):
        assert all(squeeze(h) in words for h in normal().hosts)
        assert all(squeeze(i.name) in words for i in normal().plan.items)


def test_the_update_record_on_paper_tells_backups_items_and_results(tmp_path):
    state = normal()
    words = words_of(read(tmp_path, DocumentName.UPDATE_RECORD_PDF, state))
    content = build_content(DocumentName.UPDATE_RECORD_PDF, state, LABELS)
    for row in content.backups:
        assert squeeze(row.sha256) in words and squeeze(row.location) in words
    assert "Dikembalikankeversisemula" in words
    assert "tzdata" in words and squeeze("Menunggu jendela pemeliharaan Desember") in words


@pytest.mark.parametrize("name", LANDSCAPE)
def test_a_large_list_on_paper_is_summed_up_per_host(tmp_path, name):
    state = normal(3 if name is DocumentName.CHECK_LIST_PDF else 11)
    many_items(state, 600)
    words = words_of(read(tmp_path, name, state))
    workbook = name.value.replace(".pdf", ".xlsx")
    assert squeeze(f"600 butir; rincian setiap butir pada berkas {workbook}") in words


def test_the_number_is_provisional_until_the_report_is_established(tmp_path):
    state = normal(11)
    state.number = "500.12.12/0123/2026"
    for name in PDFS:
        words = words_of(read(tmp_path, name, state))
        if name is REPORT:
            assert "NOMOR500.12.12/0123/2026" in words and "sementara" not in words
        else:
            assert "sementara/500.12.12/2026-11/XI/2026" in words, name
            assert "0123" not in words, name


def test_reports_carry_a_qr_code_and_room_for_wet_signatures(tmp_path):
    for name in (DocumentName.VERIFIED_REPORT, REPORT):
        words = words_of(read(tmp_path, name, normal()))
        assert squeeze("Kode QR memuat siklus, nomor, dan SHA-256 data laporan") in words
    assert "KodeQR" not in words_of(read(tmp_path, DRAFT, normal(8)))


@pytest.mark.parametrize("name", PDFS)
def test_a_dry_run_is_marked_on_every_page(tmp_path, name):
    for page in read(tmp_path, name, rehearsed()).pages:
        words = squeeze(page.extract_text())
        assert "DOKUMENUJICOBA–TIDAKBERLAKU" in words
        assert ("·DRAF" in words) is name.is_draft


def test_an_order_of_the_normal_kind_is_one_page_and_its_appendix(tmp_path):
    for state in (normal(4), incidental(4)):
        pages = [squeeze(p.extract_text()) for p in read(tmp_path, DocumentName.ORDER, state).pages]
        assert len(pages) == 2
        assert "NIP19780404" in pages[0] and pages[1].startswith("LAMPIRAN")


@pytest.mark.parametrize(
    "name", [DocumentName.CHECK_LIST_PDF, DocumentName.ORDER, DocumentName.MINUTES,
             DocumentName.DRAFT_REPORT],
)  # fmt: skip
def test_counts_have_the_languages_separators(tmp_path, name):
    state = large(hosts=100)
    approved = sum(len(state.approved(host)) for host in state.hosts)
    assert approved > 999
    shown = f"{approved // 1000}.{approved % 1000:03d} butir"
    assert squeeze(shown) in squeeze(words_of(read(tmp_path, name, state)))
    assert squeeze(f"{approved} butir") not in squeeze(words_of(read(tmp_path, name, state)))
    made = render(name, state, tmp_path / "en", language="en")
    assert f"{approved:,}" in squeeze(words_of(PdfReader(made.path)))


def test_a_dry_run_names_no_terms_of_an_order(tmp_path):
    said = words_of(read(tmp_path / "real", DocumentName.MONITORING, normal()))
    tried = words_of(read(tmp_path / "dry", DocumentName.MONITORING, rehearsed()))
    for words in ("Waktuyangdiperintahkan", "Bataspenghentian"):
        assert words in said and words not in tried
