"""Journal state → content of one document: the only place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.documents.content.clock import NONE, Clock
from orchestrator.documents.content.gather import gather
from orchestrator.documents.content.labels import Labels
from orchestrator.documents.content.order import order_terms, relaxed_rows
from orchestrator.documents.content.people import people, signature_rows
from orchestrator.documents.content.records import (
    SCHEMA,
    Content,
    Head,
    Letter,
    Occasion,
    Sitting,
    StepRow,
)
from orchestrator.documents.content.said import say
from orchestrator.documents.content.scope import Scope, scope_of
from orchestrator.documents.content.steps import step_rows
from orchestrator.documents.content.times import counting_words, report_notes, return_rows
from orchestrator.documents.names import DocumentName
from orchestrator.journal.state import CycleState
from orchestrator.model.cycle import CycleId
from orchestrator.model.evidence import Phase
from orchestrator.sop.numbering import letter_number
from orchestrator.sop.procedure import whole


def build_content(
    name: DocumentName, state: CycleState, labels: Labels, signing: Mapping[int, str] | None = None
) -> Content:
    """Everything that document `name` says, from the folded journal.

    A document looks no further than its own step, so that rendering it again later gives the same
    content. `signing` names the officers who are about to sign, by step. Raises pydantic's
    ValidationError when evidence can not be read.
    """
    clock = Clock(state.office.office.zone, labels.locale)
    scope = scope_of(name, state)
    facts = gather(name, state, scope, labels, clock)
    steps = step_rows(state, scope.horizon, labels, clock)
    days = [s for s in steps if s.started_at]
    return Content(
        schema=SCHEMA,
        document=name.value,
        language=labels.language,
        cycle=state.cycle,
        kind=labels.word("kind", state.kind),
        revision=state.revision,
        plan_id=state.plan.id if state.plan else NONE,
        tool_version=say(state.tool_version),
        operator=say(state.operator),
        zone=clock.zone_name,
        as_of=scope.as_of,
        separated=not any(r.code == "duties" for r in state.relaxed),
        relaxed=relaxed_rows(state, labels, clock),
        occasion=_occasion(state, facts.out_of_scope, labels),
        head=_head(state, labels),
        letter=_letter(state, scope, labels, clock),
        people=people(state, scope.horizon, labels, signing or {}),
        order=order_terms(state, labels, clock),
        totals=facts.totals,
        verdicts=facts.verdicts,
        hosts=facts.hosts,
        items=facts.items,
        backups=facts.backups,
        sitting=_sitting(state, scope, clock),
        tests=facts.tests,
        findings=facts.findings,
        progress=facts.progress,
        steps=steps,
        counting=counting_words(state, scope.as_of, labels, clock),
        notes=report_notes(state, labels, clock) if scope.horizon >= 8 else (),
        returns=return_rows(state, labels, clock),
        first_day=_edge(days, clock, first=True),
        last_day=_edge(days, clock, first=False),
        basis=tuple(labels.translated(say(line)) for line in whole(state.office).basis),
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


def _occasion(state: CycleState, left: int, labels: Labels) -> Occasion:
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
    number = letter_number(letters.number_pattern, state.cycle, None)
    established = scope.horizon >= 11 and state.steps[11].state == "passed"
    if established:
        number = state.number or number  # journals of before had the pattern alone
    else:
        number = labels.word("text", "provisional").format(number=number)
    period = clock.period(cycle.period)
    if cycle.number is not None:
        words = labels.word("text", "incidental")
        period = words.format(period=period, number=cycle.number)
    return Letter(
        number=say(number, 120),
        provisional=not established,
        classification=say(letters.classification_code, 60),
        nature=say(labels.translated(letters.nature), 60),
        retention_years=letters.retention_years,
        paper=letters.paper,
        date=clock.date(scope.as_of),
        day_date=clock.day_date(scope.as_of),
        period=period,
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
