"""The content of the documents: everything that they say, in the words in which they say it.

Renderers know these records and nothing else. Text is printable and never empty: what is not
known is '–'. Words ending in `_key` are stable English keys for styling and for machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

SCHEMA = "sop-run/content/1"


@dataclass(frozen=True, slots=True)
class Head:
    """Letterhead."""

    government: str
    agency: str
    unit: str
    address: str  # "" where the office gives none: the line is left out
    contact: str  # telephone, website, e-mail on one line, or ""
    city: str
    place: str
    logo: str  # path as in office.yml, or ""


@dataclass(frozen=True, slots=True)
class Letter:
    """Form and number of the document."""

    number: str
    provisional: bool  # until the report is established
    classification: str
    nature: str
    retention_years: int
    paper: str  # f4, a4
    date: str  # 22 November 2026
    day_date: str
    period: str  # November 2026


@dataclass(frozen=True, slots=True)
class Signer:
    """A person of a signature block; `known` is false when the office has several or none."""

    position: str
    name: str
    rank: str
    nip: str
    known: bool


@dataclass(frozen=True, slots=True)
class People:
    """Who does and signs what."""

    checker: Signer  # step 2
    confirmer: Signer  # step 3
    orderer: Signer  # step 4
    monitor: Signer  # step 5
    executor: Signer  # step 7
    tester: Signer  # step 8
    second_tester: Signer  # step 8
    drafter: Signer  # step 9
    verifier: Signer  # step 10
    establisher: Signer  # step 11


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of the plan, from proposal to result."""

    number: int
    host: str
    address: str
    os: str
    name: str
    arch: str
    kind: str
    kind_key: str  # system, security, antivirus
    before: str
    offered: str
    approved: str  # the version that officers approved, '–' when put off
    after: str  # the version found afterwards
    source: str
    advisories: str
    priority: str
    priority_key: str  # critical, high, medium, low
    reboot: str
    size: str
    decision: str
    decision_key: str  # approved, deferred
    remark: str
    result: str
    result_key: str
    message: str
    started: str
    ended: str


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host: its check, its items in numbers, its verdict."""

    number: int
    name: str
    address: str
    os: str
    kernel: str
    check: str
    check_key: str  # done, remarks, failed, unreachable, none
    checked: str  # date and time
    check_remark: str
    items: int
    system: int
    security: int
    antivirus: int
    approved: int
    deferred: int
    succeeded: int
    reboot_asked: str  # whether an item asks for a restart
    rebooted: str
    verdict: str
    verdict_key: str
    good: bool
    meaning: str
    reason: str
    tests: str  # `5 dari 5 normal`
    antivirus_engine: str
    eicar: str
    started: str
    ended: str


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A host's backup and the proof that it can be restored."""

    host: str
    status: str
    status_key: str
    method: str
    location: str
    created: str
    size: str
    sha256: str
    proof: str


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test of one host, as it stood last."""

    host: str
    kind: str
    target: str
    required: str
    result: str
    result_key: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a host that an officer should know."""

    host: str
    phase: str
    code: str
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One moment of the work: a phase that began or ended, an answer of a host, a remark."""

    at: str  # UTC ISO 8601
    date: str
    time: str  # with seconds, without the zone
    activity: str
    subject: str
    result: str
    duration: str
    key: str  # started, ended, note, or how the host answered: ok, failed, …


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the SOP: who, when, and how long against the standard."""

    number: int
    activity: str
    short: str
    role: str
    officer: str
    date: str
    span: str
    started_at: str  # UTC ISO 8601 or ''
    ended_at: str
    standard_minutes: int | None
    actual_minutes: int | None
    standard: str
    actual: str
    punctual: str
    punctual_key: str  # on-time, late, none; unclear: the clock was set back
    output: str
    note: str


