"""The SOP's 13 steps as data: the shipped default, from Kota Surakarta's procedure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.model.office import Office, Role

ROLE_NAMES: dict[Role, str] = {
    "pengelola": "Pengelola Sistem dan Jaringan",
    "analis": "Analis Sistem Informasi dan Jaringan",
    "jf": "JF Pranata Komputer Ahli Muda",
    "kepala": "Kepala Bidang Teknologi dan Informatika",
}

LEGAL_BASIS = (
    "Undang-Undang Nomor 25 Tahun 2009 tentang Pelayanan Publik.",
    "Undang-Undang Nomor 5 Tahun 2014 tentang Aparatur Sipil Negara.",
    "Peraturan Daerah Nomor 8 Tahun 2021 tentang Pembentukan dan Susunan Perangkat Daerah.",
    "Peraturan Walikota Nomor 34 Tahun 2021 tentang Pedoman Penyusunan, Monitoring dan Evaluasi "
    "Peta Proses Bisnis dan Standar Operasional Prosedur di Lingkungan Pemerintah Kota Surakarta.",
    "Peraturan Walikota Nomor 40 Tahun 2021 tentang Kedudukan, Susunan Organisasi, Tugas dan "
    "Fungsi Serta Tata Kerja Dinas Daerah.",
)


@dataclass(frozen=True)
class Step:
    """One step of the SOP; `signers` are the roles whose signatures pass it, in any order."""

    number: int
    title: str  # English, for the command line
    kegiatan: str  # Indonesian, for the documents
    role: Role | None
    minutes: int | None  # standard time (Mutu Baku: Waktu)
    output: str
    signers: tuple[Role, ...] = ()
    returns_to: int | None = None  # where a refusal sends the cycle back to

    @property
    def is_gate(self) -> bool:
        """Whether the step waits for a signature."""
        return bool(self.signers)


DEFAULT: tuple[Step, ...] = (
    Step(1, "start", "Mulai", "pengelola", None, ""),
    Step(
        2,
        "check",
        "Melakukan pengecekan pada software/sistem operasi yang membutuhkan update/perbaikan",
        "pengelola",
        120,
        "Laporan Hasil Pengecekan",
    ),
    Step(
        3,
        "confirm the list",
        "Mengkonfirmasi laporan daftar software/sistem operasi yang "
        "membutuhkan update/perbaikan telah sesuai atau belum",
        "analis",
        15,
        "Laporan Hasil Pengecekan (terkonfirmasi)",
        signers=("analis",),
        returns_to=2,
    ),
    Step(
        4,
        "order the update",
        "Memerintahkan pemutakhiran sistem operasi/software",
        "kepala",
        120,
        "Disposisi",
        signers=("kepala",),
        returns_to=2,
    ),
    Step(
        5,
        "monitor",
        "Melakukan monitoring pemutakhiran sistem operasi/software",
        "jf",
        180,
        "Disposisi",
    ),
    Step(
        6,
        "back up",
        "Melakukan backup software/sistem operasi yang akan dilakukan update/perbaikan",
        "pengelola",
        180,
        "Catatan Update/Perbaikan",
    ),
    Step(
        7,
        "update",
        "Melakukan update/perbaikan pada software/sistem operasi yang telah ditentukan",
        "pengelola",
        180,
        "Catatan Update/Perbaikan",
    ),
    Step(
        8,
        "test together",
        "Melakukan testing hasil update/perbaikan apakah dapat berjalan dengan normal",
        "pengelola",
        60,
        "Notulensi Hasil Update/Perbaikan",
        signers=("pengelola", "analis"),
    ),
    Step(
        9,
        "draft the report",
        "Menyusun laporan hasil perbaikan/update software/sistem operasi",
        "pengelola",
        60,
        "Draf laporan hasil update/perbaikan",
    ),
    Step(
        10,
        "verify the report",
        "Memverifikasi laporan perbaikan/update software/sistem operasi",
        "jf",
        15,
        "Draf laporan hasil update/perbaikan (terverifikasi)",
        signers=("jf",),
        returns_to=9,
    ),
    Step(
        11,
        "establish the report",
        "Menetapkan hasil laporan perbaikan/update software/sistem operasi",
        "kepala",
        15,
        "Laporan hasil update/perbaikan",
        signers=("kepala",),
        returns_to=9,
    ),
    Step(
        12,
        "archive",
        "Mengarsipkan dokumen laporan perbaikan/update software/sistem operasi",
        "pengelola",
        30,
        "Laporan hasil update/perbaikan (diarsipkan)",
    ),
    Step(13, "end", "Selesai", None, None, ""),
)


def procedure(office: Office) -> tuple[Step, ...]:
    """The 13 steps with the office's own roles, times and names; gates can not be removed."""
    steps = []
    for step in DEFAULT:
        change = office.steps.get(step.number)
        if change is not None:
            role = change.role or step.role
            signers = tuple(role if s == step.role else s for s in step.signers if role)
            step = replace(  # noqa: PLW2901
                step,
                role=role,
                signers=tuple(s for s in signers if s is not None),
                minutes=change.minutes or step.minutes,
                kegiatan=change.name or step.kegiatan,
            )
        steps.append(step)
    return tuple(steps)
