"""One cycle in which hosts end in every verdict but `lost`, each for a cause that is named.

Faults 4, 6 to 9, 12 to 15, 18, 19, 21 and 22. `lost`: test_faults_lines.py.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator

import pytest

from hostside import durable
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.rpm import RpmPackage
from orchestrator.lab.signing import SigningKey
from tests.lab.asked import ask, seconds_off, sh, told
from tests.lab.left import left_overs
from tests.lab.month import Month, hold_lock, set_rules, set_variables
from tests.lab.repository import Deb, copy_of, install, offer, offer_rpm, resign, swap, use

pytestmark = pytest.mark.lab

HOSTS = [
    HostSpec("web01", "full", "clean"),
    HostSpec("idle01", "full", "idle"),
    HostSpec("tool01", "full", "tool"),
    HostSpec("av01", "full", "antivirus"),
    HostSpec("api01", "full", "breaks"),
    HostSpec("api02", "full", "breaks"),
    HostSpec("down01", "full", "unreachable"),
    HostSpec("half01", "full", "tool"),
    HostSpec("lock01", "full", "clean"),
    HostSpec("lock02", "full", "clean"),
    HostSpec("newer01", "full", "clean"),
    HostSpec("hash01", "full", "clean"),
    HostSpec("less01", "full", "clean"),
    HostSpec("nobak01", "full", "tool"),
    HostSpec("full01", "full", "tool"),
    HostSpec("inode01", "full", "tool"),
    HostSpec("held01", "full", "held"),
    HostSpec("key01", "full", "clean"),
    HostSpec("expired01", "full", "clean"),
    HostSpec("unsigned01", "full", "clean"),
    HostSpec("gone01", "full", "clean"),
    HostSpec("rpm01", "rpm", "rpm"),
    HostSpec("zone01", "thin", "thin"),
]
VERDICTS = {
    "web01": "updated",
    "idle01": "nothing-to-do",
    "tool01": "deferred",
    "av01": "incomplete",
    "api01": "rolled-back",
    "api02": "needs-human",
    "down01": "unreachable",
    "half01": "refused",
    "lock01": "blocked",
    "lock02": "blocked",
    "newer01": "superseded",
    "hash01": "refused",
    "less01": "refused",
    "nobak01": "refused",
    "full01": "refused",
    "inode01": "refused",
    "held01": "nothing-to-do",
    "key01": "check-failed",
    "expired01": "check-failed",
    "unsigned01": "check-failed",
    "gone01": "check-failed",
    "rpm01": "superseded",
    "zone01": "not-started",
}
WORKED_ON = 14  # hosts with an approved item before zone01
OLD_KEPT = Deb("lab-kept", "1.0")
HALF = Deb("lab-half", "1.0", postinst="exit 1")
DEAD_UNIT = "[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n"
# A host's own hook that destroys the backup as soon as the packages are installed.
SABOTAGE = 'DPkg::Post-Invoke {"btrfs subvolume delete /.snapshots/sop-run-* || true";};\n'
BECOMES_TMPFS = """set -e; mkdir /root/var
mount -t tmpfs -o {options} tmpfs /root/var
cp -a /var/. /root/var/; mount --bind /root/var /var"""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The cycle, run to its end once; the tests below look at what it left."""
    folder = tmp_path_factory.mktemp("verdicts")
    lab = Lab.up(folder / "lab", HOSTS, print)
    try:
        made = Month(lab, folder / "home")
        prepare(lab)
        assert made.monthly().code == 3
        item = next(i for i in made.state.plan.items if i.host == "tool01")  # type: ignore[union-attr]
        made.sign("analis", "--defer", f"{item.number}=vendor asks to wait")
        made.sign("kepala")
        between_order_and_change(lab)
        hold_lock(lab, "web01", 10)
        hold_lock(lab, "lock01", 600)
        hold_lock(lab, "lock02", 600, once="/.snapshots/sop-run-*")
        made.monthly()
        for officer in ("pengelola", "analis", "jf", "kepala"):
            made.sign(officer)
        made.close = made.monthly()
        yield made
    finally:
        lab.down()
    assert left_overs(lab.state.prefix, lab.directory) == []


