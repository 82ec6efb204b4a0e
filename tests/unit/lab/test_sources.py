"""The machine's package sources are read from both file formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.sources import Source, parse_deb822, parse_one_line, read_sources, source_of
from orchestrator.model.errors import CannotRunError

DEB822 = """# a comment
Types: deb deb-src
URIs: http://mirror.example.test/debian
Suites: stable stable-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
Enabled: no
URIs: http://off.example.test/
Suites: stable
Components: main

Types: deb-src
URIs: http://source.example.test/
Suites: stable
Components: main
"""


def test_deb822_keeps_inline_keys_and_leaves_out_disabled_and_source_only_stanzas() -> None:
    (source,) = parse_deb822(DEB822)
    assert source.uris == ("http://mirror.example.test/debian",)
    assert source.suites == ("stable", "stable-updates")
    assert source.signed_by.splitlines()[1:] == [
        " -----BEGIN PGP PUBLIC KEY BLOCK-----",
        " .",
        " abc",
    ]
    assert parse_deb822(source.deb822()) == [source]


def test_one_line_sources_with_and_without_options() -> None:
    text = (
        "# comment\n"
        "deb [ arch=amd64 signed-by=/k.gpg ] http://mirror.example.test/debian stable main\n"
        "deb http://mirror.example.test/debian stable-updates main universe  # why\n"
        "deb-src http://mirror.example.test/debian stable main\n"
    )
    assert parse_one_line(text) == [
        Source(("http://mirror.example.test/debian",), ("stable",), ("main",), "/k.gpg"),
        Source(("http://mirror.example.test/debian",), ("stable-updates",), ("main", "universe")),
    ]


def test_a_machine_without_sources_list_is_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/more.list").write_text("deb http://a.example.test x main\n")
    assert [source.suites[0] for source in read_sources(tmp_path)] == ["stable", "x"]


def test_a_source_is_narrowed_to_one_suite_and_what_the_lab_uses() -> None:
    source = source_of("stable-updates", parse_deb822(DEB822))
    assert source.suites == ("stable-updates",)
    assert source.components == ("main",)


def test_a_missing_suite_is_named() -> None:
    with pytest.raises(CannotRunError, match="no package source for stable-security"):
        source_of("stable-security", parse_deb822(DEB822))
