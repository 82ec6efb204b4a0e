"""ClamAV: headers, mirrors, and what is older than it should be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hostside import checkantivirus, clamav

HEADER = b"ClamAV-VDB:22 Jun 2021 14-58 -0400:%d:1:0:81:a4ab60ae1c1c4e8f787459102dcfd90b:x:"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without words."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "daily.cvd").write_bytes((HEADER % 6).ljust(900))
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Quiet(*a, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_header() -> None:
    found = clamav.parse_header(HEADER % 27393)
    assert found == {"version": "27393", "built": "2021-06-22T18:58:00Z"}


@pytest.mark.parametrize(
    "raw", [b"", b"ClamAV-VDB", b"<html>", b"ClamAV-VDB:x:y:z:", b"\xff" * 600]
)
def test_no_header(raw: bytes) -> None:
    assert clamav.parse_header(raw) is None


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("09 Sep 2024 04-26 -0400", "2024-09-09T08:26:00Z"),
        ("09 Sep 2024 04-26 +0700", "2024-09-08T21:26:00Z"),
        ("99 Xyz 2024 04-26 +0000", ""),
        ("yesterday", ""),
    ],
)
def test_built(text: str, utc: str) -> None:
    assert clamav.parse_built(text) == utc


def test_the_newer_of_two_files_counts(tmp_path: Path) -> None:
    (tmp_path / "daily.cvd").write_bytes(HEADER % 10)
    (tmp_path / "daily.cld").write_bytes(HEADER % 9)
    (tmp_path / "bad.cvd").write_bytes(b"garbage")
    found = clamav.databases(str(tmp_path))
    assert [(e["name"], e["version"]) for e in found] == [("daily", "10")]


def test_official_mirrors_are_never_asked() -> None:
    options = {
        "PrivateMirror": ["mirror.example"],
        "DatabaseMirror": ["database.clamav.net", "db.id.clamav.net", "http://notclamav.net/av/"],
    }
    assert clamav.mirrors(options) == ["https://mirror.example", "http://notclamav.net/av"]
    assert clamav.mirror_versions({"DatabaseMirror": ["database.clamav.net"]}) == {}


def test_a_mirror_tells_its_versions_and_lacks_one(mirror: str) -> None:
    options = {"DatabaseMirror": [mirror], "ExcludeDatabase": ["bytecode"]}
    assert clamav.mirror_versions(options) == {"daily": "6"}


def test_a_dead_mirror_is_named_and_the_next_one_asked(mirror: str) -> None:
    dead = "http://127.0.0.1:1"
    with pytest.raises(OSError, match=r"127\.0\.0\.1:1: "):
        clamav.mirror_versions({"PrivateMirror": [dead]})
    assert clamav.mirror_versions({"PrivateMirror": [dead, mirror]}) == {"daily": "6"}


def item_rows(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(i["name"], i["from"], i["to"]) for i in items]


def test_items_of_a_mirror() -> None:
    installed = [{"name": "daily", "version": "6"}, {"name": "main", "version": "5"}]
    offered = {"daily": "6", "main": "62", "bytecode": "1"}
    assert item_rows(checkantivirus.items_of_mirror(installed, offered)) == [
        ("clamav-db (bytecode)", "", "1"),
        ("clamav-db (main)", "5", "62"),
    ]


def test_items_by_age() -> None:
    built = "2024-09-09T08:26:00Z"
    installed = [
        {"name": "daily", "version": "27393", "built": built},
        {"name": "main", "version": "62", "built": "2021-09-16T12:32:00Z"},
    ]
    moment = checkantivirus.seconds(built)
    fresh = checkantivirus.items_by_age(installed, ["main", "daily"], moment + 3600)
    assert fresh == []
    stale = checkantivirus.items_by_age(installed, ["main", "daily", "bytecode"], moment + 90000)
    assert item_rows(stale) == [
        ("clamav-db (daily)", "27393", "latest"),
        ("clamav-db (bytecode)", "", "latest"),
    ]
