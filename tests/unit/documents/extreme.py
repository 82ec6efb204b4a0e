"""Cycles at the edges: a large one, and a nasty one with everything long, odd or missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.journal.state import (
    CycleState,
    Decision,
    Note,
    PhaseRun,
    RelaxedRule,
    ReturnRecord,
)
from orchestrator.model.evidence import Outcome, OutcomeKind, Phase
from orchestrator.model.office import Office
from orchestrator.model.plan import Item, Order, Plan, Whole
from orchestrator.model.selection import Selection
from orchestrator.model.verdict import HostVerdict, Verdict
from orchestrator.model.working_time import HolidayRecord, WorkingTime
from tests.unit.documents.sample import (
    DEBIAN,
    HOSTILE,
    OFFICE,
    ROCKY,
    answer,
    at,
    backed_up,
    hostile,
    item,
    normal,
    plan_of,
    tests_of,
    unreachable,
)

_ROLES = (
    "web",
    "portal",
    "basisdata",
    "surat",
    "berkas",
    "arsip",
    "dns",
    "proksi",
    "api",
    "pantau",
)
_PACKAGES = (
    ("security", "openssl", "3.0.14-1~deb12u2", "3.0.17-1~deb12u3", "high", 2),
    ("security", "libssl3", "3.0.14-1~deb12u2", "3.0.17-1~deb12u3", "high", 2),
    ("security", "linux-image-6.1.0-41-amd64", "6.1.106-3", "6.1.158-1", "critical", 6),
    ("security", "libc6", "2.36-9+deb12u8", "2.36-9+deb12u13", "medium", 1),
    ("security", "sudo", "1.9.13p3-1+deb12u1", "1.9.13p3-1+deb12u2", "high", 1),
    ("security", "libxml2", "2.9.14+dfsg-1.3~deb12u1", "2.9.14+dfsg-1.3~deb12u4", "", 3),
    ("system", "tzdata", "2024a-0+deb12u1", "2026b-0+deb12u1", "low", 0),
    ("system", "base-files", "12.4+deb12u7", "12.4+deb12u12", "", 0),
    ("system", "postgresql-15", "15.8-0+deb12u1", "15.14-0+deb12u1", "", 0),
    ("system", "nginx", "1.22.1-9", "1.22.1-9+deb12u3", "", 0),
    ("system", "systemd", "252.30-1~deb12u2", "252.39-1~deb12u1", "", 0),
    ("antivirus", "clamav-db (daily)", "27410", "latest", "", 0),
)


def _items(count: int) -> list[dict[str, Any]]:
    """So many items of one host; beyond the known packages they are numbered libraries."""
    rows = []
    for n in range(count):
        kind, name, before, after, severity, cves = _PACKAGES[n % len(_PACKAGES)]
        if n >= len(_PACKAGES):
            kind, name = ("system", f"lib{name.split()[0]}-{n}") if kind == "antivirus" else (
                kind, f"{name}-{n}")  # fmt: skip
        source = {"security": "Debian-Security", "antivirus": "ClamAV"}.get(kind, "bookworm")
        advisories = [f"CVE-2026-{10000 + 40 * n + k}" for k in range(cves)]
        rows.append(item(kind, name, before, after, source=source, severity=severity,
                         advisories=advisories, reboot=name.startswith("linux-")))  # fmt: skip
    return rows


def host_names(count: int) -> tuple[str, ...]:
    """Names as offices give them, unique."""
    return tuple(f"{_ROLES[n % len(_ROLES)]}-{n + 1:02d}" for n in range(count))


def large(until: int = 11, hosts: int = 60, items: int = 12) -> CycleState:
    """Many hosts in waves; one in twelve is restored, one in twenty is not reached."""
    names = host_names(hosts)
    state = normal(until)
    state.hosts = names
    state.addresses = {h: f"10.77.{n // 250}.{n % 250 + 1}" for n, h in enumerate(names)}
    offered = {h: _items(items) for n, h in enumerate(names) if n % 20 != 7}
    state.plan = plan_of(names, offered)
    state.decisions = {
        i.number: Decision(False, "Menunggu jendela pemeliharaan Desember")
        for i in state.plan.items
        if i.name == "postgresql-15" and i.number % 3 == 0
    } if until >= 3 else {}  # fmt: skip
    state.outcomes, state.verdicts, state.runs = {}, {}, []
    for n, host in enumerate(names):
        system = ROCKY if host.startswith("surat") else DEBIAN
        state.outcomes[host] = [
            unreachable(host) if host not in offered else answer(
                host, Phase.CHECK, 5, items=offered[host], problems=[],
                facts={"os": system, "kernel": "6.1.0-25-amd64", "failed_units": [],
                       "antivirus": {"product": "clamav", "engine": "1.0.7", "daemon": "active"},
                       "reboot_required": n % 15 == 2})
        ]  # fmt: skip
        if until >= 7:
            _work(state, n, host, offered.get(host))
    if until >= 7:
        waves = [names[:1], *(names[n : n + 10] for n in range(1, len(names), 10))]
        for wave, members in enumerate(waves):
            for k, phase in enumerate((Phase.BACKUP, Phase.UPDATE, Phase.ANTIVIRUS, Phase.TEST)):
                start = 160 + 12 * wave + 3 * k
                state.runs.append(PhaseRun(phase, wave, members, at(start), at(start + 2.5), 151.0))
    return state


def _work(state: CycleState, n: int, host: str, offered: list[dict[str, Any]] | None) -> None:
    if offered is None:
        state.verdicts[host] = HostVerdict(
            host=host, verdict=Verdict.UNREACHABLE, reason="tidak ada rute"
        )
        return
    minute = 160 + 12 * (n // 10)
    broken = n % 12 == 5
    approved = [i for k, i in enumerate(offered) if i["name"] != "postgresql-15"]
    plain = [i for i in approved if i["class"] != "antivirus"]
    virus = [i for i in approved if i["class"] == "antivirus"]
    out = state.outcomes[host]
    out.append(backed_up(host, minute))
    if plain:
        done = [{**i, "after": i["to"], "result": "updated"} for i in plain]
        out.append(answer(host, Phase.UPDATE, minute + 3, items=done, facts={"rebooted": True}))
    if virus:
        done = [{**i, "after": "27461", "result": "updated"} for i in virus]
        out.append(answer(host, Phase.ANTIVIRUS, minute + 5, items=done, facts={"eicar": "found"}))
    out.append(tests_of(host, minute + 7, broken=broken))
    verdict = Verdict.UPDATED
    if broken:
        back = [{**i, "after": i["from"], "result": "restored"} for i in plain]
        out.append(answer(host, Phase.RESTORE, minute + 9, items=back))
        out.append(tests_of(host, minute + 10))
        verdict = Verdict.ROLLED_BACK
    state.verdicts[host] = HostVerdict(host=host, verdict=verdict, reason="")


def nasty(until: int = 11) -> CycleState:
    """Hostile texts, very long names of office and officers, every verdict, nothing optional."""
    state = hostile(until)
    long_office: dict[str, Any] = {
        "office": {
            "government": "Pemerintah Kabupaten Administrasi Kepulauan Contoh Raya Selatan Barat",
            "agency": "Dinas Komunikasi, Informatika, Persandian, Statistik, Pemberdayaan dan "
                      "Pengelolaan Data Terpadu Kabupaten",
            "unit": "Bidang Penyelenggaraan Pemerintahan Berbasis Elektronik dan Persandian",
            "city": "Kota Contoh Barat Daya",
        },
        "letters": {"number_pattern": "B/500.12.12.3/DISKOMINFO-STP/{cycle}/{month_roman}/{year}",
                    "paper": "a4"},
        "officers": [
            {**o, "name": f"Prof. Dr. Ir. {o['name'].split(',')[0]} Kusumawardhani-Notonegoro "
             "Hadiningrat, S.Kom., M.Kom., M.T., Ph.D.", "nip": "", "rank": ""}
            for o in OFFICE["officers"]
        ],
        "steps": {2: {"name": "Melakukan pengecekan menyeluruh " + "dan berulang " * 15}},
        "rules": {},
    }  # fmt: skip
    state.office = Office.model_validate(long_office)
    every = list(Verdict)
    for host, verdict in zip(state.hosts, every, strict=False):
        if until >= 7:
            state.verdicts[host] = HostVerdict(host=host, verdict=verdict, reason="x" * 300)
    name = "sangat-panjang." * 16 + "contoh.go.id"
    state.outcomes[state.hosts[0]].append(
        Outcome(host=state.hosts[0], phase=Phase.TEST, kind=OutcomeKind.FAILED, reason=name)
    )
    state.notes = [Note(n, "pranata", HOSTILE["long"] + " " + "kata " * 60, at(200)) for n in
                   (2, 5, 7, 10)]  # fmt: skip
    return state


def incidental(until: int = 11) -> CycleState:
    """An incidental cycle that says all there is: reason, scope, relaxed rules, notes, a return."""
    state = normal(until)
    state.cycle, state.kind = "2026-11-i07", "incidental"
    state.reason = "CVE-2026-10001 pada OpenSSL sedang dieksploitasi"
    state.selection = Selection(security=True, packages=("openssl", "libssl3"))
    state.office = state.office.model_copy(update={"working_time": WorkingTime()})
    state.holidays = HolidayRecord(
        schema="sop-run/holidays/1", source="holidays 1.0, ID", national=True, collective=True,
        first_year=2026, last_year=2027, days={"2026-11-20": "Hari libur contoh"},
    )  # fmt: skip
    state.recounted_at = at(300)
    state.relaxed = [
        RelaxedRule("duties", "duties are not kept apart", {}, at(0)),
        RelaxedRule("time", "time", {"step": "7", "now": "90", "standard": "60"}, at(0), at(900)),
        RelaxedRule("canary", "no canary", {}, at(157)),
    ]
    if until >= 4:
        state.order = Order(canary=0, wave="25%", abort_limit="unlimited")
    if until >= 9:
        state.notes = [
            Note(5, "pranata", "Jaringan lambat.", at(240), "overrun", "pranata", 80, True),
            Note(9, "op@kendali", "Tambah ruang disk.", at(255), "suggestion", "pengelola", 92),
            Note(9, "pengelola", "Bagian C dilengkapi.", at(255), "remark", "pengelola", 93, True),
        ]
        state.steps[5].seconds = 12_000.0
        state.returns = [
            ReturnRecord(10, 9, "Hasil surat-07 belum ada.", "pranata", at(256), 94, at(250))
        ]
    return state


def rehearsed(until: int = 11) -> CycleState:
    """A dry run, marked so on every page of whatever is made of it."""
    state = normal(until)
    state.rehearsal = True
    if until >= 7:
        for host, verdict in state.verdicts.items():
            if verdict.verdict is Verdict.UPDATED:
                state.verdicts[host] = HostVerdict(host=host, verdict=Verdict.READY)
    return state


EXTREMES = {
    "large": large, "nasty": nasty, "incidental": incidental, "rehearsed": rehearsed,
}  # fmt: skip


def many_items(state: CycleState, count: int) -> None:
    """Give the cycle's plan so many items: its own ones, again and again."""
    assert state.plan is not None
    few, places = tuple(state.plan.items), {h: n for n, h in enumerate(state.hosts)}
    many = (few[n % len(few)] for n in range(count))
    state.plan = replan(state.plan, sorted(many, key=lambda item: places[item.host]))


def replan(plan: Plan, items: Iterable[Item]) -> Plan:
    """The same plan with other items, which are numbered anew."""
    numbered = tuple(i.model_copy(update={"number": n}) for n, i in enumerate(items, start=1))
    return Whole(cycle=plan.cycle, revision=plan.revision, hosts=plan.hosts, items=numbered).plan()
