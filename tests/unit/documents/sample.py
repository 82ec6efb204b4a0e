"""Cycles to draw documents of: a normal one like the demo, a hostile, an empty and a failed one."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from orchestrator.journal.moves import note_relaxed
from orchestrator.journal.state import (
    CycleState,
    Decision,
    Note,
    PhaseRun,
    SignatureRecord,
    StepState,
)
from orchestrator.model.evidence import Outcome, OutcomeKind, Phase
from orchestrator.model.office import Office
from orchestrator.model.plan import Item, Order, Plan, Whole
from orchestrator.model.verdict import HostVerdict, Verdict

OFFICE: dict[str, Any] = {
    "office": {
        "government": "Pemerintah Kota Contoh",
        "agency": "Dinas Komunikasi, Informatika, Statistik dan Persandian",
        "address": "Jalan Contoh Nomor 2, Kota Contoh 57111",
        "phone": "(0271) 000000",
        "website": "diskominfo.example.go.id",
        "email": "diskominfo@example.go.id",
        "city": "Kota Contoh",
        "place": "Ruang NOC Bidang Teknologi dan Informatika",
    },
    "letters": {"number_pattern": "500.12.12/{cycle}/{month_roman}/{year}"},
    "officers": [
        {
            "id": "pengelola",
            "role": "pengelola",
            "name": "Contoh Pengelola, A.Md.Kom.",
            "rank": "Pengatur (II/c)",
            "nip": "19950101 202012 1 001",
        },
        {
            "id": "analis",
            "role": "analis",
            "name": "Contoh Analis, S.Kom.",
            "rank": "Penata Muda Tingkat I (III/b)",
            "nip": "19900202 201903 2 002",
        },
        {
            "id": "pranata",
            "role": "jf",
            "name": "Contoh Pranata Komputer, S.T., M.Kom.",
            "rank": "Penata (III/c)",
            "nip": "19850303 201001 1 003",
        },
        {
            "id": "kepala",
            "role": "kepala",
            "name": "Contoh Kepala Bidang, S.Kom., M.T.",
            "rank": "Pembina (IV/a)",
            "nip": "19780404 200501 1 004",
        },
    ],
}
START = datetime.fromisoformat("2026-11-19T01:00:00+00:00")
DEBIAN = {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"}
ROCKY = {"id": "rocky", "version": "9.4", "name": "Rocky Linux 9.4 (Blue Onyx)"}
HOSTS = ("web-01", "portal-02", "layanan-03", "cadangan-04", "berkas-05", "arsip-06", "surat-07")


def at(minutes: float) -> str:
    """UTC time so many minutes after the cycle was opened."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def item(
    kind: str, name: str, before: str, after: str, *, arch: str = "amd64", **more: Any
) -> dict[str, Any]:
    """An item as evidence and plan write it."""
    return {"class": kind, "name": name, "arch": arch, "from": before, "to": after, **more}


def answer(host: str, phase: Phase, minute: float, **parts: Any) -> Outcome:
    """An outcome with evidence; `parts` go into the evidence."""
    evidence = {
        "schema": "sop-run/evidence/1",
        "phase": phase.value,
        "status": "ok",
        "started": at(minute),
        "ended": at(minute + 1.5),
        "seconds": 90.0,
        **parts,
    }
    return Outcome(host=host, phase=phase, kind=OutcomeKind.EVIDENCE, evidence=evidence)


def signature(step: int, officer: str, minute: float, seq: int, role: str) -> SignatureRecord:
    """A signature in SSH's armored form over a made-up key."""
    key = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + officer.encode().ljust(32, b"\0")
    blob = b"SSHSIG" + (1).to_bytes(4, "big") + len(key).to_bytes(4, "big") + key + b"rest"
    body = base64.b64encode(blob).decode()
    armored = f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n"
    name = next(o["name"] for o in OFFICE["officers"] if o["id"] == officer)
    return SignatureRecord(step, officer, name, role, at(minute), "{}", armored, seq)


