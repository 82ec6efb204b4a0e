"""Evidence → verdict: what happened to a host, in one word and one sentence. Pure."""

from __future__ import annotations

from orchestrator.journal.scope import out_of_scope, unread_advisories
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import Evidence, Outcome, OutcomeKind, Phase, Status
from orchestrator.model.plan import Item
from orchestrator.model.text import printable
from orchestrator.model.verdict import HostVerdict, Verdict

UNTOUCHED = {
    Status.REFUSED: Verdict.REFUSED,
    Status.BLOCKED: Verdict.BLOCKED,
    Status.SUPERSEDED: Verdict.SUPERSEDED,
}


def reason_of(outcome: Outcome | None) -> str:
    """The first thing that an outcome has to say against a host, as one safe line."""
    if outcome is None:
        return ""
    evidence = outcome.read()
    if evidence is None:
        return printable(outcome.reason)
    if evidence.problems:
        return printable(evidence.problems[0].message)
    failed = [t for t in evidence.facts.get("tests") or [] if t.get("result") == "failed"]
    if failed:
        return printable(f"{failed[0].get('name', '')}: {failed[0].get('evidence', '')}")
    return f"status {evidence.status}"


def status_of(outcome: Outcome | None) -> Status | None:
    """The status in an outcome's evidence, or None when there is no evidence."""
    return outcome.status if outcome is not None else None


def update_status(state: CycleState, host: str) -> Status | None:
    """How the package update ended; OK where only antivirus databases were approved."""
    if state.approved(host) and not package_items(state, host):
        return Status.OK
    return status_of(state.last(host, Phase.UPDATE))


def package_items(state: CycleState, host: str) -> tuple[Item, ...]:
    """The approved items of a host that are packages."""
    return tuple(i for i in state.approved(host) if i.kind != "antivirus")


def needs_restore(state: CycleState, host: str) -> bool:
    """Whether the host was changed by the update and is not fit to stay so (SOP step 8)."""
    if state.last(host, Phase.RESTORE) is not None:
        return False
    if status_of(state.last(host, Phase.BACKUP)) is not Status.OK:
        return False
    failed = Status.FAILED
    test = status_of(state.last(host, Phase.TEST))
    return update_status(state, host) is failed or test is failed


def may_update(state: CycleState, host: str) -> bool:
    """Fail closed: only a host with a proven backup is updated (SOP step 6 before 7)."""
    return status_of(state.last(host, Phase.BACKUP)) is Status.OK


def may_test(state: CycleState, host: str) -> bool:
    """Whether the host was worked on in a way that a test can speak about."""
    return may_update(state, host) and update_status(state, host) is Status.OK


def judge(state: CycleState, host: str) -> HostVerdict:
    """The host's verdict from all that is on record; every case ends in exactly one."""
    if state.restore_order(host) is not None:
        return judge_ordered_restore(state, host)
    check = state.last(host, Phase.CHECK)
    if check is None or check.kind is OutcomeKind.UNREACHABLE:
        return _say(host, Verdict.UNREACHABLE, reason_of(check) or "it was not checked")
    if status_of(check) is not Status.OK:
        return _say(host, Verdict.CHECK_FAILED, reason_of(check))
    if not state.items_of(host):
        return _judge_nothing(state, host)
    if state.rehearsal:
        return _judge_rehearsal(state, host)
    if not state.approved(host):
        return _say(host, Verdict.DEFERRED, "its items were put off at confirmation")
    return _judge_change(state, host)


def _say(host: str, verdict: Verdict, reason: str) -> HostVerdict:
    return HostVerdict(host=host, verdict=verdict, reason=reason)


def judge_ordered_restore(state: CycleState, host: str) -> HostVerdict:
    """What became of a host that an officer ordered back to its backup."""
    order = state.restore_order(host)
    assert order is not None
    since = state.outcomes.get(host, [])[order.outcomes_before[host] :]
    restore = next((o for o in since if o.phase is Phase.RESTORE), None)
    tests = [o for o in since if o.phase is Phase.TEST]
    by = printable(f"by order of {order.signature.name}: {order.reason}", 200)
    if restore is None or restore.kind is OutcomeKind.UNREACHABLE:
        words = f"no answer since it was to be restored: {reason_of(restore)}"
        return _say(host, Verdict.LOST, words)
    if status_of(restore) in UNTOUCHED:
        words = f"it was not restored and is as it was: {reason_of(restore)}"
        return _say(host, Verdict.NEEDS_HUMAN, words)
    if status_of(restore) is not Status.OK:
        return _say(host, Verdict.NEEDS_HUMAN, f"restore failed: {reason_of(restore)}")
    if not tests or status_of(tests[-1]) is not Status.OK:
        words = reason_of(tests[-1]) if tests else "it was not tested again"
        return _say(host, Verdict.NEEDS_HUMAN, f"restored, but {words}")
    return _say(host, Verdict.RESTORED, f"restored and tested again, {by}")


def _judge_nothing(state: CycleState, host: str) -> HostVerdict:
    """No item of the host is in the plan: nothing is pending, or nothing that was asked for."""
    if state.selection.is_everything:
        return _say(host, Verdict.NOTHING_TO_DO, "everything is current")
    unread = unread_advisories(state, host)
    if unread:
        names = printable(", ".join(unread), 200)
        return _say(host, Verdict.CHECK_FAILED, f"the CVE ids of these could not be read: {names}")
    left = len(out_of_scope(state, host))
    return _say(
        host,
        Verdict.NOTHING_TO_DO,
        f"nothing pending matches {state.selection.words()}; "
        f"{left} other updates are out of this cycle's scope",
    )


