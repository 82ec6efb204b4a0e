"""Transactions for real: a detached worker, its receipt, its death, two askers, damaged files.

Only the phase itself is a small one of the test's own, which counts how often it is carried out;
state lies in a temporary folder.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from hostside import bundle, durable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="changes are refused unless root")
HOSTSIDE = Path(bundle.__file__).parent
IDENTITY = "0123456789abcdef" * 2
PHASE = """
import os, time
from hostside import state
def run(request, answer):
    with open(os.path.join(state.ROOT, "carried-out"), "a") as stream:
        stream.write("%d\\n" % os.getpid())
    if request["options"].get("installing"):
        state.note(request["transaction"], installing=True)
    time.sleep(request["options"].get("seconds", 0))
    answer.facts["attempt"] = request["attempt"]
    status = request["options"].get("status", "ok")
    if status != "ok":
        answer.stop(status, "asked-for", "as the test asked")
"""


class Host:
    """Asks for transactions as the control node does: a program on standard input."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "transactions" / IDENTITY
        packed = bundle.payload(str(HOSTSIDE), "backup")
        sources = json.loads(zlib.decompress(base64.b64decode(packed)))
        sources["hostside.state"] = sources["hostside.state"].replace("/var/lib/sop-run", str(root))
        sources["hostside.update"] = PHASE
        self.packed = bundle.pack(sources)

    def begin(self, **options: object) -> subprocess.Popen[str]:
        request = {
            "schema": "sop-run/request/1",
            "phase": "update",
            "host": "h",
            "transaction": IDENTITY,
            "items": options.pop("items", [{"class": "system", "name": "x"}]),
            "options": dict({"wait_seconds": 90}, **options),
        }
        asker = subprocess.Popen(
            [sys.executable, "-I", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert asker.stdin is not None
        asker.stdin.write(bundle.program(self.packed, request))
        asker.stdin.close()
        return asker

    @staticmethod
    def answer(asker: subprocess.Popen[str]) -> dict[str, Any]:
        assert asker.stdout is not None
        line = asker.stdout.read().split()
        asker.wait(120)
        return dict(json.loads(zlib.decompress(base64.b64decode(line[2]))))

    def ask(self, **options: object) -> dict[str, Any]:
        return self.answer(self.begin(**options))

    def carried_out(self) -> list[int]:
        path = self.root / "carried-out"
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def wait_begun(self, times: int = 1) -> int:
        deadline = time.monotonic() + 90
        while len(self.carried_out()) < times and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.carried_out()[times - 1]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "sop-run")


def test_asked_twice_carried_out_once(host: Host) -> None:
    first, again = host.ask(), host.ask()
    assert (first["status"], first["attached"]) == ("ok", False)
    assert (again["status"], again["attached"]) == ("ok", True)
    assert len(host.carried_out()) == 1
    assert (
        first["receipt"]
        == again["receipt"]
        == durable.digest(durable.read_sealed(str(host.folder / "receipt.json")))
    )
    assert host.folder.stat().st_mode & 0o777 == 0o700


def test_three_askers_at_once(host: Host) -> None:
    askers = [host.begin(seconds=1) for _ in range(3)]
    answers = [host.answer(asker) for asker in askers]
    assert [answer["status"] for answer in answers] == ["ok"] * 3
    assert sorted(answer["attached"] for answer in answers) == [False, True, True]
    assert len(host.carried_out()) == 1


def test_asker_killed_worker_goes_on(host: Host) -> None:
    asker = host.begin(seconds=1.5)
    host.wait_begun()
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    assert host.ask()["attached"] is True
    assert len(host.carried_out()) == 1


def test_running_when_the_time_to_wait_is_over(host: Host) -> None:
    assert host.ask(seconds=2, wait_seconds=0.5)["status"] == "running"
    assert host.ask()["status"] == "ok"
    assert len(host.carried_out()) == 1


def test_worker_killed_is_resumed_as_such(host: Host) -> None:
    asker = host.begin(seconds=1)
    os.kill(host.wait_begun(), signal.SIGKILL)
    answer = host.answer(asker)
    assert answer["status"] == "ok"
    assert answer["facts"]["attempt"] == 2
    assert len(host.carried_out()) == 2


def test_worker_that_always_dies_ends_in_failed(host: Host) -> None:
    asker = host.begin(seconds=5)
    for attempt in range(1, 5):
        os.kill(host.wait_begun(attempt), signal.SIGKILL)
    answer = host.answer(asker)
    assert (answer["status"], answer["problems"][0]["code"]) == ("failed", "worker-died")
    assert host.ask()["status"] == "failed"
    assert len(host.carried_out()) == 4


@pytest.mark.parametrize("status", ["blocked", "refused"])
def test_untouched_host_may_be_tried_again(host: Host, status: str) -> None:
    assert host.ask(status=status)["status"] == status
    assert host.ask()["status"] == "ok"
    assert host.ask()["attached"] is True
    assert len(host.carried_out()) == 2


def test_failed_is_final(host: Host) -> None:
    assert host.ask(status="failed")["status"] == "failed"
    assert host.ask()["status"] == "failed"
    assert len(host.carried_out()) == 1


def test_damaged_receipt_is_not_trusted(host: Host) -> None:
    host.ask()
    path = host.folder / "receipt.json"
    path.write_bytes(path.read_bytes().replace(b'"ok"', b'"no"'))
    answer = host.ask()
    assert answer["status"] == "ok"
    assert answer["facts"]["attempt"] > 1
    assert (host.folder / "receipt.damaged").exists()


def test_same_id_with_other_items_is_refused(host: Host) -> None:
    host.ask(seconds=2, wait_seconds=0.3)
    os.kill(host.wait_begun(), signal.SIGKILL)
    time.sleep(0.2)
    answer = host.ask(items=[{"name": "other"}])
    assert answer["problems"][0]["code"] == "transaction-mismatch"
    assert len(host.carried_out()) == 1


def test_another_transaction_waits_then_is_blocked(host: Host) -> None:
    first = host.begin(seconds=3)
    host.wait_begun()
    other = Host(host.root)
    program_id = "f" * 32
    request = {
        "schema": "sop-run/request/1",
        "phase": "update",
        "host": "h",
        "items": [{"class": "system", "name": "x"}],
        "transaction": program_id,
        "options": {"wait_seconds": 20, "lock_seconds": 0.3},
    }
    result = subprocess.run(
        [sys.executable, "-I", "-"],
        input=bundle.program(other.packed, request),
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(zlib.decompress(base64.b64decode(result.stdout.split()[2])))
    assert answer["status"] == "blocked"
    assert IDENTITY in answer["problems"][0]["message"]
    assert host.answer(first)["status"] == "ok"


@pytest.mark.parametrize(("installing", "status"), [(True, "failed"), (False, "blocked")])
def test_blocked_promises_a_host_as_it_was(host: Host, installing: bool, status: str) -> None:
    """The worker dies, and before the next attempt another transaction has taken the host."""
    asker = host.begin(seconds=30, installing=installing, lock_seconds=0.3)
    pid = host.wait_begun()
    time.sleep(0.3)
    with (host.root / "lock").open("r+") as lock:
        os.kill(pid, signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = host.answer(asker)
    assert answer["status"] == status
    assert answer["problems"][0]["code"] == "transaction-lock"
    assert ("cut off in the middle" in answer["problems"][0]["message"]) == installing
    assert len(host.carried_out()) == 1


def test_rebooting_until_the_boot_id_changes(host: Host) -> None:
    """The worker's last words before a restart are read back; a new boot goes on from there."""
    host.ask(status="failed")
    (host.folder / "receipt.json").unlink()
    begun = {"stage": "rebooting", "attempt": 1, "started": 0.0, "evidence": {"phase": "update"}}
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    state = str(host.folder / "state.json")
    durable.write_sealed(state, dict(begun, boot_id=boot_id))
    assert host.ask()["status"] == "rebooting"
    durable.write_sealed(state, dict(begun, boot_id="another"))
    answer = host.ask()
    assert answer["status"] == "ok"
    assert answer["facts"]["attempt"] == 2
