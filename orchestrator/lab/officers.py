"""The demo's office: four sample officers with keys made on the spot, and office.yml."""

from __future__ import annotations

from pathlib import Path

import yaml

from orchestrator.lab.personal import generate_key
from orchestrator.model.office import Office, Role

# (role and id, name, rank). Clearly no real persons: every name begins with "Contoh" (sample).
SAMPLES: tuple[tuple[Role, str, str], ...] = (
    ("pengelola", "Contoh Pengelola, A.Md.Kom.", "Pengatur / II.c"),
    ("analis", "Contoh Analis, S.Kom.", "Penata Muda / III.a"),
    ("jf", "Contoh Pranata, S.Kom., M.T.", "Penata / III.c"),
    ("kepala", "Contoh Kepala, S.T., M.M.", "Pembina / IV.a"),
)


def key_folder(directory: Path) -> Path:
    """Where the private keys of the officers of a lab lie, one file per officer id."""
    return directory / "keys/officers"


def write_office(directory: Path) -> Path:
    """Make the officers' keys and write office.yml; returns its path."""
    officers = []
    for number, (role, name, rank) in enumerate(SAMPLES, start=1):
        officers.append(
            {
                "id": role,
                "role": role,
                "name": name,
                "rank": rank,
                "nip": f"00000000 000000 0 {number:03d}",
                "keys": [generate_key(key_folder(directory) / role, f"{role}@example.test")],
            }
        )
    document = {
        "office": {
            "government": "Pemerintah Kota Contoh",
            "agency": "Dinas Komunikasi dan Informatika",
            "unit": "Bidang Teknologi dan Informatika",
            "address": "Jalan Contoh Nomor 1",
            "website": "example.test",
            "email": "diskominfo@example.test",
            "city": "Contoh",
            "place": "Ruang Rapat Bidang Teknologi dan Informatika",
            "timezone": "Asia/Jakarta",
        },
        "officers": officers,
    }
    Office.model_validate(document)
    path = directory / "inventory/office.yml"
    path.parent.mkdir(exist_ok=True)
    note = "# Contoh: kantor dan pejabat rekaan untuk uji coba (made up for the lab).\n"
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(note + text, encoding="utf-8")
    return path
