"""Phase check as it is sent to hosts: one text on the standard input of a bare Python."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from hostside import bundle, hostinfo

SYSTEM_PYTHON = Path("/usr/bin/python3")


def send(phase: str, options: dict[str, Any], root: Path) -> dict[str, Any]:
    """The evidence of a phase carried out on this machine, as a connection would."""
    request = {"phase": phase, "transaction": "", "items": [], "options": options}
    text = bundle.program(bundle.payload(str(root / "hostside"), phase), request)
    python = str(SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else shutil.which("python3"))
    done = subprocess.run(
        [python, "-I", "-"], input=text, capture_output=True, text=True, check=True, timeout=300
    )
    line = next(x for x in done.stdout.splitlines() if x.startswith("SOP-RUN-EVIDENCE"))
    return dict(json.loads(zlib.decompress(base64.b64decode(line.split()[2]))))


def test_check_of_this_machine_has_every_fact_of_the_contract(root: Path) -> None:
    before = workspaces()
    found = send("check", {"refresh": "none", "advisories": False}, root)
    contract = (root / "docs/reference/evidence.md").read_text(encoding="utf-8")
    for name in found["facts"]:
        assert f"`{name}`" in contract, f"fact {name} is not in the contract"
    assert found["status"] in ("ok", "failed")
    assert found["facts"]["boot_id"] == hostinfo.boot_id()
    assert found["facts"]["disk"][0]["mount"] == "/"
    deadline = time.monotonic() + 60  # another test may check this machine just now
    while workspaces() - before:
        assert time.monotonic() < deadline, "a check leaves its folder behind"
        time.sleep(0.5)


def workspaces() -> set[Path]:
    """Folders of checks of this machine."""
    return set(Path("/var/tmp").glob("sop-run-check-*"))


def test_an_unknown_option_is_named(root: Path) -> None:
    found = send("check", {"refresh": "sometimes"}, root)
    assert found["status"] == "failed"
    assert found["problems"][0]["code"] == "bad-option"


def test_a_malformed_check_is_named_before_anything_is_approved(root: Path) -> None:
    checks = [{"type": "http"}, {"type": "port", "port": 22}]
    found = send("check", {"refresh": "none", "advisories": False, "checks": checks}, root)
    named = [p["message"] for p in found["problems"] if p["code"] == "bad-check"]
    assert named == ["test_checks[0] (http) needs `url`"]


@pytest.mark.skipif(hostinfo.package_manager() != "apt", reason="this machine has no apt")
def test_installed_packages_are_read_without_apt_get() -> None:
    from hostside import apt

    assert apt.installed(["dpkg", "no-such-package"]).keys() == {"dpkg"}


def test_os_release_is_data() -> None:
    text = 'ID="x$(reboot)"\nID_LIKE=\'a b\'\nbad line\nNAME="a\\"b"\n'
    found = hostinfo.parse_os_release(text)
    assert found == {"ID": "x$(reboot)", "ID_LIKE": "a b", "NAME": 'a"b'}


@pytest.mark.parametrize("version", [(3, 5, 2), (2, 7, 18)])
def test_an_old_python_is_told_before_it_meets_newer_words(
    root: Path, tmp_path: Path, version: tuple[int, ...]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        bundle.program(bundle.payload(str(root / "hostside"), "check"), {"phase": "check"})
    )
    line = f"import sys; sys.version_info = {version}; exec(open({str(program)!r}).read())"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 126
    assert done.stderr == f"sop-run: this Python is too old: {version[0]}.{version[1]}\n"


@pytest.mark.parametrize(
    ("family", "present", "chosen"),
    [
        ({"debian"}, {"apt", "dnf", "zypper"}, "apt"),
        ({"rocky", "rhel", "fedora"}, {"dnf", "zypper"}, "dnf"),
        ({"sles", "suse"}, {"dnf", "zypper"}, "zypper"),
        ({"opensuse-leap", "suse", "opensuse"}, {"apt", "dnf", "zypper"}, "zypper"),
        ({"multi", "suse", "rhel"}, {"dnf", "zypper"}, "zypper"),
        ({"sles", "suse"}, {"dnf"}, "dnf"),
        ({"unknown"}, {"zypper"}, "zypper"),
        ({"unknown"}, set(), "none"),
    ],
)
def test_a_host_with_several_package_managers_has_one(
    family: set[str], present: set[str], chosen: str
) -> None:
    assert hostinfo.choose_manager(family, present) == chosen
