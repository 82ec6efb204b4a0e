"""A whole cycle on real hosts, by the command line; the hosts are asked what happened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.journal.store import read_entries
from orchestrator.lab.demo import HOSTS
from orchestrator.lab.lab import Lab
from orchestrator.model.evidence import Phase
from orchestrator.model.verdict import Verdict
from tests.cli import Called, sop_run
from tests.lab.costs import BOUNDS, excess
from tests.lab.counted import Counter, spans

pytestmark = pytest.mark.lab
CYCLE = "2026-11"
COUNTED = ("api01", "av01", "idle01", "rpm01", "sec01", "web01")
"""Hosts whose costs are counted: not kernel01, which is asked until it is back from its restart and
keeps no log over it, and not down01, which nothing reaches."""
KEPT_OPEN = 30
"""Seconds that an unused connection is kept open (ControlPersist in ansible.cfg)."""


@dataclass
class Month:
    """A lab, the calls that were made on it, and what was true before."""

    lab: Lab
    home: Path
    boot_ids: dict[str, str]
    calls: dict[str, Called]
    counter: Counter

    @property
    def state(self) -> CycleState:
        return read_state(self.home / "cycles" / CYCLE)

    @property
    def documents(self) -> Path:
        return self.home / "cycles" / CYCLE / "documents"

    def call(self, name: str, *words: str | Path) -> Called:
        called = sop_run(*words, "--inventory", self.lab.inventory, "--home", self.home)
        self.calls[name] = called
        return called

    def sign(self, officer: str) -> Called:
        key = self.lab.officer_key(officer)
        count = sum(name.startswith(officer) for name in self.calls)
        return self.call(f"{officer}-{count}", "sign", CYCLE, "--as", officer, "--key", key)

    def ask(self, host: str, *argv: str) -> str:
        """What a command on the host prints; '' when it fails."""
        done = self.lab.run(host, list(argv))
        return done.stdout.strip() if done.returncode == 0 else ""

    def web(self, host: str, port: int) -> str:
        code = f"import urllib.request as u;print(u.urlopen('http://127.0.0.1:{port}/').read())"
        return self.ask(host, "python3", "-c", code)

    def deb(self, host: str, package: str) -> str:
        return self.ask(host, "dpkg-query", "-W", "-f=${Version} ${db:Status-Abbrev}", package)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The cycle, run to its end once; the tests below look at what it left."""
    folder = tmp_path_factory.mktemp("month")
    lab = Lab.up(folder / "lab", HOSTS, print)
    patch = pytest.MonkeyPatch()
    try:
        made = Month(lab, folder / "home", {}, {}, Counter.begin(lab, COUNTED, folder, patch))
        for host in lab.hosts:
            boot_id = made.ask(host.name, "cat", "/proc/sys/kernel/random/boot_id")
            made.boot_ids[host.name] = boot_id
        monthly = ("monthly", "--period", CYCLE)
        made.call("check", *monthly)
        made.sign("analis")
        before_order = made.deb("web01", "lab-web")
        assert before_order.startswith("1.0"), "nothing changes before the order"
        made.sign("kepala")
        made.call("change", *monthly)
        made.sign("pengelola")
        made.sign("analis")
        made.sign("jf")
        made.sign("kepala")
        made.call("close", *monthly)
        yield made
    finally:
        patch.undo()
        lab.down()


def test_exit_codes_tell_where_the_cycle_stands(month: Month) -> None:
    codes = {name: called.code for name, called in month.calls.items()}
    assert codes == {
        "check": 3,
        "analis-0": 3,  # on to step 4
        "kepala-0": 0,  # next: monthly
        "change": 3,
        "pengelola-0": 3,
        "analis-1": 3,  # step 8 done, the draft waits
        "jf-0": 3,
        "kepala-1": 0,
        "close": 1,  # closed, with findings
    }, "\n".join(c.text for c in month.calls.values())


def test_every_host_has_the_right_verdict(month: Month) -> None:
    assert {h: v.verdict for h, v in month.state.verdicts.items()} == {
        "web01": Verdict.UPDATED,
        "sec01": Verdict.UPDATED,
        "api01": Verdict.ROLLED_BACK,
        "down01": Verdict.UNREACHABLE,
        "av01": Verdict.UPDATED,
        "idle01": Verdict.NOTHING_TO_DO,
        "kernel01": Verdict.UPDATED,
        "rpm01": Verdict.UPDATED,
    }, month.state.verdicts


