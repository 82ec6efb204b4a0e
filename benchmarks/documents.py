"""Time and peak memory of documents for many hosts: journal → check list, journal → report.

    .venv/bin/python benchmarks/documents.py [HOSTS...] [--items N]

A journal is written through the program's own book (every entry is checked and chained), then read
back and rendered, each in a process of its own, so that peaks of memory are not mixed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.results import Measurement  # noqa: E402 - found once the root is in the path

DOCUMENTS = ("laporan-hasil-pengecekan.xlsx", "laporan-hasil-update-draf.pdf")
ITEMS = 40  # of each host
OFFICERS = {"siti": "pengelola", "budi": "analis", "joko": "jf", "rina": "kepala"}


def evidence(phase: str, **more: Any) -> dict[str, Any]:
    """A host's answer."""
    moment = "2026-11-02T01:00:00Z"
    head = {"schema": "sop-run/evidence/1", "phase": phase, "status": "ok", "transaction": ""}
    answer = {"facts": {}, "items": [], "problems": [], **more}
    return {**head, "attached": False, "started": moment, "ended": moment, "seconds": 1.0, **answer}


def items_of(count: int) -> list[dict[str, Any]]:
    """So many items as a check finds them."""
    return [
        {
            "class": ("security", "system")[n % 2], "name": f"library-{n}", "arch": "amd64",
            "from": f"1.{n}-1+deb12u1", "to": f"1.{n}-1+deb12u2", "source": "Debian-Security",
            "size": 48_000 + n, "sha256": f"{n:064x}", "severity": ("high", "medium", "low")[n % 3],
            "advisories": [f"CVE-2026-{10000 + n}"], "reboot": n % 10 == 0,
        }
        for n in range(count)
    ]  # fmt: skip


def write_journal(folder: Path, hosts: int, items: int) -> None:
    """A cycle whose check is done and whose updates, on every host, went well."""
    from orchestrator.journal.book import CycleBook
    from orchestrator.model.canonical import sha256_hex
    from orchestrator.model.evidence import Phase
    from orchestrator.model.office import Office
    from orchestrator.model.plan import Order
    from orchestrator.model.statement import Statement
    from orchestrator.sop.shown import DEMANDED
    from orchestrator.workflow.check import planned
    from orchestrator.workflow.plan import record_plan

    office = Office.model_validate({
        "office": {"government": "Pemerintah", "agency": "Dinas", "city": "Contoh"},
        "officers": [{"id": i, "role": r, "name": f"Contoh {i}"} for i, r in OFFICERS.items()],
    })  # fmt: skip
    names = [f"host-{n:05d}" for n in range(1, hosts + 1)]
    found = items_of(items)
    with CycleBook(folder, create=True) as book:
        book.record("cycle.opened", {
            "cycle": "2026-11", "kind": "monthly", "office": office.model_dump(mode="json"),
            "hosts": names, "addresses": dict.fromkeys(names, "192.0.2.1"), "tool_version": "0",
            "previous_cycle": "", "previous_manifest": "",
        }, step=1)  # fmt: skip

        def phase(name: str, **parts: Any) -> None:
            book.record("phase.started", {"phase": name, "wave": 0, "hosts": names})
            with book.together():  # fewer waits for the disk than in a real cycle
                for host in names:
                    body = {"phase": name, "kind": "evidence", "evidence": evidence(name, **parts)}
                    book.record("host.outcome", body, host=host)
            book.record("phase.ended", {"phase": name, "wave": 0, "seconds": 1.0})

        def sign(step: int, officer: str) -> None:
            plan = book.state.plan
            assert plan is not None
            shown = {name: sha256_hex(name) for name in DEMANDED[step]}
            for name, digest in shown.items():  # the documents themselves are not what is measured
                if name not in book.state.documents:
                    body = {"name": name, "sha256": digest, "size": 1}
                    book.record("document.rendered", body, step={3: 2, 4: 4}[step])
            text = Statement(
                cycle="2026-11", step=step, decision="sign", officer=officer,
                role=OFFICERS[officer], at="2026-11-02T02:00:00Z", plan_id=plan.id,
                journal_head=book.state.head, order=Order() if step == 4 else None,
                documents=shown,
            ).canonical()  # fmt: skip
            body = {"statement": text, "signature": "x"}
            book.record("gate.signed", body, step=step, actor=officer)

        system = {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"}
        phase("check", items=found, facts={"os": system})
        record_plan(book, planned(book.state))
        book.record("step.passed", step=2)
        sign(3, "budi")
        sign(4, "rina")
        proof = {"method": "btrfs", "location": "/b", "size_bytes": 10**6, "proof": ["read back"]}
        phase("backup", facts={"backup": proof})
        book.record("step.passed", step=6)
        phase("update", items=[{**i, "after": i["to"], "result": "updated"} for i in found])
        test = {"kind": "unit", "name": "u", "target": "ssh.service", "result": "passed"}
        phase("test", facts={"tests": [{**test, "required": True, "evidence": "active"}]})
        for host in names:
            book.record("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
        assert book.state.last(names[0], Phase.TEST) is not None


def peak() -> int:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(folder: Path, name: str) -> dict[str, float]:
    """Fold the journal, render one document; processor seconds and MB of each."""
    from orchestrator.documents import DocumentName, render
    from orchestrator.journal.book import read_state

    state = read_state(folder)
    folded, memory = time.process_time(), peak()
    made = render(DocumentName(name), state, folder / "documents")
    seconds = time.process_time() - folded
    return {"fold_s": folded, "fold_mb": memory, "render_s": seconds, "peak_mb": peak(),
            "file_mb": made.size / 1e6}  # fmt: skip


def measurements(hosts: int, items: int) -> Iterator[Measurement]:
    """Both documents of so many hosts, each measured in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="sop-run-benchmark-") as name_of_folder:
        write_journal(Path(name_of_folder), hosts, items)
        for document in DOCUMENTS:
            argv = [sys.executable, __file__, "--measure", name_of_folder, document]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            yield Measurement(document, hosts, json.loads(done.stdout))


def main() -> None:
    """Print a table; with --measure, one measurement as JSON (the processes of the table)."""
    parser = argparse.ArgumentParser(description="Time and peak memory of documents.")
    parser.add_argument("hosts", nargs="*", type=int, default=[100, 1000, 10000])
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "DOCUMENT"))
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(Path(given.measure[0]), given.measure[1])))
        return
    print("hosts  items  document                        fold s    MB  render s  peak MB  file MB")
    for hosts in given.hosts:
        for one in measurements(hosts, given.items):
            m = one.cost
            print(f"{hosts:5d}  {given.items:5d}  {one.contender:30s}  {m['fold_s']:6.1f} "
                  f"{m['fold_mb']:5.0f}  {m['render_s']:8.1f}  {m['peak_mb']:7.0f}  "
                  f"{m['file_mb']:7.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