def prepare(lab: Lab) -> None:
    """Faults that are there before the check."""
    set_rules(lab, canary=WORKED_ON, abort_limit=2)
    set_variables(lab, "lock01", backup_lock_seconds=2)
    set_variables(lab, "lock02", update_lock_seconds=2)
    set_variables(lab, "nobak01", backup_method="btrfs")
    for host in ("hash01", "less01"):  # their package is had from the source at the update only
        set_variables(lab, host, check_stage=False)
    for name in ("newer", "hash", "less", "key", "expired", "unsigned", "kept"):
        copy_of(lab, "debian", name)
    www = lab.directory / "www"
    resign(www / "key", SigningKey.generate(lab.directory / "keys/other"))
    offer(lab, www / "kept", Deb("lab-kept", "1.1", depends="lab-no-such-package"))
    install(lab, "held01", OLD_KEPT)
    resign(
        www / "expired",
        SigningKey(lab.directory / "keys/gnupg"),
        "Valid-Until: Mon, 02 Nov 2026 00:00:00 UTC\n",
    )
    for path in (www / "unsigned").glob("dists/*/InRelease"):
        path.unlink()
    for host in ("newer01", "hash01", "less01", "key01", "expired01", "unsigned01", "gone01"):
        use(lab, host, host.removesuffix("01"))
    use(lab, "held01", "kept")
    settings = lab.root("expired01") / "etc/apt/apt.conf.d/99lab"
    settings.write_text(settings.read_text().replace('Check-Valid-Until "false"', "X 0"))
    (lab.root("api02") / "etc/apt/apt.conf.d/90sabotage").write_text(SABOTAGE)
    HALF.build(lab.root("half01") / "root")
    sh(lab, "half01", f"dpkg --install /root/{HALF.file_name} || true")
    sh(lab, "full01", BECOMES_TMPFS.format(options="size=190m"))
    sh(lab, "nobak01", BECOMES_TMPFS.format(options="size=1g"))
    sh(lab, "inode01", BECOMES_TMPFS.format(options="size=2g,nr_inodes=4500"))
    # Fault 15: a service that was dead before is not blamed on the update.
    (lab.root("web01") / "etc/systemd/system/dead.service").write_text(DEAD_UNIT)
    sh(lab, "web01", "systemctl daemon-reload; systemctl enable --now dead; sleep 0.3")


def between_order_and_change(lab: Lab) -> None:
    """What happens to the package sources while the officers sign."""
    newer = copy_of(lab, "debian", "newer-still")
    offer(lab, newer, Deb("lab-web", "1.2"))
    swap(lab, "newer", "newer-still")
    offer_rpm(lab, copy_of(lab, "rpm", "rpm-newer"), RpmPackage("rlab-tool", "1.2", "updates"))
    swap(lab, "rpm", "rpm-newer")
    package = lab.directory / "www/hash/pool/lab-security/lab-web_1.1_all.deb"
    data = bytearray(package.read_bytes())
    data[-20] ^= 1
    package.write_bytes(bytes(data))
    (lab.directory / "www/less/pool/lab-security/lab-web_1.1_all.deb").unlink()
    (lab.directory / "www/antivirus").rename(lab.directory / "www/.antivirus")


def test_every_host_ends_in_its_verdict(month: Month) -> None:
    found = {host: str(v.verdict) for host, v in month.state.verdicts.items()}
    assert found == VERDICTS, {h: v.reason for h, v in month.state.verdicts.items()}


def test_the_cycle_comes_to_its_end_with_findings(month: Month) -> None:
    assert [s.state for s in month.state.steps.values()] == ["passed"] * 13
    assert month.close.code == 1
    audit = month.call("audit", "2026-11")
    assert audit.code == 0, audit.text


def test_updated_after_a_lock_was_waited_for(month: Month) -> None:
    assert month.deb("web01", "lab-web") == "1.1 ii"
    assert month.evidence("web01", "backup")["seconds"] > 2
    assert month.upgrades("web01") == ["lab-web:all"]
    tests = month.evidence("web01", "test")["facts"]["tests"]
    assert [t["result"] for t in tests if t["target"] == "dead.service"] == ["preexisting"]


@pytest.mark.parametrize(
    ("host", "phases"), [("lock01", ["backup"]), ("lock02", ["backup", "update"])]
)
def test_blocked_names_who_holds_the_lock(month: Month, host: str, phases: list[str]) -> None:
    pid = month.ask(host, "pgrep", "-x", "lab-holder")
    reason = month.reason(host)
    assert f"after 2 s: lab-holder (process {pid}) holds /var/lib/dpkg/lock-frontend" in reason
    assert month.phases(host) == ["check", *phases]
    assert month.deb(host, "lab-web") == "1.0 ii"
    assert len(month.snapshots(host)) == len(phases) - 1


def test_deferred_and_nothing_to_do_hosts_were_not_touched(month: Month) -> None:
    assert month.deb("tool01", "lab-tool") == "1.0 ii"
    for host in ("tool01", "idle01", "held01", "key01", "zone01"):
        assert month.phases(host) == ["check"], host
        assert month.lab.run(host, ["test", "-e", "/var/lib/sop-run"]).returncode == 1, host
    assert "vendor asks to wait" in str(month.state.decisions)


def test_held_and_kept_back_packages_are_listed_apart(month: Month) -> None:
    withheld = month.evidence("held01", "check")["facts"]["withheld"]
    assert {(w["name"], w["from"], w["to"], w["reason"]) for w in withheld} == {
        ("lab-held", "1.0", "1.1", "held"),
        ("lab-kept", "1.0", "1.1", "kept-back"),
    }


def test_incomplete_names_what_was_not_reached(month: Month) -> None:
    reason = month.reason("av01")
    assert reason.startswith("clamav-db (") and "was not updated" in reason
    assert month.phases("av01") == ["check", "backup", "antivirus", "test"]


def test_rolled_back_works_as_before(month: Month) -> None:
    assert "lab-api.service" in month.reason("api01")
    assert month.deb("api01", "lab-api") == "1.0 ii"
    assert month.ask("api01", "curl", "-s", "127.0.0.1:8081") == "lab-api 1.0"
    assert len(month.snapshots("api01")) == 1


