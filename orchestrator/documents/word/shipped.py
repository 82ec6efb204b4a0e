"""Makes the shipped Word templates: `python -m orchestrator.documents.word.shipped FOLDER`.

They are committed as .docx under report_templates/word/, for offices to edit in Word; this is how
the shipped ones came about, and a test holds them to it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.documents.word.parts import (
    control,
    fields,
    letterhead,
    line,
    new_template,
    passage,
    picture,
    signatures,
    table,
    titles,
)
from orchestrator.documents.xlsx.package import fixed_zip

PLACE_AND_DATE = "{{ head.city }}, {{ letter.date|replace(' ', '\u00a0') }}"
"""Over a signature; the date stays in one piece."""
_MOST = 500  # items and hosts in a table; beyond, the workbooks have them
_OCCASION = (  # only an incidental cycle has them
    ("Alasan kegiatan insidental", "{{ occasion.reason }}", "occasion.reason != '–'"),
    (
        "Mengembalikan peladen ke backup siklus",
        "{{ occasion.source }}",
        "occasion.source != '–'",
    ),
    ("Lingkup butir", "{{ occasion.selection }}", "occasion.selection != '–'"),
    (
        "Butir di luar lingkup siklus ini",
        "{{ occasion.out_of_scope }}",
        "occasion.selection != '–'",
    ),
)


def order() -> Any:
    """Lembar Disposisi (step 4)."""
    document = new_template("Lembar Disposisi")
    letterhead(document)
    titles(document, "LEMBAR DISPOSISI")
    fields(
        document,
        [
            ("Surat dari", "{{ people.confirmer.position }}"),
            ("Nomor surat", "{{ letter.number }}"),
            ("Tanggal surat", "{{ letter.date }}"),
            ("Diterima tanggal", "{{ letter.date }}"),
            ("Nomor agenda", "{{ cycle }}{% if revision > 1 %} / {{ revision }}{% endif %}"),
            ("Sifat", "{{ letter.nature }}"),
            (
                "Hal",
                "Pemutakhiran software/sistem operasi periode {{ letter.period }} menurut "
                "Laporan Hasil Pengecekan",
            ),
            *_OCCASION,
            (
                "Diteruskan kepada",
                "{{ people.monitor.position }}; {{ people.executor.position }}; "
                "{{ people.confirmer.position }}",
            ),
            (
                "Dengan hormat harap",
                "Proses lebih lanjut; koordinasi/konfirmasi; pantau dan laporkan",
            ),
        ],
    )
    line(document, "Isi perintah", "Heading 1")
    passage(document, "disposisi-perintah", numbering="1.")
    line(document, "Ketentuan pelaksanaan", "Heading 1")
    fields(
        document,
        [
            ("Waktu pelaksanaan", "{{ order.window }}"),
            ("Gelombang", "{{ order.waves }}"),
            ("Batas penghentian", "{{ order.limit }}"),
            ("Reboot", "{{ order.reboot }}"),
            ("Rencana (SHA-256)", "{{ plan_id }}"),
        ],
    )
    line(document, "", "Isi")
    signatures(document, ([PLACE_AND_DATE], "orderer"))
    _order_items(document)
    return document


def _order_items(document: Any) -> None:
    control(document, f"if items|length <= {_MOST}")
    table(
        document,
        "Lampiran: butir yang disetujui dan ditunda "
        "({{ totals.approved }} disetujui, {{ totals.deferred }} ditunda)",
        [
            ("No.", "{{ i.number }}", 9),
            ("Peladen", "{{ i.host }}", 30),
            ("Perangkat lunak", "{{ i.name }}", 31),
            ("Versi terpasang", "{{ i.before }}", 27),
            ("Versi disetujui", "{{ i.offered }}", 27),
            ("Kelas", "{{ i.kind }}", 20),
            ("Keputusan", "{{r strong(i.decision, i.decision_key == 'deferred') }}", 21),
        ],
        "for i in items",
        centered=(0, 5, 6),
    )
    control(document, "else")
    line(
        document,
        "Rincian {{ items|length }} butir tercantum pada Laporan Hasil Pengecekan.",
    )
    control(document, "endif")


def minutes() -> Any:
    """Notulensi Hasil Update/Perbaikan (step 8)."""
    document = new_template("Notulensi Hasil Update/Perbaikan")
    letterhead(document)
    titles(document, "NOTULENSI", "HASIL UPDATE/PERBAIKAN SOFTWARE/SISTEM OPERASI")
    fields(
        document,
        [
            ("Hari, tanggal", "{{ sitting.day_date }}"),
            ("Waktu", "{{ sitting.time }}"),
            ("Tempat", "{{ sitting.place }}"),
            ("Acara", "Pengujian hasil update/perbaikan (langkah 8 SOP)"),
            ("Pimpinan kegiatan", "{{ people.second_tester.position }}"),
            ("Pencatat", "{{ people.tester.position }}"),
            ("Peserta", "1. {{ people.tester.name }}; 2. {{ people.second_tester.name }}"),
        ],
    )
    line(document, "A. Pokok Bahasan", "Heading 1")
    passage(document, "notulensi-pokok-bahasan", numbering="1.")
    line(document, "B. Hasil Pengujian", "Heading 1")
    _hosts(document, "Tabel 1: Hasil menurut peladen")
    table(
        document,
        "{% if tests|length <= 300 %}Tabel 2: Uji dan buktinya{% else %}"
        "Tabel 2: Uji yang tidak langsung normal{% endif %}",
        [
            ("No.", "{{ loop.index }}", 9),
            ("Peladen", "{{ x.host }}", 29),
            ("Uji", "{{ x.kind }}{% if x.target != '–' %}: {{ x.target }}{% endif %}", 48),
            ("Hasil", "{{r strong(x.result, x.result_key != 'passed') }}", 27),
            ("Bukti", "{{ x.evidence }}", 52),
        ],
        "for x in (tests if tests|length <= 300 else "
        "tests|rejectattr('result_key', 'equalto', 'passed')|list)",
        centered=(0,),
    )
    line(document, "C. Keputusan", "Heading 1")
    passage(document, "notulensi-keputusan", numbering="1.")
    line(document, "D. Tindak Lanjut", "Heading 1")
    passage(document, "notulensi-tindak-lanjut", numbering="1.")
    line(document, "", "Isi")
    signatures(
        document,
        (["Mengetahui,", "Pimpinan kegiatan"], "second_tester"),
        ([PLACE_AND_DATE, "Pencatat"], "tester"),
    )
    return document


def _hosts(document: Any, caption: str) -> None:
    table(
        document,
        caption,
        [
            ("No.", "{{ h.number }}", 9),
            ("Peladen", "{{ h.name }}", 35),
            ("Alamat IP", "{{ h.address }}", 27),
            ("Setuju", "{{ h.approved }}", 14),
            ("Berhasil", "{{ h.succeeded }}", 16),
            ("Pengujian", "{{ h.tests }}", 24),
            ("Hasil", "{{r strong(h.verdict, not h.good) }}", 40),
        ],
        "for h in hosts",
        centered=(0, 3, 4, 5),
    )


def report() -> Any:
    """Laporan Hasil Perbaikan/Update, as the draft of step 9."""
    document = new_template("Laporan Hasil Perbaikan/Update")
    letterhead(document)
    titles(
        document,
        "LAPORAN",
        "TENTANG",
        "HASIL PERBAIKAN/UPDATE SOFTWARE/SISTEM OPERASI",
        "BULAN {{ letter.period|upper }}",
        "NOMOR {{ letter.number }}",
    )
    line(document, "A. Pendahuluan", "Heading 1")
    for number, (name, key) in enumerate(
        [
            ("Umum", "umum"),
            ("Maksud dan Tujuan", "maksud"),
            ("Ruang Lingkup", "ruang-lingkup"),
        ],
        start=1,
    ):
        line(document, f"{number}. {name}", "Heading 2")
        passage(document, f"laporan-{key}")
    line(document, "4. Dasar", "Heading 2")
    control(document, "for rule in basis")
    line(document, "{{ 'abcdefghijklmnopqrstuvwxyz'[loop.index0 % 26] }}.\t{{ rule }}", "Butir")
    control(document, "endfor")
    line(document, "B. Kegiatan yang Dilaksanakan", "Heading 1")
    passage(document, "laporan-kegiatan")
    _steps(document)
    picture(document, "gantt", "Gambar 1: Waktu nyata (batang) terhadap waktu baku SOP (bingkai)")
    line(document, "C. Hasil yang Dicapai", "Heading 1")
    passage(document, "laporan-hasil")
    _hosts(document, "Tabel 2: Hasil akhir menurut peladen")
    _report_items(document)
    _backups(document)
    line(document, "D. Kesimpulan dan Saran", "Heading 1")
    line(document, "1. Kesimpulan", "Heading 2")
    passage(document, "laporan-kesimpulan", numbering="a.")
    line(document, "2. Saran", "Heading 2")
    passage(document, "laporan-saran", numbering="a.")
    _notes(document)
    line(document, "E. Penutup", "Heading 1")
    passage(document, "laporan-penutup")
    signatures(
        document,
        (["Disusun oleh"], "drafter"),
        (["Diverifikasi oleh"], "verifier"),
        (["Ditetapkan di {{ head.city }}", "pada tanggal …………………"], "establisher"),
    )
    return document


def _notes(document: Any) -> None:
    """What the drafter remarked, and what was sent back; without either there is no such part."""
    told = "notes|selectattr('kind_key', 'equalto', 'remark')"
    control(document, f"if returns or {told}|list")
    line(document, "3. Catatan", "Heading 2")
    control(document, f"for n in {told}")
    letter = "{{ 'abcdefghijklmnopqrstuvwxyz'[loop.index0 % 26] }}."
    line(document, letter + "\t{{ n.text }}", "Butir")
    control(document, "endfor")
    control(document, "endif")
    control(document, "if returns")
    table(
        document,
        "Tabel 5: Pengembalian selama siklus",
        [
            ("Lkh.", "{{ r.step }} → {{ r.to }}", 15),
            ("Kegiatan", "{{ r.activity }}", 28),
            ("Pejabat", "{{ r.officer }}", 32),
            ("Waktu", "{{ r.at }}", 30),
            ("Nyata (menit)", "{{ r.actual }}", 15),
            ("Alasan", "{{ r.reason }}", 45),
        ],
        "for r in returns",
        centered=(0, 4),
    )
    control(document, "endif")


def _steps(document: Any) -> None:
    table(
        document,
        "Tabel 1: Pelaksanaan langkah SOP terhadap waktu baku (waktu dalam {{ zone }})",
        [
            ("No.", "{{ s.number }}", 9),
            ("Kegiatan", "{{ s.short }}", 31),
            ("Pelaksana", "{{ s.role }}{% if s.officer != '–' %}: {{ s.officer }}{% endif %}", 33),
            ("Tanggal", "{{ s.date }}", 21),
            ("Waktu", "{{ s.span }}", 21),
            ("Baku (menit)", "{{ s.standard }}", 14),
            ("Nyata (menit)", "{{ s.actual }}", 14),
            ("Ketepatan", "{{r strong(s.punctual, s.punctual_key == 'late') }}", 22),
        ],
        "for s in steps",
        centered=(0, 3, 4, 5, 6, 7),
        note=("s.note != '–'", "Catatan: {{ s.note }}"),
    )


def _report_items(document: Any) -> None:
    control(document, f"if items|length <= {_MOST}")
    table(
        document,
        "Tabel 3: Butir pemutakhiran",
        [
            ("No.", "{{ i.number }}", 9),
            ("Peladen", "{{ i.host }}", 22),
            ("Perangkat lunak", "{{ i.name }}", 24),
            ("Versi sebelum", "{{ i.before }}", 22),
            ("Versi disetujui", "{{ i.approved }}", 22),
            ("Versi sesudah", "{{ i.after }}", 22),
            ("Kelas", "{{ i.kind }}", 19),
            (
                "Hasil",
                "{{r strong(i.result, i.result_key not in "
                "('updated', 'current', 'deferred', 'pending')) }}",
                25,
            ),
        ],
        "for i in items",
        centered=(0, 6),
    )
    control(document, "else")
    line(
        document,
        "Rincian {{ items|length }} butir tercantum pada lampiran Catatan Update/Perbaikan.",
    )
    control(document, "endif")


def _backups(document: Any) -> None:
    table(
        document,
        "Tabel 4: Backup sebelum pemutakhiran",
        [
            ("Peladen", "{{ b.host }}", 32),
            ("Status", "{{ b.status }}", 22),
            ("Metode", "{{ b.method }}", 28),
            ("Ukuran", "{{ b.size }}", 17),
            ("Bukti dapat dipulihkan", "{{ b.proof }}", 66),
        ],
        "for b in backups",
    )


TEMPLATES: dict[str, Callable[[], Any]] = {
    "disposisi.docx": order,
    "notulensi.docx": minutes,
    "laporan.docx": report,
}


def template_bytes(name: str) -> bytes:
    """A shipped template, the same bytes each time."""
    document = TEMPLATES[name]()
    moment = datetime(2026, 1, 1)
    properties = document.core_properties
    properties.created = properties.modified = moment
    properties.author = properties.last_modified_by = "sop-run"
    raw = io.BytesIO()
    document.save(raw)
    return fixed_zip(raw, moment, {})


def main() -> None:
    """Write all templates into the folder that is named."""
    folder = Path(sys.argv[1])
    for name in TEMPLATES:
        (folder / name).write_bytes(template_bytes(name))


if __name__ == "__main__":
    main()
