"""Journal state → content of one document: the only place where the two meet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from orchestrator.documents.content.clock import NONE, Clock, roman_month
from orchestrator.documents.content.findings import host_findings
from orchestrator.documents.content.hosts import NORMAL, SUCCEEDED, HostMatter, host_rows
from orchestrator.documents.content.items import item_rows
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.people import people, signature_rows
from orchestrator.documents.content.progress import progress_rows
from orchestrator.documents.content.reading import HostReading, read_host
from orchestrator.documents.content.records import (
    SCHEMA,
    Content,
    Count,
    Head,
    HostRow,
    ItemRow,
    Letter,
    Occasion,
    OrderTerms,
    Sitting,
    StepRow,
    TestRow,
    Totals,
)
from orchestrator.documents.content.said import say
from orchestrator.documents.content.scope import Scope, scope_of
from orchestrator.documents.content.steps import step_rows
from orchestrator.documents.content.work import backup_row, test_rows
from orchestrator.documents.names import DocumentName
from orchestrator.journal.scope import out_of_scope
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.evidence import Phase
from orchestrator.model.plan import Order
from orchestrator.model.verdict import Verdict
from orchestrator.sop.procedure import LEGAL_BASIS


def build_content(name: DocumentName, state: CycleState, labels: Labels) -> Content:
    """Everything that document `name` says, from the folded journal.

    A document looks no further than its own step, so that rendering it again later gives the same
    content. Raises pydantic's ValidationError when evidence can not be read.
    """
    clock = Clock(state.office.office.zone, labels.locale)
    scope = scope_of(name, state)
    readings = {host: read_host(state, host, scope.last_phase) for host in state.hosts}
    items = item_rows(state, readings, labels, clock)
    items_of: dict[str, list[ItemRow]] = defaultdict(list)
    for item, row in zip(state.plan.items if state.plan else (), items, strict=True):
        items_of[item.host].append(row)
    matters = {
        host: HostMatter(
            reading, items_of[host], test_rows(reading, labels), host_findings(reading, labels)
        )
        for host, reading in readings.items()
    }
    hosts = host_rows(state, matters, labels, clock)
    steps = step_rows(state, scope.horizon, labels, clock)
    days = [s for s in steps if s.started_at]
    all_tests = tuple(t for matter in matters.values() for t in matter.tests)
    return Content(
        schema=SCHEMA,
        document=name.value,
        cycle=state.cycle,
        kind=labels.word("kind", state.kind),
        revision=state.revision,
        plan_id=state.plan.id if state.plan else NONE,
        tool_version=say(state.tool_version),
        operator=say(state.operator),
        zone=clock.zone_name,
        as_of=scope.as_of,
        separated=state.office.rules.separation_of_duties,
        occasion=_occasion(state, labels),
        head=_head(state, labels),
        letter=_letter(state, scope, labels, clock),
        people=people(state, scope.horizon),
        order=_order(state, labels, clock),
        totals=_totals(hosts, items, all_tests, readings, labels),
        verdicts=_verdicts(hosts, labels),
        hosts=hosts,
        items=items,
        backups=tuple(
            backup_row(reading, items_of[host], labels, clock) for host, reading in readings.items()
        ),
        sitting=_sitting(state, scope, clock),
        tests=all_tests,
        findings=tuple(f for matter in matters.values() for f in matter.findings),
        progress=progress_rows(state, readings, scope.horizon, labels, clock)
        if name is DocumentName.MONITORING
        else (),
        steps=steps,
        first_day=_edge(days, clock, first=True),
        last_day=_edge(days, clock, first=False),
        basis=LEGAL_BASIS,
        signatures=signature_rows(state, scope.horizon, labels, clock),
    )


def _head(state: CycleState, labels: Labels) -> Head:
    office = state.office.office
    contact = [
        labels.word("text", key).format(value=say(value, 120))
        for key, value in (
            ("phone", office.phone),
            ("website", office.website),
            ("email", office.email),
        )
        if value
    ]
    return Head(
        government=say(office.government, 120),
        agency=say(office.agency, 160),
        unit=say(office.unit, 160),
        address=say(office.address) if office.address else "",
        contact="  ".join(contact),
        city=say(office.city, 80),
        place=say(office.place or office.unit, 160),
        logo=office.logo,
    )


def _occasion(state: CycleState, labels: Labels) -> Occasion:
    left = sum(len(out_of_scope(state, host)) for host in state.hosts)
    source = state.source.cycle if state.source is not None else ""
    chosen = state.selection
    parts = [labels.word("text", "selection_security")] if chosen.security else []
    for key, names in (("packages", chosen.packages), ("cves", chosen.cves)):
        if names:
            words = labels.word("text", f"selection_{key}")
            parts.append(words.format(names=say(", ".join(names))))
    scope = "; ".join(parts) or NONE
    return Occasion(say(state.reason), scope, say(source), left, state.rehearsal)


def _letter(state: CycleState, scope: Scope, labels: Labels, clock: Clock) -> Letter:
    letters, cycle = state.office.letters, CycleId.parse(state.cycle)
    number = letters.number_pattern.format(
        cycle=state.cycle, year=cycle.year, month=cycle.month, month_roman=roman_month(cycle.month)
    )
    period = clock.period(cycle.period)
    if cycle.number is not None:
        words = labels.word("text", "incidental")
        period = words.format(period=period, number=cycle.number)
    return Letter(
        number=say(number, 120),
        classification=say(letters.classification_code, 60),
        nature=say(letters.nature, 60),
        retention_years=letters.retention_years,
        paper=letters.paper,
        date=clock.date(scope.as_of),
        day_date=clock.day_date(scope.as_of),
        period=period,
    )


def _order(state: CycleState, labels: Labels, clock: Clock) -> OrderTerms:
    rules = state.office.rules
    order = state.order or Order(
        canary=rules.canary, wave=rules.wave, abort_limit=rules.abort_limit, reboot=rules.reboot
    )
    edges = (bool(order.window_start), bool(order.window_end))
    key = {(False, False): "now", (True, False): "from", (False, True): "until"}.get(
        edges, "between"
    )
    window = labels.word("order", key).format(
        start=clock.moment(order.window_start), end=clock.moment(order.window_end)
    )
    reboot = labels.word("reboot_policy", order.reboot)
    return OrderTerms(order.canary, order.wave, order.abort_limit, reboot, window)


def _totals(
    hosts: Sequence[HostRow],
    items: Sequence[ItemRow],
    tests: Sequence[TestRow],
    readings: Mapping[str, HostReading],
    labels: Labels,
) -> Totals:
    kinds = Counter(i.kind_key for i in items)
    results = Counter(i.result_key for i in items)
    deferred = sum(i.decision_key == "deferred" for i in items)
    succeeded = sum(results[key] for key in SUCCEEDED)
    approved = len(items) - deferred
    rest = approved - succeeded - results["restored"] - results["failed"]
    return Totals(
        hosts=len(hosts),
        reached=sum(r.was_reached for r in readings.values()),
        hosts_with_items=sum(h.items > 0 for h in hosts),
        items=len(items),
        system=kinds["system"],
        security=kinds["security"],
        antivirus=kinds["antivirus"],
        approved=approved,
        deferred=deferred,
        succeeded=succeeded,
        restored=results["restored"],
        failed=results["failed"],
        not_done=rest,
        good_hosts=sum(h.good and h.verdict_key != "none" for h in hosts),
        bad_hosts=sum(not h.good for h in hosts),
        reboots=sum(h.rebooted == labels.yes_no(True) for h in hosts),
        tests=len(tests),
        tests_normal=sum(t.result_key in NORMAL for t in tests),
        tests_recovered=sum(t.result_key == "recovered" for t in tests),
    )


def _verdicts(hosts: Sequence[HostRow], labels: Labels) -> tuple[Count, ...]:
    counts = Counter(h.verdict_key for h in hosts)
    return tuple(
        Count(labels.word("verdict", v.value), v.value, counts[v.value])
        for v in Verdict
        if counts[v.value]
    )


def _sitting(state: CycleState, scope: Scope, clock: Clock) -> Sitting:
    if scope.last_phase is not Phase.RESTORE:
        return Sitting(NONE, NONE, NONE)  # the document is made before any test
    runs = [r for r in state.runs if r.phase in (Phase.TEST, Phase.RESTORE)]
    start = runs[0].started_at if runs else state.steps[8].started_at
    span = clock.span(start, max(r.ended_at for r in runs)) if runs else clock.time(start)
    time = f"{span} {clock.zone_name}" if span != NONE else NONE
    place = state.office.office.place or state.office.office.unit
    return Sitting(clock.day_date(start), time, say(place, 160))


def _edge(days: Sequence[StepRow], clock: Clock, *, first: bool) -> str:
    if not days:
        return NONE
    edges = [s.started_at for s in days] + [s.ended_at for s in days if s.ended_at]
    return clock.day_date(min(edges) if first else max(edges))