def test_a_restore_that_fails_needs_a_human(month: Month) -> None:
    reason = month.reason("api02")
    assert "restore failed" in reason and "/.snapshots/sop-run-" in reason
    assert month.deb("api02", "lab-api") == "2.0 ii"
    assert month.snapshots("api02") == []
    assert "needs-human" in month.close.text


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("half01", "dpkg has not finished: lab-half"),
        ("full01", "MB free and needs"),
        ("inode01", "free inodes and needs 5000"),
    ],
)
def test_the_preflight_refuses_with_the_cause(month: Month, host: str, words: str) -> None:
    assert words in month.reason(host)
    assert month.deb(host, "lab-tool") == "1.0 ii"
    assert month.phases(host) == ["check", "backup"]
    assert not month.ask(host, "ls", "/var/lib/sop-run/backups")


@pytest.mark.parametrize(
    ("host", "words"), [("hash01", "Hash Sum mismatch"), ("less01", "404 File not found")]
)
def test_a_package_file_that_is_wrong_or_gone_is_not_installed(
    month: Month, host: str, words: str
) -> None:
    message = month.told(host, "update")["download-failed"]
    assert "lab-web_1.1_all.deb" in message and words in message
    assert month.deb(host, "lab-web") == "1.0 ii"
    assert month.upgrades(host) == []


def test_without_a_proven_backup_nothing_is_updated(month: Month) -> None:
    assert month.reason("nobak01").startswith("no proven backup: backup_method is btrfs, but /var")
    assert month.phases("nobak01") == ["check", "backup"]
    assert month.deb("nobak01", "lab-tool") == "1.0 ii"


def test_superseded_installs_nothing_and_names_both_versions(month: Month) -> None:
    assert "lab-web: approved 1.1, offered 1.2" in month.reason("newer01")
    assert month.deb("newer01", "lab-web") == "1.0 ii"
    assert "rlab-tool: approved 1.1-1.lab, offered 1.2-1.lab" in month.reason("rpm01")
    for name in ("rlab-tool", "rlab-web"):
        assert month.ask("rpm01", "rpm", "-q", "--qf", "%{VERSION}", name) == "1.0"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("key01", "NO_PUBKEY"),
        ("expired01", "is expired"),
        ("unsigned01", "is not signed"),
        ("gone01", "does not have a Release file"),
    ],
)
def test_a_source_that_is_not_proven_gives_no_list(month: Month, host: str, words: str) -> None:
    assert words in month.told(host, "check")["metadata-refresh-failed"]
    assert f"/{host.removesuffix('01')}" in month.reason(host)
    assert month.state.items_of(host) == ()


def test_the_wave_stopped_before_the_last_host(month: Month) -> None:
    assert "the wave was stopped" in month.reason("zone01")
    assert any("more hosts failed than the order allows" in n.text for n in month.state.notes)


def test_the_journal_holds_the_very_receipts_of_the_hosts(month: Month) -> None:
    compared = 0
    for host, outcomes in month.state.outcomes.items():
        for outcome in outcomes:
            told_ = outcome.evidence or {}
            if "receipt" in told_:
                name = f"transactions/{told_['transaction']}/receipt.json"
                path = month.lab.root(host) / "var/lib/sop-run" / name
                text = month.ask(host, "cat", f"/var/lib/sop-run/{name}") or path.read_text()
                kept = json.loads(text)
                del kept["sha256"]
                assert durable.digest(kept) == told_["receipt"], (host, outcome.phase)
                compared += 1
    assert compared > 2 * WORKED_ON - 8


def test_a_clock_that_is_off_is_refused(month: Month) -> None:
    began = time.time()
    hour = began - 3600
    found = ask(month.lab, "tool01", "backup", {}, transaction="e" * 32, clock=hour)
    assert found["status"] == "refused"
    assert 3600 <= seconds_off(told(found)) <= 3601 + time.time() - began


def test_old_backups_go_and_those_of_others_stay(month: Month) -> None:
    sh(month.lab, "tool01", "btrfs -q subvolume snapshot / /.snapshots/by-hand")
    names = [f"{number:032x}" for number in range(3)]
    for name in names:
        assert ask(month.lab, "tool01", "backup", {}, transaction=name)["status"] == "ok"
    kept = [f"sop-run-{name}" for name in names[1:]]
    assert month.snapshots("tool01") == ["by-hand", *kept]
    records = month.ask("tool01", "ls", "/var/lib/sop-run/backups").split()
    assert records == [f"{name}.json" for name in kept]


def test_a_full_root_is_refused_too(month: Month) -> None:
    """Last: the hosts of a lab share one file system."""
    pool = month.lab.root("tool01").parents[1]
    free = shutil.disk_usage(pool).free
    sh(month.lab, "tool01", f"fallocate -l {free - 150 * 2**20} /root/full")
    found = ask(month.lab, "tool01", "backup", {}, transaction="c" * 32)
    assert found["status"] == "refused"
    assert "/ has " in told(found)["no-space"]
