"""What zypper does not tell is read from the metadata: checksums, advisories, versions compared."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from hostside import rpmmetadata, rpmversion, zypp, zypper
from hostside.command import Result

PRIMARY = """<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common"
 xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="3">
<package type="rpm"><name>kernel-default</name><arch>x86_64</arch>
 <version epoch="0" ver="6.4.0" rel="150700.53.3.1"/>
 <checksum type="sha256" pkgid="YES">AB12</checksum><summary>a kernel &amp; more</summary>
 <size package="150000000" installed="1" archive="2"/><location href="x86_64/k.rpm"/>
 <format><rpm:provides><rpm:entry name="installhint(reboot-needed)"/>
 <rpm:entry name="multiversion(kernel)"/></rpm:provides></format></package>
<package type="rpm"><name>bind</name><arch>x86_64</arch>
 <version epoch="1" ver="9.18" rel="2"/><checksum type="sha512" pkgid="YES">cd34</checksum>
 <size package="17"/></package>
<package type="rpm"><name>not-asked-for</name><arch>noarch</arch>
 <version epoch="0" ver="1" rel="1"/><checksum type="sha256">ef</checksum></package>
</metadata>
"""
UPDATEINFO = """<?xml version="1.0" encoding="UTF-8"?>
<updates>
<update from="maint" status="stable" type="security" version="1"><id>SUSE-2026-1</id>
 <severity>important</severity>
 <references><reference id="CVE-2026-1" type="cve" href="x"/>
 <reference id="1200001" type="bugzilla" href="x"/></references>
 <pkglist><collection><package name="bind" epoch="1" version="9.18" release="2" arch="x86_64">
 <filename>b</filename><reboot_suggested>True</reboot_suggested></package>
 <package name="other" epoch="0" version="1" release="1" arch="x86_64"/></collection></pkglist>
</update>
<update status="retracted" type="security" version="1"><id>SUSE-2026-2</id>
 <pkglist><collection><package name="bind" epoch="1" version="9.19" release="1" arch="x86_64"/>
 </collection></pkglist></update>
<update status="stable" type="recommended" version="1"><id>SUSE-2026-3</id>
 <severity>low</severity>
 <pkglist><collection><package name="other" epoch="0" version="1" release="1" arch="x86_64"/>
 </collection></pkglist></update>
</updates>
"""
BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><metadata>&a;</metadata>'


def primary(path: Path) -> dict[tuple[str, str], dict[str, dict[str, object]]]:
    wanted = {"kernel-default", "bind"}
    found = rpmmetadata.read(str(path), rpmmetadata.Packages(wanted), str(path.parent)).found
    return dict(found)


@pytest.mark.parametrize(
    ("ending", "pack"),
    [(".xml", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_packages_of_every_compression(tmp_path: Path, ending: str, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / f"primary{ending}"
    path.write_bytes(pack(PRIMARY.encode()))
    assert primary(path) == {
        ("kernel-default", "x86_64"): {
            "6.4.0-150700.53.3.1": {
                "sha256": "ab12",
                "size": 150000000,
                "reboot": True,
                "location": "x86_64/k.rpm",
            }
        },
        ("bind", "x86_64"): {
            "1:9.18-2": {"sha256": "", "size": 17, "reboot": False, "location": ""}
        },
    }, "a checksum of another kind than SHA-256 is none that could be approved"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("primary.gz", b"no gzip", "primary.gz: "),
        ("primary.gz", gzip.compress(b"<metadata>", mtime=0)[:-9], "primary.gz: "),
        ("primary.xml", PRIMARY[:400].encode(), "unclosed token"),
        ("primary.xml", BOMB.encode(), "it declares a document type"),
        ("primary.rar", b"", "unknown compression '.rar'"),
        ("primary.zst", b"no zstd", "primary.zst: "),
    ],
)
def test_damaged_hostile_or_unknown_metadata_is_a_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        primary(tmp_path / name)


def test_advisories_between_two_versions_without_withdrawn_ones(tmp_path: Path) -> None:
    (tmp_path / "updateinfo.xml").write_text(UPDATEINFO)
    handler = rpmmetadata.Advisories({"bind"})
    told = rpmmetadata.read(str(tmp_path / "updateinfo.xml"), handler, str(tmp_path)).found
    assert [advisory["id"] for advisory in told] == ["SUSE-2026-1"]
    bind = ("bind", "x86_64")
    assert zypper.advisories_of(bind, "1:9.18-1", "1:9.18-2", told) == {
        "ids": ["SUSE-2026-1"], "cves": ["CVE-2026-1"], "severity": "important",
        "security": True, "reboot": True,
    }  # fmt: skip
    for before, after in (("1:9.18-2", "1:9.20-1"), ("1:9.17-1", "1:9.17-2")):
        assert not zypper.advisories_of(bind, before, after, told)["security"], "not by this step"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0-1", "1.0-2"),
        ("1.9-1", "1.10-1"),
        ("2.0-1", "1:1.0-1"),
        ("1.0~rc1-1", "1.0-1"),
        ("1.0-1", "1.0^20260101-1"),
        ("1.0^20260101-1", "1.0.1-1"),
        ("1.0a-1", "1.0.1-1"),
        ("6.4.0-150700.53.3.1", "6.4.0-150700.53.16.1"),
    ],
)
def test_versions_in_their_order(older: str, newer: str) -> None:
    assert rpmversion.compare(older, newer) == -1
    assert rpmversion.compare(newer, older) == 1
    assert rpmversion.compare(newer, newer) == 0


def said(out: str, code: int | None = 0) -> zypp.Said:
    return zypp.Said(Result(["zypper"], code, out, ""))


@pytest.mark.parametrize(
    "out",
    [
        "",
        "Nothing to do.",
        "<?xml version='1.0'?><stream><a></stream>",
        "<?xml version='1.0'?><stream><update-status><update-list>",
        "<?xml version='1.0'?>" + BOMB + "</stream>",
    ],
)
def test_an_answer_that_is_no_xml_is_a_reason_and_no_empty_list(out: str) -> None:
    with pytest.raises(ValueError, match="zypper's answer"):
        said(out)


def test_what_a_killed_zypper_had_said_is_kept_and_control_characters_are_not() -> None:
    cut = (
        "<?xml version='1.0'?>\n<stream>\n<message type=\"info\">one\x1b[31m &lt;</message>\n<mess"
    )
    assert said(cut, None).messages == [("info", "one [31m <")]
    assert zypp.why(said(cut, None)) == "zypper did not end in time"
    assert said("zypper: not found", 127).messages == []
    assert zypp.why(said("zypper: not found", 127)) == "zypper: not found"


def test_an_upgrade_that_no_metadata_list_is_no_item() -> None:
    with pytest.raises(ValueError, match="no repository's metadata list bind 2-1"):
        zypper.carried({"name": "bind", "arch": "x86_64", "to": "2-1"}, {}, {"r": {}})
