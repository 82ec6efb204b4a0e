"""What the evidence means for a host. Every host of a cycle ends in exactly one verdict."""

from __future__ import annotations

from enum import StrEnum

from orchestrator.model.evidence import Record


class Verdict(StrEnum):
    """One plain word for what happened to a host."""

    UPDATED = "updated"
    NOTHING_TO_DO = "nothing-to-do"
    READY = "ready"  # dry run only: everything that can be known beforehand is in order
    DEFERRED = "deferred"  # it had items, and officers put all of them off
    INCOMPLETE = "incomplete"  # runs normally, but an approved item was not reached
    ROLLED_BACK = "rolled-back"
    RESTORED = "restored"  # put back to its backup by a signed order, and tested
    NEEDS_HUMAN = "needs-human"
    UNREACHABLE = "unreachable"
    LOST = "lost"  # answered before the change, not after it
    REFUSED = "refused"  # preflight or backup refused; nothing was changed
    BLOCKED = "blocked"  # a lock was held; nothing was changed
    SUPERSEDED = "superseded"  # an approved version is gone; nothing was changed
    CHECK_FAILED = "check-failed"  # reachable, but its check gave no usable evidence
    NOT_STARTED = "not-started"  # the wave was stopped before its turn; nothing was changed


GOOD = frozenset(
    {
        Verdict.UPDATED,
        Verdict.NOTHING_TO_DO,
        Verdict.READY,
        Verdict.DEFERRED,
        Verdict.RESTORED,
    }
)
"""Verdicts that are no finding; any other makes the command exit with 1."""


class HostVerdict(Record):
    """A host's verdict with its reason, in plain words."""

    host: str
    verdict: Verdict
    reason: str = ""