CLAM = item("antivirus", "clamav-db (daily)", "27410", "latest", arch="", source="ClamAV")
ITEMS: dict[str, list[dict[str, Any]]] = {
    "web-01": [
        item("system", "demo-web", "1.0-1", "1.1-1", source="demo", size=48_000, arch="all"),
        item("system", "tzdata", "2024a-0+deb12u1", "2026b-0+deb12u1", source="bookworm-updates",
             size=300_000, severity="low", arch="all"),
    ],
    "portal-02": [
        item("security", name, before, after, source="Debian-Security", size=1_900_000,
             severity=severity, advisories=[f"CVE-2026-{10000 + n}"], reboot=name.startswith("lin"))
        for n, (name, before, after, severity) in enumerate([
            ("openssl", "3.0.14-1~deb12u2", "3.0.17-1~deb12u3", "high"),
            ("libssl3", "3.0.14-1~deb12u2", "3.0.17-1~deb12u3", "high"),
            ("linux-image-6.1.0-41-amd64", "6.1.106-3", "6.1.158-1", "critical"),
            ("libc6", "2.36-9+deb12u8", "2.36-9+deb12u13", "medium"),
            ("sudo", "1.9.13p3-1+deb12u1", "1.9.13p3-1+deb12u2", "high"),
            ("libxml2", "2.9.14+dfsg-1.3~deb12u1", "2.9.14+dfsg-1.3~deb12u4", ""),
            ("curl", "7.88.1-10+deb12u8", "7.88.1-10+deb12u14", "low"),
        ])
    ],
    "layanan-03": [
        item("system", "demo-layanan", "2.3-1", "2.4-1", source="demo", size=52_000, arch="all")
    ],
    "berkas-05": [CLAM],
    "surat-07": [
        item("system", "demo-surat", "1.4-1.el9", "1.5-1.el9", arch="noarch", source="demo-rpm"),
        item("security", "postfix", "2:3.5.18-2.el9", "2:3.5.25-1.el9", arch="x86_64",
             source="baseos", severity="Important", advisories=["RLSA-2026:1001"]),
    ],
}  # fmt: skip


def office(**rules: Any) -> Office:
    """The sample office."""
    return Office.model_validate({**OFFICE, "rules": rules})


def plan_of(hosts: tuple[str, ...], items: dict[str, list[dict[str, Any]]]) -> Plan:
    """A plan with numbered items."""
    flat = [(host, one) for host in hosts for one in items.get(host, [])]
    return Whole(
        cycle="2026-11",
        revision=1,
        hosts=hosts,
        items=tuple(
            Item.model_validate({"number": n, "host": host, **one})
            for n, (host, one) in enumerate(flat, start=1)
        ),
    ).plan()


def checked(host: str, system: dict[str, str], **facts: Any) -> Outcome:
    """A check's outcome."""
    return answer(
        host,
        Phase.CHECK,
        5,
        items=ITEMS.get(host, []),
        facts={
            "os": system,
            "kernel": "6.1.0-25-amd64",
            "antivirus": {"product": "clamav", "engine": "1.0.7", "daemon": "active"},
            **facts,
        },
        problems=[],
    )


def unreachable(host: str, phase: Phase = Phase.CHECK) -> Outcome:
    """No connection."""
    return Outcome(
        host=host,
        phase=phase,
        kind=OutcomeKind.UNREACHABLE,
        reason="ssh: connect to host 10.77.0.14 port 22: No route to host",
    )


def tests_of(host: str, minute: float, *, broken: bool = False, status: str = "ok") -> Outcome:
    """Three tests; `broken`: the service does not run."""
    service = ("failed", "inactive (dead): Main process exited, code=exited, status=1/FAILURE")
    return answer(host, Phase.TEST, minute, status=status, facts={"tests": [
        {"name": "unit", "kind": "unit", "target": f"{host}.service", "required": True,
         "result": service[0] if broken else "passed",
         "evidence": service[1] if broken else "active (running)", "seconds": 0.1},
        {"name": "port", "kind": "port", "target": "tcp/8080", "required": True,
         "result": "failed" if broken else "passed",
         "evidence": "connection refused" if broken else "terbuka, 2 ms", "seconds": 0.1},
        {"name": "failed", "kind": "failed-units", "target": "systemd", "required": True,
         "result": "passed", "evidence": "0 unit gagal", "seconds": 0.1},
    ]})  # fmt: skip


def backed_up(host: str, minute: float) -> Outcome:
    """A proven backup."""
    return answer(host, Phase.BACKUP, minute, facts={"backup": {
        "method": "btrfs" if host != "surat-07" else "packages", "id": f"b-{host}",
        "location": f"/.sop-run/backup/{host}-20261119", "created": at(minute),
        "size_bytes": 812_000_000, "sha256": "a4c123b1612d" + "0" * 52,
        "proof": ["Snapshot dapat dibaca", "Daftar paket sama dengan keadaan sebelum update"],
    }})  # fmt: skip


