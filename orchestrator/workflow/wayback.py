"""What a cycle that restores from a closed one puts forward for the order (SOP step 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.documents.names import DocumentName
from orchestrator.journal.book import read_state
from orchestrator.journal.state import CycleState
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.evidence import Phase
from orchestrator.model.plan import Item, Part
from orchestrator.model.restoring import RestoreSource
from orchestrator.workflow.plan import record_plan
from orchestrator.workflow.requests import requests_for
from orchestrator.workflow.run import Run


def source_of(old: CycleState, hosts: tuple[str, ...]) -> RestoreSource:
    """What the new journal must know of the closed cycle to stand by itself."""
    facts = {}
    for host in hosts:
        outcome = old.last(host, Phase.BACKUP)
        evidence = outcome.read() if outcome is not None else None
        facts[host] = evidence.facts if evidence is not None else {}
    return RestoreSource(
        cycle=old.cycle,
        plan_id=old.plan.id if old.plan else "",
        manifest=old.archive_manifest,
        backups={host: dict(f.get("backup") or {}) for host, f in facts.items()},
        baselines={host: dict(f.get("baseline") or {}) for host, f in facts.items()},
    )


def put_forward(run: Run) -> None:
    """SOP step 2: the hosts as they are, and the plan: the closed cycle's items, the other way."""
    state = run.state
    if state.plan is not None:
        return
    old = _closed_cycle(run)
    todo = [h for h in state.hosts if state.last(h, Phase.CHECK) is None]
    run.phase(Phase.CHECK, requests_for(state, todo, Phase.CHECK))
    record_plan(run.book, _way_back(old, state.hosts))


def _way_back(old: CycleState, hosts: Iterable[str]) -> Iterator[Part]:
    """The closed cycle's approved packages, the other way."""
    number = 1
    for host in hosts:
        items = [i for i in old.approved(host) if i.kind != "antivirus"]
        if items:
            turned = tuple(_turned(item, n) for n, item in enumerate(items, number))
            number += len(items)
            yield Part(host=host, items=turned)


def _turned(item: Item, number: int) -> Item:
    return Item.model_validate(
        {
            **item.model_dump(by_alias=True),
            "number": number,
            "from": item.to_version,
            "to": item.from_version,
            "size": 0,
            "sha256": "",
        }
    )


def _closed_cycle(run: Run) -> CycleState:
    """The cycle that is restored from, just as it was when this one was opened."""
    source = run.state.source
    assert source is not None
    folder = run.settings.cycle_folder(source.cycle)
    if not (folder / "journal.db").is_file():
        raise CannotRunError(
            f"cycle {source.cycle}, which is restored from, is not in {run.settings.home}",
            "put its folder back, then run the same command again",
        )
    old = read_state(folder)
    if old.archive_manifest != source.manifest:
        raise CannotRunError(
            f"cycle {source.cycle} is not the one that {run.state.cycle} was opened to go back to",
            f"sop-run audit {source.cycle} says more",
        )
    return old


def check_list(run: Run) -> dict[str, str]:
    """The check list that the order covers; passes step 2."""
    if run.state.steps[2].state == "open":
        run.document(DocumentName.CHECK_LIST, 2)
        run.book.record("step.passed", step=2)
    path = run.documents / DocumentName.CHECK_LIST
    record = run.state.documents[DocumentName.CHECK_LIST]
    if sha256_hex(path.read_bytes()) != record.sha256:
        raise UsageError(
            f"{path} was changed since it was made",
            f"run `sop-run documents {run.state.cycle}` to make it again",
        )
    return {str(DocumentName.CHECK_LIST): record.sha256}
