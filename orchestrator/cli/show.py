"""How runs are shown: plain lines that read well on a terminal, in a log and in CI."""

from __future__ import annotations

import click

from orchestrator.cli.options import Given
from orchestrator.cli.pace import Pace
from orchestrator.cli.table import hang
from orchestrator.cli.table import width as columns
from orchestrator.cli.times import overruns, sent_back
from orchestrator.cli.words import say, spoken, t
from orchestrator.journal.judge import reason_of, status_of
from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import READING, Outcome, OutcomeKind, Phase, Status
from orchestrator.model.text import printable
from orchestrator.model.verdict import GOOD, HostVerdict
from orchestrator.sop.numbering import counts
from orchestrator.workflow.monthly import SHOWN, Standing
from orchestrator.workflow.notify.events import news_of
from orchestrator.workflow.notify.tell import tell

EXIT_DONE, EXIT_FINDINGS, EXIT_WAITING = 0, 1, 3


class Lines:
    """Progress as lines on standard error, so that standard output stays for results."""

    def __init__(self) -> None:
        self._step = 0
        self._pace = Pace()

    def step(self, state: CycleState, number: int) -> None:
        """A heading for the step, once."""
        if number != self._step:
            self._step = number
            title = next(s.title for s in state.procedure if s.number == number)
            click.echo(click.style(t(f"Step {number:>2}  {title}"), bold=True), err=True)

    def phase(self, phase: Phase, hosts: int, wave: int) -> None:
        """Which phase runs on how many hosts."""
        self._pace = Pace()
        plural = "s" if hosts != 1 else ""
        name = "canary wave" if wave == 0 and phase not in READING else f"wave {wave}"
        where = "" if phase in READING else f", {name}"
        say(f"         {phase}: {hosts} host{plural}{where}", err=True)

    def outcome(self, outcome: Outcome, done: int, total: int) -> None:
        """One host's result."""
        evidence = outcome.read()
        if evidence is None:
            word, words = str(outcome.kind), reason_of(outcome)
        else:
            word = str(evidence.status)
            words = f"{evidence.seconds:.1f} s"
            if evidence.phase is Phase.CHECK and evidence.status is Status.OK:
                words += t(f", {len(evidence.items)} items")
            if evidence.status is not Status.OK:
                words += f", {reason_of(outcome)}"
        good = status_of(outcome) is Status.OK
        colour = "green" if good else "red" if outcome.kind is OutcomeKind.FAILED else "yellow"
        left = self._pace.words(evidence, done, total)
        digits = max(2, len(str(total)))
        click.echo(
            f"         [{done:>{digits}}/{total}] {printable(outcome.host, 40):<20} "
            f"{click.style(f'{word:<12}', fg=colour)} {printable(words, 160)}{left}",
            err=True,
        )

    def waiting(self, host: str, words: str) -> None:
        """A host that is asked again."""
        click.echo(f"                   {printable(host, 40):<20} {words} …", err=True)

    def verdict(self, verdict: HostVerdict) -> None:
        """A host's verdict."""
        colour = "green" if verdict.verdict in GOOD else "yellow"
        click.echo(
            f"         {printable(verdict.host, 40):<20} "
            f"{click.style(str(verdict.verdict), fg=colour)}: {printable(verdict.reason, 160)}",
            err=True,
        )

    def document(self, path: str) -> None:
        """A document that was written."""
        say(f"         wrote {path}", err=True)

    def say(self, words: str) -> None:
        """A remark."""
        say(f"         {printable(words)}", err=True)


def warn(words: str) -> None:
    """A remark that is no result."""
    click.echo(f"sop-run: {t(words)}", err=True)


def findings(state: CycleState) -> bool:
    """Whether any host ended in a verdict that an officer should look at."""
    return any(v.verdict not in GOOD for v in state.verdicts.values())


