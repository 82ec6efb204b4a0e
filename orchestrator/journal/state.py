"""The state of a cycle, as the fold of its journal. Only `fold.py` writes to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from orchestrator.journal.bodies import Bodies, InMemory
from orchestrator.model.evidence import Outcome, Phase
from orchestrator.model.note import NoteKind
from orchestrator.model.office import Office, Officer
from orchestrator.model.plan import Item, Order, Plan, PlanWriter
from orchestrator.model.restoring import RestoreSource
from orchestrator.model.selection import EVERYTHING, Selection
from orchestrator.model.statement import SignedPdf
from orchestrator.model.verdict import HostVerdict
from orchestrator.model.working_time import HolidayRecord
from orchestrator.sop.procedure import Step, procedure


@dataclass
class StepState:
    """Where one step stands. Times are UTC ISO 8601; `seconds` counts machine work only."""

    state: Literal["waiting", "open", "passed"] = "waiting"
    started_at: str = ""
    ended_at: str = ""
    seconds: float | None = None  # monotonic time of the work, where the program did it
    actor: str = ""  # officer id, or user@machine where the program acted
    opened_seq: int = 0  # journal entries with which the step opened and passed: they tell what
    passed_seq: int = 0  # came first also where the clock was wrong
    held: Step | None = None  # a gate as it was when it passed: who signed it does not change


@dataclass(frozen=True)
class Decision:
    """What officers decided on one item (step 3)."""

    approved: bool
    reason: str = ""


@dataclass(frozen=True)
class SignatureRecord:
    """A signature on a gate, with the statement that was signed, verbatim."""

    step: int
    officer: str
    name: str
    role: str
    at: str
    statement: str  # canonical JSON, the signed bytes
    signature: str  # armored SSH signature
    seq: int
    keys: tuple[str, ...] = ()  # the officer's public keys when it was made
    pdf: SignedPdf | None = None  # the PDF signed with a certificate along with it
    certificates: tuple[str, ...] = ()  # the officer's certificates when it was made
    person: Officer | None = None  # the officer as office.yml had them when it was made


@dataclass(frozen=True)
class ReturnRecord:
    """A gate that sent the cycle back."""

    step: int
    to: int
    reason: str
    officer: str
    at: str
    seq: int = 0
    opened_at: str = ""  # when, and with which entry, the gate had opened
    opened_seq: int = 0


@dataclass(frozen=True)
class DocumentRecord:
    """A rendered document and its hash."""

    name: str
    sha256: str
    size: int
    step: int
    at: str
    seq: int


@dataclass(frozen=True)
class PhaseRun:
    """One run of a phase over some hosts; `seconds` is monotonic time on the control node."""

    phase: Phase
    wave: int  # 0: canary
    hosts: tuple[str, ...]
    started_at: str
    ended_at: str = ""
    seconds: float | None = None

    @cached_property
    def host_set(self) -> frozenset[str]:
        """The hosts, to look one up among thousands."""
        return frozenset(self.hosts)


@dataclass(frozen=True)
class Note:
    """A remark on a step: an overrun's reason, a deviation.

    `actor` is an officer's id only where the officer's key proves it. `officer` is whom an
    unsigned note is said to come from; the program's own notes name nobody.
    """

    step: int
    actor: str
    text: str
    at: str
    kind: NoteKind = "remark"
    officer: str = ""
    seq: int = 0
    signed: bool = False


@dataclass(frozen=True)
class ClockJump:
    """A place where the journal's time goes back: its clock was wrong before, or is now."""

    seq: int  # the entry that is earlier than the one before
    before: str  # UTC ISO 8601
    after: str


@dataclass(frozen=True)
class RelaxedRule:
    """A rule of the SOP that did not hold in this cycle, and how long (UTC ISO 8601)."""

    code: str
    words: str
    facts: dict[str, str]
    since: str
    until: str = ""  # empty: to the end


@dataclass(frozen=True)
class RestoreOrder:
    """A signed order that hosts go back to their backup."""

    hosts: tuple[str, ...]
    reason: str
    signature: SignatureRecord
    outcomes_before: dict[str, int]  # host → how many outcomes it had; later ones are its work