def _judge_rehearsal(state: CycleState, host: str) -> HostVerdict:
    """What a dry run says of a host with items."""
    outcome = state.last(host, Phase.REHEARSE)
    if outcome is None or outcome.kind is OutcomeKind.UNREACHABLE:
        return _say(host, Verdict.UNREACHABLE, reason_of(outcome) or "it was not asked")
    status = status_of(outcome)
    if status in UNTOUCHED:
        return _say(host, UNTOUCHED[status], reason_of(outcome))
    if status is not Status.OK:
        return _say(host, Verdict.CHECK_FAILED, reason_of(outcome))
    count = len(state.items_of(host))
    return _say(host, Verdict.READY, f"{count} items could be updated; nothing was changed")


def _judge_change(state: CycleState, host: str) -> HostVerdict:
    backup, update = state.last(host, Phase.BACKUP), state.last(host, Phase.UPDATE)
    if backup is None:
        return _say(host, Verdict.NOT_STARTED, "the wave was stopped before its turn")
    if backup.kind is OutcomeKind.UNREACHABLE:
        return _say(host, Verdict.UNREACHABLE, reason_of(backup))
    if status_of(backup) is Status.BLOCKED:
        return _say(host, Verdict.BLOCKED, reason_of(backup))
    if status_of(backup) is not Status.OK:
        return _say(host, Verdict.REFUSED, f"no proven backup: {reason_of(backup)}")
    restore = state.last(host, Phase.RESTORE)
    if restore is not None:
        return _judge_restore(state, host, restore)
    if update_status(state, host) is None and update is None:
        return _say(host, Verdict.NOT_STARTED, "stopped after its backup; nothing was updated")
    if update is not None and update.kind is OutcomeKind.UNREACHABLE:
        return _say(host, Verdict.LOST, f"no answer since the update began: {reason_of(update)}")
    status = update_status(state, host)
    if status in UNTOUCHED:
        return _say(host, UNTOUCHED[status], reason_of(update))
    if status is not Status.OK:
        return _say(host, Verdict.NEEDS_HUMAN, reason_of(update))
    return _judge_test(state, host)


def _judge_restore(state: CycleState, host: str, restore: Outcome) -> HostVerdict:
    cause = next(
        (
            reason_of(o)
            for o in state.outcomes[host]
            if o.phase in (Phase.UPDATE, Phase.TEST) and status_of(o) is Status.FAILED
        ),
        "",
    )
    if status_of(restore) is not Status.OK:
        return _say(host, Verdict.NEEDS_HUMAN, f"restore failed: {reason_of(restore)}")
    after = state.last(host, Phase.TEST)
    tested_again = after is not None and state.outcomes[host].index(after) > state.outcomes[
        host
    ].index(restore)
    if not tested_again or status_of(after) is not Status.OK:
        words = reason_of(after) if tested_again else "it was not tested again"
        return _say(host, Verdict.NEEDS_HUMAN, f"restored, but {words}")
    return _say(host, Verdict.ROLLED_BACK, f"restored and tested again; cause: {cause}")


def _judge_test(state: CycleState, host: str) -> HostVerdict:
    test = state.last(host, Phase.TEST)
    if test is None or test.kind is not OutcomeKind.EVIDENCE:
        words = reason_of(test) or "it was not tested"
        unreachable = test is not None and test.kind is OutcomeKind.UNREACHABLE
        return _say(host, Verdict.LOST if unreachable else Verdict.NEEDS_HUMAN, words)
    if status_of(test) is not Status.OK:
        return _say(host, Verdict.NEEDS_HUMAN, reason_of(test))
    missed = _missed(state, host)
    if missed:
        return _say(host, Verdict.INCOMPLETE, missed)
    results, count = _results(state, host), len(state.approved(host))
    before = sum(results[i.name, i.arch] == "unchanged" for i in state.approved(host))
    if before == count:
        return _say(
            host,
            Verdict.NOTHING_TO_DO,
            f"all {count} approved items had been brought to their versions before; tests passed",
        )
    words = f"; {before} of them were in place before" if before else ""
    return _say(host, Verdict.UPDATED, f"{count} items, tests passed{words}")


def _results(state: CycleState, host: str) -> dict[tuple[str, str], str]:
    """What became of each item, by name and architecture."""
    done: dict[tuple[str, str], str] = {}
    for phase in (Phase.UPDATE, Phase.ANTIVIRUS):
        outcome = state.last(host, phase)
        evidence = outcome.read() if outcome is not None else None
        if evidence is not None:
            done.update({(found.name, found.arch): found.result for found in evidence.items})
    return done


def _missed(state: CycleState, host: str) -> str:
    """The first approved item that was not reached or not proven, or ''."""
    done = _results(state, host)
    reasons = []
    for phase in (Phase.UPDATE, Phase.ANTIVIRUS):
        outcome = state.last(host, phase)
        evidence: Evidence | None = outcome.read() if outcome is not None else None
        if evidence is None:
            continue
        if evidence.problems:
            reasons.append(printable(evidence.problems[0].message))
    for item in state.approved(host):
        if done.get((item.name, item.arch)) not in ("updated", "unchanged"):
            return f"{item.name} was not updated: {(reasons or ['no evidence'])[-1]}"
    antivirus = state.last(host, Phase.ANTIVIRUS)
    if antivirus is not None and status_of(antivirus) is not Status.OK:
        return reason_of(antivirus)  # its databases are current, but its scanner is not proven
    return ""