def test_clean_update(month: Month) -> None:
    assert month.deb("web01", "lab-web").startswith("1.1 ii")
    assert "lab-web 1.1" in month.web("web01", 8080)


def test_real_security_updates(month: Month) -> None:
    items = month.state.items_of("sec01")
    assert len(items) > 5 and {i.kind for i in items} == {"security"}
    for item in items:
        name = item.name if item.arch == "all" else f"{item.name}:{item.arch}"
        assert month.deb("sec01", name).startswith(f"{item.to_version} ii"), item
    assert not month.ask("sec01", "dpkg", "--audit")


def test_broken_service_is_restored_and_answers_again(month: Month) -> None:
    assert month.deb("api01", "lab-api").startswith("1.0 ii")
    assert "lab-api 1.0" in month.web("api01", 8081)
    phases = [o.phase for o in month.state.outcomes["api01"]]
    expected = ["check", "backup", "update", "test", "restore", "test"]
    assert phases == [Phase(p) for p in expected]
    assert "upgrade lab-api:all 1.0 2.0" in month.ask("api01", "cat", "/var/log/dpkg.log")


def test_antivirus_database_and_eicar(month: Month) -> None:
    head = month.ask("av01", "head", "-c", "64", "/var/lib/clamav/daily.cvd")
    assert head.split(":")[2] == "6", head
    outcome = month.state.last("av01", Phase.ANTIVIRUS)
    evidence = outcome.read() if outcome else None
    assert evidence is not None and evidence.facts["eicar"] == "found"
    assert {(i.from_version, i.after) for i in evidence.items} == {("1", "6")}


def test_only_the_host_that_asked_for_it_was_rebooted(month: Month) -> None:
    changed = []
    for host, before in month.boot_ids.items():
        if host != "down01" and month.ask(host, "cat", "/proc/sys/kernel/random/boot_id") != before:
            changed.append(host)
    assert changed == ["kernel01"]
    outcome = month.state.last("kernel01", Phase.UPDATE)
    evidence = outcome.read() if outcome else None
    assert evidence is not None
    assert evidence.facts["boot_id_before"] == month.boot_ids["kernel01"]
    assert evidence.facts["boot_id_after"] not in ("", month.boot_ids["kernel01"])
    assert month.deb("kernel01", "lab-kernel").startswith("6.1.2 ii")


def test_rpm_host(month: Month) -> None:
    for item in month.state.items_of("rpm01"):
        version = month.ask("rpm01", "rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", item.name)
        assert version == item.to_version.split(":")[-1], item
    assert "rlab-web 1.1" in month.web("rpm01", 8090)


def test_idle_and_unreachable_hosts_were_not_touched(month: Month) -> None:
    for host in ("idle01", "down01"):
        assert month.lab.run(host, ["test", "-e", "/var/lib/sop-run"]).returncode == 1
        assert [o.phase for o in month.state.outcomes[host]] == [Phase.CHECK]


def test_every_installed_version_is_the_approved_one(month: Month) -> None:
    for host in month.state.hosts:
        outcome = month.state.last(host, Phase.UPDATE)
        evidence = outcome.read() if outcome else None
        approved = {(i.name, i.arch): i.to_version for i in month.state.approved(host)}
        for item in evidence.items if evidence else ():
            assert item.after == approved[item.name, item.arch]


