"""The office's checks and the comparison with the baseline, on a real host."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostside import checks
from orchestrator.lab.lab import HostSpec, Lab
from tests.lab.asked import ask, sh, told
from tests.lab.left import left_overs

pytestmark = pytest.mark.lab

Check = dict[str, Any]
CONFIG = "workers = 2\n"
DIGEST = hashlib.sha256(CONFIG.encode()).hexdigest()
TLS = {"type": "tls", "host": "localhost:8443", "server_name": "www.lab.example"}
FILE = {"type": "file", "path": "/etc/own.conf"}
DATA = {"type": "mount", "path": "/srv/data"}
WEB = {"type": "http", "url": "http://127.0.0.1:8080/"}

PASSING: list[Check] = [
    {**WEB, "text": "lab-web"},
    {"type": "http", "url": "https://localhost:8443/", "verify": False, "text": "Cipher"},
    {"type": "service", "unit": "lab-web.service", "enabled": True},
    {"type": "port", "port": 22},
    {"type": "port", "port": "[::1]:22"},
    {**TLS, "ca": "/etc/own.pem", "days": 20},
    {**TLS, "verify": False},
    {"type": "command", "argv": ["cat", "/etc/own.conf"], "text": "workers"},
    {**FILE, "owner": "root", "group": "daemon", "mode": "0640", "sha256": DIGEST},
    {"type": "file", "path": "/etc/nologin", "exists": False},
    {"type": "dns", "resolve": "own.example", "address": ["192.0.2.7", "2001:DB8::7"]},
    {**DATA, "fstype": "tmpfs", "options": ["rw", "noexec"], "free_percent": 50, "free_mb": 1},
]
FAILING: list[tuple[Check, str]] = [
    ({**WEB, "status": 404}, "HTTP 200 instead of 404"),
    ({"type": "http", "url": "https://localhost:8443/"}, "certificate verify failed"),
    ({"type": "service", "unit": "ssh.service", "enabled": "yes"}, "ssh.service is"),
    ({"type": "port", "port": 81}, "refused"),
    ({**TLS, "ca": "/etc/own.pem", "days": 60}, "days left"),
    ({**TLS, "ca": "/etc/own.pem", "server_name": "other.example"}, "mismatch"),
    (TLS, "self-signed certificate"),
    ({**TLS, "host": "localhost:22", "verify": False}, "SSL"),
    ({**TLS, "ca": "/etc/no-such.pem"}, "FileNotFoundError"),
    ({"type": "command", "argv": ["sleep", "60"], "timeout": 0.5}, "time limit of 0.5 s"),
    ({**FILE, "owner": "daemon"}, "the owner is root instead of daemon"),
    ({**FILE, "mode": "0600"}, "the mode is 0640 instead of 0600"),
    ({**FILE, "sha256": "0" * 64}, f"the SHA-256 is {DIGEST}"),
    ({**FILE, "exists": False}, "/etc/own.conf exists"),
    ({"type": "file", "path": "/etc/own.con"}, "No such file"),
    ({"type": "dns", "resolve": "no-such.example"}, "does not resolve"),
    ({"type": "dns", "resolve": "own.example", "address": "192.0.2.8"}, "not to 192.0.2.8"),
    ({"type": "mount", "path": "/srv/other"}, "is not mounted"),
    ({**DATA, "options": ["ro"]}, "mounted without ro"),
    ({**DATA, "fstype": "ext4"}, "is tmpfs instead of ext4"),
    ({**DATA, "free_mb": 100}, "free"),
]
PREPARE = f"""set -e
printf '{CONFIG.strip()}\\n' >/etc/own.conf
chgrp daemon /etc/own.conf; chmod 640 /etc/own.conf
printf '192.0.2.7 own.example\\n2001:db8::7 own.example\\n' >>/etc/hosts
mkdir -p /srv/data /srv/store /srv/mounted /srv/byhand
mount -t tmpfs -o size=10m,noexec tmpfs /srv/data
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=www.lab.example \
  -addext subjectAltName=DNS:www.lab.example -keyout /etc/own.key -out /etc/own.pem 2>/dev/null
systemd-run --quiet --unit own-tls openssl s_server -accept 8443 -www \
  -cert /etc/own.pem -key /etc/own.key
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("checks") / "lab"
    made = Lab.up(folder, [HostSpec("web01", "full", "clean")], print)
    try:
        sh(made, "web01", PREPARE)
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []


def results_of(lab: Lab, office: list[Check], **request: Any) -> list[dict[str, Any]]:
    options = {"checks": office, "settle_seconds": request.pop("settle", 0)}
    found = ask(lab, "web01", "test", options, **request)
    assert "bad-check" not in told(found), told(found)
    return list(found["facts"]["tests"])