def verdict_table(state: CycleState) -> str:
    """Hosts and verdicts as an aligned table."""
    width = max([len(printable(h, 40)) for h in state.hosts] + [4])
    rows = [t(f"{'HOST':<{width}}  {'VERDICT':<14}  REASON")]
    for host in state.hosts:
        verdict = state.verdicts.get(host)
        word = str(verdict.verdict) if verdict else "-"
        reason = printable(verdict.reason, 110) if verdict else ""
        row = f"{printable(host, 40):<{width}}  {word:<14}  {reason}".rstrip()
        rows.append(hang(row, width + 18, columns()))
    return "\n".join(rows)


def explain(standing: Standing, given: Given) -> int:
    """Print where the cycle stands and what to do next; returns the exit code.

    Then whoever is to be notified of it is notified, once; that it failed is only said.
    """
    code = _explained(standing, given)
    notify(standing, given)
    return code


def notify(standing: Standing, given: Given) -> None:
    """Tell whoever is to know where the cycle stands, once; that it failed is only said."""
    state = standing.state
    tell(given.settings, state.cycle, news_of(state, given.told), warn)


def _explained(standing: Standing, given: Given) -> int:
    state = standing.state
    if standing.gate is not None:
        click.echo(waiting_words(standing, given))
        _echo_overruns(state, given)
        return EXIT_WAITING
    if standing.next == "monthly":
        click.echo("".join(f"{line}\n" for line in spoken(sent_back(state, given))), nl=False)
        say(f"Cycle {state.cycle}: next, run")
        click.echo(f"  {given.command(f'monthly --period {state.cycle}')}")
        _echo_overruns(state, given)
        return EXIT_DONE
    click.echo(verdict_table(state))
    _echo_overruns(state, given)
    say(f"\nCycle {state.cycle} is closed. Documents: {standing.folder / 'documents'}")
    say(f"Archive: {given.settings.home / state.archive_path}")
    say(f"Verify it with: {given.command(f'audit {state.cycle}')}")
    return EXIT_FINDINGS if findings(state) else EXIT_DONE


def _echo_overruns(state: CycleState, given: Given) -> None:
    lines = spoken(overruns(state, given))
    if lines:
        click.echo("\n" + "\n".join(lines))


def waiting_words(standing: Standing, given: Given) -> str:
    """Who must sign what, having looked at which documents, with which command."""
    gate, state = standing.gate, standing.state
    assert gate is not None
    if state.source is not None and gate.number < 5:
        words = f"restore {state.source.cycle} {' '.join(state.hosts)} --as OFFICER --reason TEXT"
        return t(f"Cycle {state.cycle} waits for the order to restore:\n  {given.command(words)}")
    lines = [f"Cycle {state.cycle} waits for a signature: step {gate.number}, {gate.title}."]
    if gate.number > 7:
        lines += ["", verdict_table(state)]
    lines += ["", "Look at:"]
    lines += [f"  {standing.folder / 'documents' / name}" for name in SHOWN[gate.number]]
    signed = {s.role for s in state.signed(gate.number)}
    for role in (r for r in gate.signers if r not in signed):
        lines += ["", f"{state.office.role_name(role)} signs with:"]
        for officer in state.office.with_role(role):
            words = f"sign {state.cycle} --as {officer.id} --key PRIVATE_KEY_FILE"
            lines.append(f"  {given.command(words)}   # {printable(officer.name)}")
            if not officer.keys:
                lines.append(
                    f"  first add {officer.id}'s public key to {given.settings.office} "
                    "(officers: keys:); make one with `ssh-keygen -t ed25519`"
                )
    if gate.number in (10, 11):
        lines += ["", "With a certificate for PDF signatures, add: --pdf-key FILE.p12"]
    if gate.number == 11 and not counts(state.office.letters.number_pattern):
        lines.append("With a number from the office's register, add: --number TEXT")
    if gate.returns_to is not None:
        who = state.office.with_role(gate.signers[0])[0].id
        words = f"return {state.cycle} --as {who} --key PRIVATE_KEY_FILE --reason TEXT"
        lines += [
            "",
            f"or sends it back to step {gate.returns_to} with:",
            f"  {given.command(words)}",
        ]
    return "\n".join(spoken(lines))