def test_the_journal_tells_all_and_the_audit_holds(month: Month) -> None:
    state = month.state
    assert [s.state for s in state.steps.values()] == ["passed"] * 13
    signed = [(s.step, s.officer) for s in state.signatures]
    assert signed == [
        (3, "analis"), (4, "kepala"), (8, "pengelola"), (8, "analis"), (10, "jf"), (11, "kepala"),
    ]  # fmt: skip
    audit = month.call("audit", "audit", CYCLE, "--json")
    assert audit.code == 0, audit.text
    assert len(json.loads(audit.out)) > 20


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("journal.db", b"lab-api"),
        ("journal.jsonl", b"lab-api"),
        ("documents/laporan-hasil-update.pdf", b"endstream"),
        ("documents/catatan-update.xlsx", b"xl/worksheets"),
    ],
)
def test_the_audit_names_the_entry_of_a_changed_byte(
    month: Month, tmp_path: Path, name: str, inside: bytes
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(month.home / month.state.archive_path, copy)
    flip(copy / "data" / name, inside)
    called = sop_run("audit", copy)
    assert called.code == 1, called.out
    assert "journal entry" in called.out.split("First failure")[1], called.out


@pytest.mark.parametrize(
    "name", ["data/journal.db", "data/plan.json", "data/VERIFY.txt", "bag-info.txt", "bagit.txt"]
)
def test_the_audit_finds_any_changed_file(month: Month, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(month.home / month.state.archive_path, copy)
    with (copy / name).open("ab") as file:
        file.write(b"x")
    called = sop_run("audit", copy)
    assert called.code == 1 and Path(name).name in called.out.split("First failure")[1]


def flip(path: Path, inside: bytes) -> None:
    """Change one byte of the first place that holds `inside`."""
    data = bytearray(path.read_bytes())
    data[data.index(inside)] ^= 1
    path.write_bytes(bytes(data))


def test_each_phase_costs_a_host_one_task_one_command_and_one_commit(month: Month) -> None:
    """And no more bytes than it did; what costs more is named. Speed hangs on these numbers."""
    runs = spans(month.home / "cycles" / CYCLE)
    assert {str(run.phase) for run in runs} == set(BOUNDS)
    assert sum(host in run.programs for run in runs for host in COUNTED) == 23
    found = [
        f"{host}: {words}"
        for run in runs
        for host in sorted(set(COUNTED) & set(run.programs))
        for words in excess(
            str(run.phase), month.counter.cost(run, host), len(month.state.items_of(host))
        )
    ]
    assert found == []
    for run in runs:
        assert len(run.entries) == len(run.programs) + 2, f"{run.phase}: commits beside its hosts'"


def test_hosts_are_asked_nothing_outside_of_phases(month: Month) -> None:
    entries = list(read_entries(month.home / "cycles" / CYCLE / "journal.db"))
    runs = spans(month.home / "cycles" / CYCLE)
    inside = {entry.seq for run in runs for entry in run.entries}
    for host in COUNTED:
        times = month.counter.tasks(host) + [s.start for s in month.counter.sessions(host)]
        assert all(any(run.holds(at) for run in runs) for at in times), host
        beside = [e.kind for e in entries if e.host == host and e.seq not in inside]
        # The parts of the plan are one commit, however many hosts it names.
        assert [kind for kind in beside if kind != "plan.part"] == ["host.verdict"], host


def test_a_connection_is_used_again_by_the_phases_that_follow(month: Month) -> None:
    for host in COUNTED:
        first, *rest = sessions = month.counter.sessions(host)
        assert first.new
        for before, session in zip(sessions, rest, strict=False):
            unused = session.start - before.end
            assert not session.new or unused > KEPT_OPEN - 1, f"{host}: {unused} s"


def test_documents_name_every_host_item_and_signer(month: Month) -> None:
    state = month.state
    book = load_workbook(month.documents / "laporan-hasil-pengecekan.xlsx")
    assert book.sheetnames == ["Daftar Perangkat Lunak", "Jadwal Pengecekan", "Rekap"]
    cells = {str(c.value) for row in book.worksheets[0].iter_rows() for c in row if c.value}
    assert state.plan is not None
    for item in state.plan.items:
        assert {item.host, item.name, item.to_version} <= cells
    schedule = {str(c.value) for row in book.worksheets[1].iter_rows() for c in row if c.value}
    assert set(state.hosts) <= schedule
    record = load_workbook(month.documents / "catatan-update.xlsx")
    written = {str(c.value) for s in record for row in s.iter_rows() for c in row if c.value}
    assert set(state.hosts) <= written and "2.0" in written
    for name in ("disposisi", "notulensi", "laporan-hasil-update-draf", "laporan-hasil-update"):
        reader = PdfReader(month.documents / f"{name}.pdf")
        text = " ".join(page.extract_text() for page in reader.pages)
        assert "Contoh" in text
        if name.startswith("laporan"):
            squeezed = text.replace("\n", "").replace("-", "")
            assert all(host in squeezed for host in state.hosts), name
            drafts = [("DRAF" in page.extract_text()) for page in reader.pages]
            assert set(drafts) == {name.endswith("draf")}