@dataclass
class CycleState:
    """Everything that is known of a cycle."""

    cycle: str
    office: Office
    opened_at: str = ""
    kind: Literal["monthly", "incidental"] = "monthly"
    hosts: tuple[str, ...] = ()
    addresses: dict[str, str] = field(default_factory=dict)  # host → address in the inventory
    tool_version: str = ""
    operator: str = ""  # who runs the program: user@machine
    reason: str = ""  # why an incidental cycle was opened
    selection: Selection = EVERYTHING  # which items an incidental cycle is about
    source: RestoreSource | None = None  # a cycle that restores from this closed one
    restores: list[RestoreOrder] = field(default_factory=list)
    rehearsal: bool = False  # a dry run: hosts are only read, nobody signs, it is no record
    previous_cycle: str = ""
    previous_manifest: str = ""  # SHA-256 of the previous cycle's archive manifest
    origin: str = ""  # hash of the first entry; tells this journal from any other of the name
    revision: int = 1
    steps: dict[int, StepState] = field(
        default_factory=lambda: {n: StepState() for n in range(1, 14)}
    )
    plan: Plan | None = None
    planning: PlanWriter | None = None  # a plan whose parts come, between two entries of a journal
    decisions: dict[int, Decision] = field(default_factory=dict)  # item number → decision
    order: Order | None = None
    draft: Order | None = None  # terms that the order's document shows before it is signed
    drafted_seq: int = 0
    relaxed: list[RelaxedRule] = field(default_factory=list)
    number: str = ""  # of the report, once it is established
    serial: int | None = None  # {number} in it
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)  # in journal order
    runs: list[PhaseRun] = field(default_factory=list)
    verdicts: dict[str, HostVerdict] = field(default_factory=dict)
    signatures: list[SignatureRecord] = field(default_factory=list)  # valid ones of this revision
    returns: list[ReturnRecord] = field(default_factory=list)
    documents: dict[str, DocumentRecord] = field(default_factory=dict)  # valid ones, by name
    rendered: list[DocumentRecord] = field(default_factory=list)  # all that were ever made
    notes: list[Note] = field(default_factory=list)
    holidays: HolidayRecord | None = None  # None: an older journal; its steps count elapsed time
    recounted_at: str = ""  # when the working calendar was last changed under passed steps
    jumps: list[ClockJump] = field(default_factory=list)
    archive_manifest: str = ""
    archive_path: str = ""
    closed_at: str = ""
    head: str = ""  # hash of the last entry
    seq: int = 0
    last_at: str = ""
    bodies: Bodies = field(default_factory=InMemory, compare=False, repr=False)

    @property
    def procedure(self) -> tuple[Step, ...]:
        """The 13 steps as this office runs them; a gate that passed is still whose it was then."""
        return tuple(self._as_held(step) for step in procedure(self.office))

    def _as_held(self, step: Step) -> Step:
        held = self.steps[step.number].held
        return step if held is None else replace(step, role=held.role, signers=held.signers)

    @property
    def terms(self) -> Order:
        """How the work is to be done: as ordered, as drafted, or by the office's rules."""
        if self.order is not None or self.draft is not None:
            return self.order or self.draft or Order()
        rules = self.office.rules
        return Order(
            canary=rules.canary, wave=rules.wave, abort_limit=rules.abort_limit, reboot=rules.reboot
        )

    def planned(self, origin: str, revision: int) -> Plan:
        """The plan of the parts so far; without items when there are none."""
        return (self.planning or PlanWriter(self.cycle, self.hosts)).plan(origin, revision)

    @property
    def in_scope(self) -> tuple[str, ...]:
        """Hosts with approved items: those that the order lets be changed."""
        return tuple(h for h in self.hosts if self.has_approved(h))

    def has_approved(self, host: str) -> bool:
        """Whether a host has any approved item; false before step 3 is signed."""
        return self._is_decided and any(self._is_approved(n) for n in self.numbers_of(host))

    def numbers_of(self, host: str) -> range:
        """The numbers of a host's items in the plan."""
        return self.plan.numbers.get(host, range(0)) if self.plan is not None else range(0)

    def last(self, host: str, phase: Phase) -> Outcome | None:
        """The latest outcome of a phase on a host, or None."""
        for outcome in reversed(self.outcomes.get(host, [])):
            if outcome.phase == phase:
                return outcome
        return None

    def all(self, host: str, phase: Phase) -> list[Outcome]:
        """All outcomes of a phase on a host, oldest first."""
        return [o for o in self.outcomes.get(host, []) if o.phase == phase]

    def restore_order(self, host: str) -> RestoreOrder | None:
        """The latest order to restore a host, or None."""
        return next((o for o in reversed(self.restores) if host in o.hosts), None)

    @property
    def to_restore(self) -> tuple[str, ...]:
        """Hosts that were ordered back and have no verdict since."""
        return tuple(
            h for h in self.hosts if h not in self.verdicts and self.restore_order(h) is not None
        )

    def items_of(self, host: str) -> tuple[Item, ...]:
        """All items of a host in the plan."""
        return self.plan.part(host).items if self.plan is not None else ()

    def approved(self, host: str) -> tuple[Item, ...]:
        """The approved items of a host; none before step 3 is signed."""
        if not self.has_approved(host):
            return ()
        return tuple(i for i in self.items_of(host) if self._is_approved(i.number))

    @property
    def _is_decided(self) -> bool:
        return self.plan is not None and self.steps[3].state == "passed"

    def _is_approved(self, number: int) -> bool:
        return self.decisions.get(number, Decision(True)).approved

    def signed(self, step: int) -> tuple[SignatureRecord, ...]:
        """The signatures that a gate carries now."""
        return tuple(s for s in self.signatures if s.step == step)

    def signed_pdf(self, name: str) -> tuple[SignatureRecord, SignedPdf] | None:
        """The latest signature that stands on a PDF of this name, with what it says of the PDF."""
        for record in reversed(self.signatures):
            if record.pdf is not None and record.pdf.name == name:
                return record, record.pdf
        return None

    def pdf_signatures(self, name: str) -> tuple[tuple[SignatureRecord, SignedPdf], ...]:
        """All signatures that a signed PDF of this name bears, oldest first."""
        last = self.signed_pdf(name)
        return tuple(
            (record, record.pdf)
            for record in self.signatures
            if last is not None and record.pdf is not None and record.step <= last[0].step
        )

    @property
    def gate(self) -> Step | None:
        """The gate that waits for a signature, or None; step 8 waits once the tests are done."""
        for step in self.procedure:
            if step.is_gate and self.steps[step.number].state == "open":
                waits = step.number != 8 or (
                    self.steps[7].state == "passed" and not self.to_restore
                )
                return step if waits else None
        return None
