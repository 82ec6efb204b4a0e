"""Power, lines and restarts that fail in the middle of an update, and the verdict `lost`.

Faults 2, 3, 16, 18 and 38, in one cycle on real hosts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.network import BRIDGE, batch, interface
from orchestrator.lab.root import write
from orchestrator.model.evidence import Phase
from orchestrator.model.plan import transaction_id
from tests.lab.asked import sh, told
from tests.lab.left import left_overs
from tests.lab.month import Month, set_rules, set_variables, wait_for
from tests.lab.repository import Deb, copy_of, install, offer, swap

pytestmark = pytest.mark.lab

PATIENCE = 30  # seconds; the least that office.yml takes
CUT_SESSIONS = "pkill -KILL -x sshd || true"
STOP = f"systemctl stop ssh\n{CUT_SESSIONS}"
BREAK = f"""echo 'Nonsense yes' >/etc/ssh/sshd_config.d/20-broken.conf
systemctl restart ssh || true
{CUT_SESSIONS}"""
# What a service keeps below /var is not restored, so here sshd stays down.
STAY_DOWN = f"touch /var/lib/lab-no-ssh\n{STOP}"
NEEDS_LEAVE = "[Service]\nExecStartPre=/usr/bin/test ! -e {path}\n"
PACKAGES = {
    "stop01": Deb("lab-stop", "1.1", STOP),
    "break01": Deb("lab-break", "1.1", BREAK),
    "down01": Deb("lab-down", "1.1", STAY_DOWN),
}
HOSTS = [
    *(HostSpec(name, "full", "idle") for name in PACKAGES),
    HostSpec("power01", "full", "security"),
    HostSpec("silent01", "full", "security"),
    HostSpec("false01", "full", "reboot"),
    HostSpec("never01", "full", "reboot"),
    HostSpec("zone01", "thin", "thin"),
]
VERDICTS = {
    "stop01": "updated",
    "break01": "rolled-back",
    "down01": "lost",
    "power01": "updated",
    "silent01": "updated",
    "false01": "lost",
    "never01": "lost",
    "zone01": "not-started",
}
# A host that takes the order to restart, and does not.
NO_RESTART = """#!/bin/sh
for word; do [ "$word" = reboot ] && exit 0; done
exec /usr/bin/systemctl "$@"
"""
IMPATIENT = (
    "-o ControlMaster=auto -o ControlPersist=30s -o ConnectTimeout=3 "
    "-o ServerAliveInterval=2 -o ServerAliveCountMax=2"
)
RECEIPTS = "ls /var/lib/sop-run/transactions/*/receipt.json | wc -l"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The cycle up to step 8; two of its hosts are disturbed while they update."""
    folder = tmp_path_factory.mktemp("lines")
    lab = Lab.up(folder / "lab", HOSTS, print)
    try:
        prepare(lab)
        made = Month(lab, folder / "home")
        assert made.monthly().code == 3
        made.sign("analis")
        made.sign("kepala")
        running = made.begin()
        cut_power(lab, "power01")
        drop_packets(lab, "silent01")
        output, _ = running.communicate(timeout=400)
        assert running.returncode == 3, output
        yield made
    finally:
        lab.down()
    assert left_overs(lab.state.prefix, lab.directory) == []


def prepare(lab: Lab) -> None:
    """Faults that wait for the update or for the restart after it."""
    set_rules(lab, canary=len(HOSTS) - 1, abort_limit=2, reboot_timeout_seconds=PATIENCE)
    set_variables(lab, "silent01", ansible_ssh_args=IMPATIENT)
    offer(lab, copy_of(lab, "debian", "faulty"), *PACKAGES.values())
    swap(lab, "debian", "faulty")
    for host, package in PACKAGES.items():
        install(lab, host, Deb(package.name, "1.0"))
    program = lab.root("false01") / "usr/local/sbin/systemctl"
    program.write_text(NO_RESTART)
    program.chmod(0o755)
    for host, path in (("down01", "/var/lib/lab-no-ssh"), ("never01", "/etc/second-boot")):
        write(
            lab.root(host),
            "etc/systemd/system/ssh.service.d/leave.conf",
            NEEDS_LEAVE.format(path=path),
        )
        sh(lab, host, "systemctl daemon-reload")
    sh(lab, "never01", "touch /etc/second-boot")