def worked(host: str, minute: float, result: str = "updated") -> list[Outcome]:
    """Update, and antivirus where there is such an item."""
    out = []
    plain = [i for i in ITEMS[host] if i["class"] != "antivirus" and i["name"] != "tzdata"]
    if plain:
        done = [{**i, "after": i["to"], "result": result} for i in plain]
        facts = {"rebooted": host == "portal-02", "kept_conffiles": ["/etc/demo-web.conf"]
                 if host == "web-01" else []}  # fmt: skip
        out.append(answer(host, Phase.UPDATE, minute, items=done, facts=facts))
    virus = [{**i, "after": "27461", "result": "updated"} for i in ITEMS[host] if i not in plain]
    if host == "berkas-05":
        out.append(answer(host, Phase.ANTIVIRUS, minute, items=virus,
                          facts={"eicar": "found", "daemon": "active"}))  # fmt: skip
    return out


def steps(until: int) -> dict[int, StepState]:
    """Steps 1 to `until` passed, with the monitoring step open beside 6 to 8."""
    spans = {1: (0, 0), 2: (0, 95), 3: (100, 112), 4: (112, 157), 5: (157, 370), 6: (160, 190),
             7: (190, 200), 8: (200, 255), 9: (255, 256), 10: (256, 1500), 11: (1500, 1512),
             12: (1512, 1514), 13: (1514, 1514)}  # fmt: skip
    machine = {2: 41.0, 6: 1830.0, 7: 540.0, 9: 2.0, 12: 1.0}
    signer = {3: "analis", 4: "kepala", 8: "analis", 10: "pranata", 11: "kepala"}
    out = {n: StepState() for n in spans}
    for n in range(1, until + 1):
        start, end = spans[n]
        out[n] = StepState(
            "passed", at(start), at(end), machine.get(n), signer.get(n, "op@kendali")
        )
    if until < 13:
        out[until + 1] = StepState("open", at(spans[until + 1][0]))
    return out


def normal(until: int = 11, **rules: Any) -> CycleState:
    """Seven hosts like those of the demo; one item is put off."""
    state = CycleState("2026-11", office(**rules), at(0), hosts=HOSTS)
    state.addresses = {h: f"10.77.0.{n}" for n, h in enumerate(HOSTS, start=11)}
    note_relaxed(state, at(0))
    state.tool_version, state.operator = "0.1.0", "op@kendali"
    state.plan = plan_of(HOSTS, ITEMS)
    state.steps = steps(until)
    state.last_at = at(1515)
    for host in HOSTS:
        state.outcomes[host] = [checked(host, ROCKY if host == "surat-07" else DEBIAN)]
    state.outcomes["cadangan-04"] = [unreachable("cadangan-04")]
    state.outcomes["portal-02"] = [
        checked("portal-02", DEBIAN, reboot_required=True, withheld=[
            {"name": "base-files", "from": "12.4", "to": "12.12", "reason": "held"}],
            new_packages=[{"name": "libssl4", "version": "4.0.1-1", "arch": "amd64"}],
            removals=["libssl1.1"])
    ]  # fmt: skip
    if until < 3:
        return state
    state.decisions = {2: Decision(False, "Menunggu jendela pemeliharaan Desember")}
    state.order = Order(abort_limit=2) if until >= 4 else None
    state.signatures = [
        s for s in (
            signature(3, "analis", 112, 40, "analis"), signature(4, "kepala", 157, 44, "kepala"),
            signature(8, "pengelola", 250, 90, "pengelola"),
            signature(8, "analis", 255, 91, "analis"), signature(10, "pranata", 1500, 95, "jf"),
            signature(11, "kepala", 1512, 97, "kepala"),
        ) if s.step <= until
    ]  # fmt: skip
    if until >= 7:
        _carry_out(state)
    state.notes = [Note(10, "pranata", "Verifikasi menunggu jam kerja berikutnya.", at(1500))]
    return state


def _carry_out(state: CycleState) -> None:
    for n, host in enumerate(("web-01", "portal-02", "layanan-03", "berkas-05", "surat-07")):
        state.outcomes[host] += [backed_up(host, 160 + n), *worked(host, 191 + n)]
        state.outcomes[host].append(
            tests_of(host, 200 + n, broken=host == "layanan-03", status="ok")
        )
    back = [{**i, "after": i["from"], "result": "restored"} for i in ITEMS["layanan-03"]]
    state.outcomes["layanan-03"] += [
        answer(
            "layanan-03", Phase.RESTORE, 206, items=back, facts={"restore": {"proof": ["sama"]}}
        ),
        tests_of("layanan-03", 208),
    ]
    words = {
        "layanan-03": (Verdict.ROLLED_BACK, "uji wajib gagal: layanan-03.service, tcp/8080"),
        "cadangan-04": (Verdict.UNREACHABLE, "tidak ada rute ke 10.77.0.14 porta 22"),
        "arsip-06": (Verdict.NOTHING_TO_DO, ""),
    }
    for host in state.hosts:
        verdict, reason = words.get(host, (Verdict.UPDATED, ""))
        state.verdicts[host] = HostVerdict(host=host, verdict=verdict, reason=reason)
    state.runs = [PhaseRun(Phase.TEST, 0, state.hosts, at(200), at(212), 700.0)]


