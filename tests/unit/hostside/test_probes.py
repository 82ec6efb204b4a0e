"""Definitions of checks, certificates, mounts: what is judged without a host."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from hostside import checks, mounts, probes, tls

INFO = (
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
    "30 27 8:1 / /srv/my\\040data ro,noexec - xfs /dev/sdb1 rw,attr2\n"
    "31 27 8:2 / /mnt rw - nfs4 server:/x ro,vers=4.2\n"
    "32 27 8:3 / /var/lib/docker/overlay rw - ext4 /dev/sdc rw\n"
    "33 27 0:55 / /run/user/0 rw - tmpfs tmpfs rw\n"
)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"type": "http", "url": "ftp://x"}, "`url: ftp://x`, which must be `http://…`"),
        ({"type": "http", "url": "http://x", "status": "fine"}, "a number from 100 to 599"),
        ({"type": "port", "port": 70000}, "`port: 70000`"),
        ({"type": "port", "port": 22, "requierd": False}, "unknown key `requierd`"),
        ({"type": "port", "port": 22, "timeout": 0}, "a number from 0.1 to 300"),
        ({"type": "port", "port": 22, "retries": 1.5}, "a number from 0 to 60"),
        ({"type": "command", "argv": "rm -rf /"}, "must be a list of words"),
        ({"type": "file", "path": "/x", "mode": 640}, "octal digits in quotes"),
        ({"type": "file", "path": "/x", "sha256": "abc"}, "64 hexadecimal digits"),
        ({"type": "mount", "path": "/x", "free_percent": 101}, "a number from 0 to 100"),
        ({"type": "tls", "host": "https://x/"}, "`host` or `host:port`"),
        ({"type": "dns"}, "needs `resolve`"),
        ({"type": "service", "unit": "x", "required": "maybe"}, "true or false"),
    ],
)
def test_a_malformed_check_is_named_with_what_it_must_be(check: dict[str, Any], words: str) -> None:
    (found,) = checks.definition_errors([check])
    assert found.startswith(f"test_checks[0] ({check['type']}) ")
    assert words in found


@pytest.mark.parametrize(
    "check",
    [
        {"type": "http", "url": "http://x/", "status": "200", "text": "", "required": "no"},
        {"type": "tls", "host": "[::1]:443", "days": 0, "timeout": 2.5},
        {"type": "dns", "resolve": "x", "address": ["192.0.2.1"]},
        {"type": "file", "path": "/x", "mode": "0640", "exists": True},
    ],
)
def test_a_good_definition_has_no_error(check: dict[str, Any]) -> None:
    assert checks.definition_errors([check]) == []


def test_addresses() -> None:
    assert probes.address_of("tcp/80") == ("localhost", 80)
    assert probes.address_of("db.example:5432") == ("db.example", 5432)
    assert probes.address_of("[::1]:22") == ("::1", 22)
    for wrong in ("0", "65536", "ssh", "a:b:1", ""):
        with pytest.raises(ValueError, match="no TCP port"):
            probes.address_of(wrong)


@pytest.mark.parametrize("days", [10, 9000, 36500])  # the last two on both sides of the year 2050
def test_the_end_of_a_certificate(days: int, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "openssl is not on this machine"
    pem = tmp_path / "x.pem"
    argv = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    argv += ["-days", str(days), "-keyout", str(tmp_path / "x.key"), "-out", str(pem)]
    subprocess.run(argv, check=True, capture_output=True)
    raw = ssl.PEM_cert_to_DER_cert(pem.read_text())
    assert abs(tls.not_after(raw) - (time.time() + days * 86400)) < 120
    for cut in (0, 1, 20, 90):
        with pytest.raises(ValueError, match="certificate"):
            tls.not_after(raw[:cut])


def test_mounts_are_read_with_their_real_options() -> None:
    found = mounts.parse_mountinfo(INFO)
    assert found["/srv/my data"]["options"] == ["attr2", "noexec", "ro"]
    assert "ro" in found["/mnt"]["options"]
    assert "rw" not in found["/mnt"]["options"]
    assert found["/"]["options"][0] == "errors=remount-ro"


def test_only_file_systems_that_hold_data_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    fstab = "# x\n/dev/sdb1 /srv/my\\040data xfs defaults 0 0\nserver:/x /mnt nfs4 noauto 0 0\n"
    texts = {mounts.MOUNTINFO: INFO, mounts.FSTAB: fstab}
    monkeypatch.setattr(mounts.hostinfo, "read", texts.__getitem__)
    assert [(m["mount"], m["writable"], m["standing"]) for m in mounts.baseline()] == [
        ("/", True, True),
        ("/mnt", False, False),
        ("/srv/my data", False, True),
    ]


def test_a_mount_that_is_gone_and_one_that_cannot_be_written() -> None:
    before = [
        {"mount": m, "fstype": "xfs", "writable": True, "standing": s}
        for m, s in (("/", True), ("/a", True), ("/b", False))
    ]
    now = [{**before[0], "writable": False}, before[1]]
    found = mounts.compare(before, now)
    assert [(t["target"], t["result"], t["required"]) for t in found] == [
        ("*", "passed", True),
        ("/", "failed", True),
        ("/b", "failed", False),
    ]


def test_a_disk_that_the_update_filled_is_told_and_an_older_one_is_not() -> None:
    def disks(*free: int) -> list[dict[str, Any]]:
        return [{"mount": f"/{n}", "free": f << 20} for n, f in enumerate(free)]

    found = mounts.compare_disks(disks(500, 50, 500), disks(50, 40, 400))
    assert [(t["target"], t["result"], t["required"]) for t in found] == [
        ("*", "passed", True),
        ("/0", "failed", False),
    ]