def cut_power(lab: Lab, host: str) -> None:
    """Cut a host's power while it installs, and give it back."""
    wait_for(lab, host, "test $(grep -c ' upgrade ' /var/log/dpkg.log) -ge 3")
    lab.stop(host, force=True)
    lab.start(host)


def drop_packets(lab: Lab, host: str) -> None:
    """Let all packets of a host that works vanish, longer than its SSH connection bears it."""
    wait_for(lab, host, "grep -qs ' upgrade ' /var/log/dpkg.log")
    port = interface(lab.host(host))
    batch([f"link set {port} nomaster"], lab.state.prefix)
    cut = time.monotonic()
    wait_for(lab, host, f"test $({RECEIPTS}) -eq 2")
    time.sleep(max(0.0, 10 - (time.monotonic() - cut)))
    batch([f"link set {port} master {BRIDGE}"], lab.state.prefix)


def test_every_host_ends_in_its_verdict(month: Month) -> None:
    found = {host: str(v.verdict) for host, v in month.state.verdicts.items()}
    assert found == VERDICTS, {h: v.reason for h, v in month.state.verdicts.items()}


def test_power_lost_in_the_middle_is_repaired_and_brought_to_its_end(month: Month) -> None:
    found = month.evidence("power01", "update")
    assert "recovered" in month.told("power01", "update")
    assert {item["result"] for item in found["items"]} == {"updated"}
    assert month.ask("power01", "dpkg", "--audit") == ""
    done = month.upgrades("power01")
    again = len(done) - len(set(done))
    assert again <= 1, "only the package in hand may be begun again"
    for item in month.state.approved("power01"):
        name = item.name if item.arch == "all" else f"{item.name}:{item.arch}"
        assert month.deb("power01", name) == f"{item.to_version} ii"


def test_dropped_packets_cost_nothing_but_time(month: Month) -> None:
    found = month.evidence("silent01", "update")
    assert found["status"] == "ok"
    assert found["attached"] is True
    done = month.upgrades("silent01")
    assert done and len(done) == len(set(done)), "installed twice"


def test_a_stopped_sshd_is_started_again_by_the_host_itself(month: Month) -> None:
    assert "port 22" in month.told("stop01", "update")["way-in-mended"]
    assert month.deb("stop01", "lab-stop") == "1.1 ii"


def test_an_sshd_that_cannot_start_any_more_lets_the_host_put_itself_back(month: Month) -> None:
    words = month.told("break01", "update")["way-in-lost"]
    assert "nothing listens on port 22" in words
    assert words.endswith("the host was put back by itself")
    assert month.deb("break01", "lab-break") == "1.0 ii"
    assert month.ask("break01", "ls", "/etc/ssh/sshd_config.d/20-broken.conf") == ""
    assert month.phases("break01") == ["check", "backup", "update", "restore", "test"]


def test_a_host_that_stays_out_of_reach_is_lost_and_its_receipt_says_why(month: Month) -> None:
    assert "no answer since the update began" in month.reason("down01")
    assert month.deb("down01", "lab-down") == "1.0 ii"
    transaction = transaction_id(month.state.plan.id, "down01", Phase.UPDATE)  # type: ignore[union-attr]
    path = month.lab.root("down01") / f"var/lib/sop-run/transactions/{transaction}/receipt.json"
    words = told(json.loads(path.read_text()))["way-in-lost"]
    assert words.endswith("put back by itself; nothing listens on port 22 any more still")


def test_a_restart_that_did_not_happen_is_not_believed(month: Month) -> None:
    assert "'rebooting' and never finished" in month.reason("false01")
    assert month.deb("false01", "lab-kernel") == "6.1.2 ii"


def test_a_host_that_does_not_come_back_is_lost_after_the_limit(month: Month) -> None:
    assert month.ask("never01", "systemctl", "is-failed", "ssh") == "failed"
    assert "no answer since the update began" in month.reason("never01")
    runs = [run for run in month.state.runs if "never01" in run.hosts and run.phase == "update"]
    assert len(runs) == 1 and runs[0].seconds >= PATIENCE


def test_the_wave_after_them_is_not_started(month: Month) -> None:
    assert month.phases("zone01") == ["check"]
    assert "the wave was stopped" in month.reason("zone01")
