"""The SOP of Kota Surakarta as data, word for word: the default that an office starts from.

Source: the SOP "update/perbaikan software/sistem operasi". Its text lost the flowchart, so which
role does which step is inferred (docs/explanation/sop.md says how firmly); the joined-up words of
the source ("Undang-Undang Nmor", "perbakaikannya") are corrected.
"""

from __future__ import annotations

from orchestrator.sop.step import Procedure, Step

_LISTS = ("List daftar software/sistem operasi", "Jadwal Pengecekan")
_NOTES = ("Catatan Update/Perbaikan",)
_DRAFT = ("Draft laporan hasil update/perbaikan",)
_REPORT = ("Laporan hasil update/perbaikan",)

STEPS: tuple[Step, ...] = (
    Step(1, "start", "Mulai", "pengelola", None, shape="terminator"),
    Step(
        2,
        "check",
        "Melakukan pengecekan pada software/sistem operasi yang membutuhkan update/perbaikan",
        "pengelola",
        120,
        needs=_LISTS,
        outputs=_LISTS,
        remark="Dilakukan secara berkala setiap bulan atau jika dibutuhkan. Pengecekan dilakukan "
        "pada: update sistem, update security patch, update antivirus",
    ),
    Step(
        3,
        "confirm the list",
        "Mengkonfirmasi laporan daftar software/sistem operasi yang "
        "membutuhkan update/perbaikan telah sesuai atau belum",
        "analis",
        15,
        needs=_LISTS,
        outputs=_LISTS,
        signers=("analis",),
        returns_to=2,
        shape="decision",
    ),
    Step(
        4,
        "order the update",
        "Memerintahkan pemutakhiran sistem operasi/software",
        "kepala",
        120,
        needs=_LISTS,
        outputs=("Disposisi",),
        signers=("kepala",),
        returns_to=2,
    ),
    Step(
        5,
        "monitor",
        "Melakukan monitoring pemutakhiran sistem operasi/software",
        "jf",
        180,
        needs=("Disposisi",),
        outputs=("Disposisi",),
    ),
    Step(
        6,
        "back up",
        "Melakukan backup software/sistem operasi yang akan dilakukan update/perbaikan",
        "pengelola",
        180,
        needs=(*_LISTS, "Disposisi"),
        outputs=_NOTES,
    ),
    Step(
        7,
        "update",
        "Melakukan update/perbaikan pada software/sistem operasi yang telah ditentukan",
        "pengelola",
        180,
        needs=_NOTES,
        outputs=_NOTES,
    ),
    Step(
        8,
        "test together",
        "Melakukan testing hasil update/perbaikan apakah dapat berjalan dengan normal",
        "pengelola",
        60,
        needs=_NOTES,
        outputs=("Notulensi Hasil Update/Perbaikan",),
        remark="Bersama dengan {partner}",
        signers=("pengelola", "analis"),
    ),
    Step(
        9,
        "draft the report",
        "Menyusun laporan hasil perbaikan/update software/sistem operasi",
        "pengelola",
        60,
        needs=_DRAFT,
        outputs=_DRAFT,
    ),
    Step(
        10,
        "verify the report",
        "Memverifikasi laporan perbaikan/update software/sistem operasi",
        "jf",
        15,
        needs=_DRAFT,
        outputs=_DRAFT,
        signers=("jf",),
        returns_to=9,
        shape="decision",
    ),
    Step(
        11,
        "establish the report",
        "Menetapkan hasil laporan perbaikan/update software/sistem operasi",
        "kepala",
        15,
        needs=_DRAFT,
        outputs=_REPORT,
        signers=("kepala",),
        returns_to=9,
        shape="decision",
    ),
    Step(
        12,
        "archive",
        "Mengarsipkan dokumen laporan perbaikan/update software/sistem operasi",
        "pengelola",
        30,
        needs=_REPORT,
        outputs=_REPORT,
    ),
    Step(13, "end", "Selesai", None, None, shape="terminator"),
)

SURAKARTA = Procedure(
    title="Update/Perbaikan Software/Sistem Operasi",
    steps=STEPS,
    basis=(
        "Undang-Undang Nomor 25 Tahun 2009 tentang Pelayanan Publik.",
        "Undang-Undang Nomor 5 Tahun 2014 tentang Aparatur Sipil Negara.",
        "Peraturan Daerah Nomor 8 Tahun 2021 tentang Pembentukan dan Susunan Perangkat Daerah.",
        "Peraturan Walikota Nomor 34 Tahun 2021 tentang Pedoman Penyusunan, Monitoring dan "
        "Evaluasi Peta Proses Bisnis dan Standar Operasional Prosedur di Lingkungan Pemerintah "
        "Kota Surakarta.",
        "Peraturan Walikota Nomor 40 Tahun 2021 tentang Kedudukan, Susunan Organisasi, Tugas dan "
        "Fungsi Serta Tata Kerja Dinas Daerah.",
    ),
    qualifications=(
        "Mampu mengoperasikan komputer",
        "Memahami sistem keamanan informasi",
        "Mampu memperbaiki infrastruktur Sistem Keamanan Informasi",
        "Memahami peraturan perundang-undangan tentang tata naskah dinas",
    ),
    related=(
        "Identifikasi kebutuhan Sistem Keamanan Informasi",
        "Pemeliharaan Perangkat Keamanan Informasi",
        "Penanganan Insiden Keamanan Informasi",
        "Sosialisasi Keamanan Informasi",
        "Inventarisasi Kebutuhan Keamanan Informasi Elektronik/Non Elektronik",
    ),
    equipment=("Komputer", "Printer", "Jaringan internet", "ATK"),
    warnings=(
        "Pencapaian Waktu SOP Dalam Kondisi Normal",
        "Apabila SOP tidak dijalankan, maka kerusakan infrastruktur tidak akan dapat ditemukan dan "
        "perbaikannya berjalan dengan lambat karena tidak segera ditindaklanjuti",
    ),
    records=("Laporan Hasil Pengecekan", "Laporan Hasil Perbaikan"),
)