def test_every_check_type_passes_on_a_host_that_is_well(lab: Lab) -> None:
    assert {check["type"] for check in PASSING} == set(checks.KINDS)
    found = results_of(lab, PASSING, settle=5)
    assert [(t["result"], t["kind"], t["evidence"]) for t in found if t["result"] != "passed"] == []
    assert all(t["evidence"] for t in found)
    by_kind = {t["kind"]: t["evidence"] for t in found}
    assert "29 days left" in by_kind["tls"] or "30 days left" in by_kind["tls"]


def test_every_check_type_fails_with_its_evidence(lab: Lab) -> None:
    sh(lab, "web01", "systemctl disable --quiet ssh")
    found = results_of(lab, [check for check, _ in FAILING])
    assert {t["kind"] for t in found} == set(checks.KINDS)
    for test, (check, words) in zip(found, FAILING, strict=True):
        assert test["result"] == "failed", (check, test)
        assert words in test["evidence"], (check, test["evidence"])


def test_a_late_service_is_found_by_retries_and_by_the_settle_time(lab: Lab) -> None:
    for office, settle in (({"retries": 10, "retry_seconds": 0.5}, 0), ({}, 10)):
        later = "systemd-run --quiet --on-active=2 --timer-property=AccuracySec=100ms"
        sh(lab, "web01", f"systemctl stop lab-web; {later} systemctl start lab-web")
        (test,) = results_of(lab, [{**WEB, **office}], settle=settle)
        assert test["result"] == "passed", test
        assert test["attempts"] > 1


def test_a_wanted_check_and_a_fault_of_before_fail_nobody(lab: Lab) -> None:
    old = {"name": "old fault", "type": "port", "port": 81}
    before = baseline(lab, [old])
    found = ask(lab, "web01", "test", {"checks": [old], "settle_seconds": 3}, baseline=before)
    assert found["status"] == "ok"
    assert [t["result"] for t in found["facts"]["tests"] if t["name"] == "old fault"] == [
        "preexisting"
    ]
    wanted = {"name": "new", "type": "port", "port": 82, "required": False}
    found = ask(lab, "web01", "test", {"checks": [wanted], "settle_seconds": 0})
    assert found["status"] == "ok"
    assert found["facts"]["tests"][-1]["result"] == "failed"


def baseline(lab: Lab, office: list[Check]) -> dict[str, Any]:
    """The baseline as the backup phase takes it, without its backup."""
    script = (
        "import json, sys\nfrom hostside import baseline\n"
        f"request = {{'options': {{'checks': {office!r}}}, 'items': []}}\n"
        "print(json.dumps(baseline.take(request)))\n"
    )
    folder = lab.root("web01") / "root/hostside"
    folder.mkdir(exist_ok=True)
    for path in Path(checks.__file__).parent.glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    (lab.root("web01") / "root/take.py").write_text(script)
    return dict(json.loads(sh(lab, "web01", "cd /root && python3 take.py")))


def test_a_lost_or_read_only_mount_is_noticed(lab: Lab) -> None:
    sh(
        lab,
        "web01",
        "echo '/srv/store /srv/mounted none bind 0 0' >>/etc/fstab; mount /srv/mounted;"
        "mount --bind /srv/store /srv/byhand",
    )
    before = baseline(lab, [])
    assert {"/", "/srv/mounted", "/srv/byhand"} <= {m["mount"] for m in before["mounts"]}
    assert ask(lab, "web01", "test", {"settle_seconds": 5}, baseline=before)["status"] == "ok"
    sh(lab, "web01", "umount /srv/byhand")
    found = ask(lab, "web01", "test", {"settle_seconds": 1}, baseline=before)
    assert found["status"] == "ok", "mounted by hand: wanted, not required"
    sh(lab, "web01", "mount -o remount,bind,ro /srv/mounted")
    found = ask(lab, "web01", "test", {"settle_seconds": 1}, baseline=before)
    assert "/srv/mounted: was writable before, is read-only now" in told(found)["test-failed"]
    sh(lab, "web01", "umount /srv/mounted")
    found = ask(lab, "web01", "test", {"settle_seconds": 1}, baseline=before)
    assert "/srv/mounted: was mounted before (btrfs), is not now" in told(found)["test-failed"]


def test_malformed_checks_are_named_at_check_time(lab: Lab) -> None:
    office = [{"type": "tls", "host": "x:99999", "dayz": 3}, {"type": "file", "path": "etc"}]
    found = ask(lab, "web01", "check", {"refresh": "none", "checks": office})
    named = [p["message"] for p in found["problems"] if p["code"] == "bad-check"]
    assert [words.split(" has ")[0] for words in named] == [
        "test_checks[0] (tls)",
        "test_checks[0] (tls)",
        "test_checks[1] (file)",
    ]