@dataclass(frozen=True, slots=True)
class Counting:
    """How the time of officers' steps was counted."""

    key: str  # work: the office's working time; elapsed: by the clock (older journals)
    week: str  # Senin–Kamis 07.30–12.00, 13.00–16.00; Jumat …
    days: str  # days off, and days with other hours, from the cycle's opening on
    source: str
    changed: str  # when hours or holidays were changed in the cycle's course, or '–'


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What the drafter adds to the report."""

    kind_key: str  # remark, suggestion
    text: str


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A gate that sent the cycle back."""

    step: int
    to: int
    activity: str
    officer: str
    at: str
    actual: str  # minutes that the gate had been open, counted as its step is
    reason: str


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A signature on a gate, so that a reader can find it in the journal."""

    step: int
    activity: str
    name: str
    role: str
    at: str
    fingerprint: str
    sha256: str
    entry: int


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """How the approved items are carried out; percentages are resolved to hosts."""

    canary: int  # 0: none
    wave: int
    abort_limit: int | None  # None: unlimited
    reboot: str
    window: str
    waves: str  # canary and waves, in words
    limit: str  # the abort limit, in words


@dataclass(frozen=True, slots=True)
class RelaxedRow:
    """A rule of the SOP that did not hold in the cycle."""

    code: str
    text: str
    since: str
    until: str  # '–' when it did not hold to the end


@dataclass(frozen=True, slots=True)
class Totals:
    """The cycle in numbers."""

    hosts: int
    reached: int
    hosts_with_items: int
    items: int
    system: int
    security: int
    antivirus: int
    approved: int
    deferred: int
    succeeded: int
    restored: int
    failed: int
    not_done: int
    good_hosts: int
    bad_hosts: int
    reboots: int
    tests: int
    tests_normal: int
    tests_recovered: int  # of the normal ones: failed first, normal after the restore


@dataclass(frozen=True, slots=True)
class Count:
    """A word and how often."""

    word: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class Sitting:
    """When the joint test took place."""

    day_date: str
    time: str
    place: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why an incidental cycle was opened, and what it leaves out; whether it is a dry run."""

    reason: str  # '–' for a monthly cycle
    selection: str  # which items are in scope, in the office's words; '–' for none
    source: str  # the closed cycle whose backups hosts go back to; '–' for none
    out_of_scope: int  # pending items that the filters left out
    trial: bool


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that the documents of a cycle say."""

    schema: str
    document: str
    language: str  # `id`, or that of a courtesy copy
    cycle: str
    kind: str
    revision: int
    plan_id: str
    tool_version: str
    operator: str
    zone: str
    as_of: str  # UTC ISO 8601: the moment that the document stands for
    separated: bool  # separation of duties has held all the time
    relaxed: tuple[RelaxedRow, ...]  # every rule of the SOP that did not hold
    occasion: Occasion
    head: Head
    letter: Letter
    people: People
    order: OrderTerms
    totals: Totals
    verdicts: tuple[Count, ...]
    hosts: tuple[HostRow, ...]
    items: Sequence[ItemRow]  # of very many: a stream in workbooks, none in PDFs
    backups: tuple[BackupRow, ...]
    sitting: Sitting
    tests: tuple[TestRow, ...]
    findings: tuple[Finding, ...]
    progress: tuple[ProgressRow, ...]  # of the monitoring sheet; elsewhere empty
    steps: tuple[StepRow, ...]
    counting: Counting
    notes: tuple[NoteRow, ...]  # of the report; elsewhere empty
    returns: tuple[ReturnRow, ...]
    first_day: str
    last_day: str
    basis: tuple[str, ...]
    signatures: tuple[SignatureRow, ...]

    def as_data(self) -> dict[str, Any]:
        """The content as plain lists and mappings, ready for JSON."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def _plain(value: Any) -> Any:
    """A record as a mapping, as `dataclasses.asdict` makes it, in a third of the time."""
    if isinstance(value, str | int | float | None):
        return value
    if is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value]