HOSTILE = {
    "formula": '=HYPERLINK("http://evil","klik")',
    "jinja": "{{ 7*7 }}{% for x in y %}",
    "typst": '#panic("x") #read("/etc/passwd") $x$ *tebal* _miring_ ]',
    "emoji": "paket-😀-🚀",
    "cjk": "软件包-パッケージ",
    "rtl": "abc\u202edef\u202c שלום مرحبا",
    "control": "a\x00b\x07c\x1b[31mmerah\x1b[0m\r\nbaris",
    "long": "panjang-" + "x" * 392,
    "error": "#N/A",
    "private": "a\ue000b\ue001c",
}


def hostile(until: int = 11) -> CycleState:
    """Hosts, packages and problems with every kind of text that should do harm."""
    hosts = (*(f"host-{key}" for key in HOSTILE), "x" * 250)
    items = {
        f"host-{key}": [item("system", text, text, text, source=text, severity=text,
                             advisories=[text], arch=text[:20])]
        for key, text in HOSTILE.items()
    }  # fmt: skip
    state = normal(until)
    state.hosts, state.plan = hosts, plan_of(hosts, items)
    state.addresses = dict.fromkeys(hosts, HOSTILE["formula"])
    state.decisions = {n: Decision(n % 2 == 0, HOSTILE["typst"]) for n in range(1, 9)}
    state.outcomes, state.verdicts = {}, {}
    for key, text in HOSTILE.items():
        host = f"host-{key}"
        state.outcomes[host] = [
            answer(host, Phase.CHECK, 5, facts={"os": {"name": text, "version": text},
                   "kernel": text, "antivirus": text, "withheld": text, "failed_units": [text, 7]},
                   problems=[{"code": text, "message": text, "hint": text}]),
            answer(host, Phase.BACKUP, 160, facts={"backup": {"method": text, "size_bytes": "12",
                   "created": text, "sha256": 7, "proof": text}}),
            answer(host, Phase.UPDATE, 190, items=[{**items[host][0], "after": text,
                   "result": text, "message": text}], facts={"rebooted": text}),
            answer(host, Phase.TEST, 200, facts={"tests": [{}, {"name": text, "kind": text,
                   "target": text, "required": text, "result": text, "evidence": text}]}),
        ]  # fmt: skip
        state.verdicts[host] = HostVerdict(host=host, verdict=Verdict.NEEDS_HUMAN, reason=text)
    state.verdicts[hosts[-1]] = HostVerdict(host=hosts[-1], verdict=Verdict.LOST)
    return state


def empty(until: int = 11) -> CycleState:
    """Two hosts, nothing to update."""
    state = normal(until)
    state.hosts = ("arsip-06", "web-01")
    state.plan, state.decisions = plan_of(state.hosts, {}), {}
    state.outcomes = {h: [checked(h, DEBIAN)] for h in state.hosts}
    state.runs = []
    state.verdicts = {
        h: HostVerdict(host=h, verdict=Verdict.NOTHING_TO_DO) for h in state.hosts if until >= 7
    }
    return state


def all_failed(until: int = 11) -> CycleState:
    """No host could be reached; the office says little of itself and has two analysts."""
    state = normal(until, separation_of_duties=False)
    bare = {
        "office": {"government": "Pemerintah Kota Contoh", "agency": "Dinas Contoh",
                   "city": "Kota Contoh", "timezone": "Asia/Jayapura"},
        "letters": {"paper": "a4"},
        "officers": [
            {"id": "satu", "role": "analis", "name": "Contoh Satu"},
            {"id": "dua", "role": "analis", "name": "Contoh Dua"},
        ],
        "rules": {"separation_of_duties": False},
    }  # fmt: skip
    state.office = Office.model_validate(bare)
    state.signatures, state.notes, state.runs, state.decisions = [], [], [], {}
    state.plan = plan_of(state.hosts, {})
    state.outcomes = {h: [unreachable(h)] for h in state.hosts}
    state.verdicts = {
        h: HostVerdict(host=h, verdict=Verdict.UNREACHABLE, reason="tidak ada sambungan")
        for h in state.hosts
        if until >= 7
    }
    return state


STATES = {"normal": normal, "hostile": hostile, "empty": empty, "all-failed": all_failed}
