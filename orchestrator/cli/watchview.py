"""What `sop-run watch` shows on a terminal: a screen of lines, made from what is known. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size

from orchestrator.cli.times import minutes, span, time_left
from orchestrator.cli.words import t
from orchestrator.journal.fold import STEP_OF_PHASE
from orchestrator.journal.state import CycleState
from orchestrator.journal.times import StepTime, step_times
from orchestrator.model.evidence import READING
from orchestrator.model.text import printable
from orchestrator.workflow.survey import HostView, PhaseView, Watched

MONITORING = 5  # the step that lasts as long as the work on hosts

LEAST_HOSTS = 6
"""Lines that hosts get before the table of steps is shortened for them."""


@dataclass(frozen=True)
class Line:
    """One line of the screen and its look: '', `bold`, `dim`, `green`, `yellow` or `cyan`."""

    text: str
    look: str = ""


@dataclass(frozen=True)
class Sight:
    """All that is known at a moment (`now`: UTC ISO 8601)."""

    state: CycleState
    watched: Watched
    now: str
    worker: int | None = None  # process that works on the cycle; 0: none; None: not known


def screen(sight: Sight, columns: int, rows: int) -> list[Line]:
    """Lines for a terminal of so many columns and rows; never more, never wider."""
    top = [*_head(sight, columns), *_stand(sight)]
    hosts = sight.watched.hosts(sight.state)
    steps = _steps(sight, columns)
    least = min(len(hosts), LEAST_HOSTS) + 3
    if len(top) + len(steps) + least > rows:
        steps = _few_steps(sight, columns)
    lines = [*top, *steps, Line("")]
    lines += _hosts(hosts, columns, rows - len(lines))
    return [Line(_cut(line.text, columns), line.look) for line in lines[:rows]]


def headline(sight: Sight) -> str:
    """Which cycle, and who works on it."""
    state = sight.state
    number = len(state.hosts)
    words = t(f"Cycle {state.cycle} ({state.kind}), {number} host{'s' if number != 1 else ''}")
    worker = worker_words(sight)
    return f"{words}; {worker}" if worker else words


def worker_words(sight: Sight) -> str:
    """Who works on the cycle, in words; '' where it does not matter or cannot be told."""
    if sight.worker is None or sight.state.closed_at:
        return ""
    if sight.worker:
        return t(f"process {sight.worker} works on it")
    return "" if sight.state.gate else t("no process of this machine works on it")


def stand_words(state: CycleState) -> str:
    """What the cycle waits for, or that it is closed; '' while it is worked on."""
    if state.closed_at:
        return t(f"closed on {state.closed_at[:16].replace('T', ' ')} UTC")
    if state.gate is None:
        return ""
    signed = {s.role for s in state.signed(state.gate.number)}
    roles = [state.office.role_name(r) for r in state.gate.signers if r not in signed]
    title = t(state.gate.title)
    return t(f"waits for {t(' and ').join(roles)}: step {state.gate.number}, {title}")


def phase_words(phase: PhaseView) -> str:
    """`update, wave 2 of 4: 3 of 10 hosts done in 1 min 20 s, about 2 min left`."""
    done = t(f"{phase.done} of {phase.hosts} hosts done in {t(span(phase.elapsed))}")
    left = t(time_left(phase.left))
    return f"{phase.phase}{wave_words(phase)}: {done}" + (f", {left}" if left else "")


def wave_words(phase: PhaseView) -> str:
    """`, wave 2 of 4`, `, canary wave (4 more follow)`, or ''."""
    if phase.phase in READING or phase.last_wave is None:
        return ""
    if phase.wave == 0:
        more = t(f"canary wave ({phase.last_wave} more follow)")
        return f", {more}" if phase.last_wave else f", {t('canary')}"
    return f", {t(f'wave {phase.wave} of {phase.last_wave}')}"


def _head(sight: Sight, columns: int) -> list[Line]:
    """The headline with the time of day; who works on it goes below where it is too long."""
    whole = f"{sight.now[11:19]} UTC  {headline(sight)}"
    parts = [whole] if cell_len(whole) <= columns else whole.split("; ", 1)
    return [Line(part, "bold") for part in parts]


def _stand(sight: Sight) -> list[Line]:
    phase = sight.watched.phase(sight.state, sight.now)
    if phase is not None:
        return [Line(phase_words(phase), "cyan")]
    words = stand_words(sight.state)
    return [Line(words[:1].upper() + words[1:], "yellow" if sight.state.gate else "")]


def _steps(sight: Sight, columns: int) -> list[Line]:
    """The 13 steps: state, standard time, time taken; who does it where there is room."""
    state, times = sight.state, times_now(sight)
    titles = {step.number: t(step.title) for step in state.procedure}
    wide = max(20, *map(cell_len, titles.values()))
    unit, late_word = t("min"), t("LATE")
    room = max(8, 4 + cell_len(unit))
    head = f"{t('STEP'):<4}  {'':<{wide}}  {t('STATE'):<7}  {t('STANDARD'):>{room}}  "
    lines = [Line(head + f"{t('ACTUAL'):>6}", "bold")]
    for step in state.procedure:
        time, stand = times[step.number], state.steps[step.number].state
        standard = f"{step.minutes} {unit}" if step.minutes else ""
        text = (
            f"{step.number:>4}  {_pad(titles[step.number], wide)}  {stand:<7}  "
            f"{standard:>{room}}  {minutes(time) if step.minutes else '':>6}"
        )
        text += f"  {late_word}" if time.late else " " * (2 + cell_len(late_word))
        if columns >= 80 and step.role:
            text += f"  {state.office.role_name(step.role)}"
        late = "yellow" if time.late else ""
        lines.append(Line(text.rstrip(), "cyan" if stand == "open" and not late else late))
    return lines


def times_now(sight: Sight) -> dict[int, StepTime]:
    """The steps' times with the phase that is under way, which the journal counts at its end."""
    times = step_times(sight.state, sight.now)
    phase = sight.watched.phase(sight.state, sight.now)
    if phase is None or sight.worker == 0:
        return times
    steps = {STEP_OF_PHASE[phase.phase]} | (set() if phase.phase in READING else {MONITORING})
    for number in steps:
        time = times[number]
        officers = number == 8 and sight.state.steps[7].state == "passed"  # counted by the clock
        if time.running and not time.uncertain and not officers:
            times[number] = replace(time, seconds=(time.seconds or 0.0) + phase.elapsed)
    return times


def _few_steps(sight: Sight, columns: int) -> list[Line]:
    """The steps that are open, and how many lie behind and before them."""
    count = Counter(s.state for s in sight.state.steps.values())
    open_ = [line for line in _steps(sight, columns)[1:] if line.text.split()[:1] and _is_open(
        sight.state, int(line.text.split()[0])
    )]  # fmt: skip
    rest = t(f"{count['passed']} steps passed, {count['waiting']} to come")
    return [*open_, Line(f"      {rest}", "dim")]


def _is_open(state: CycleState, step: int) -> bool:
    return state.steps[step].state == "open"


def _hosts(hosts: Sequence[HostView], columns: int, room: int) -> list[Line]:
    """As many hosts as there is room for: findings and those at work first; the rest counted."""
    width = min(max([cell_len(printable(h.host, 40)) for h in hosts] + [4]), columns // 3)
    head = (_pad(t("HOST"), width), _pad(t("NOW"), 10), t("LAST"))
    lines = [Line("  ".join(head), "bold")]
    shown = pick(hosts, room - 1)
    if len(shown) < len(hosts):
        shown = pick(hosts, room - 2)
    for host in shown:
        now = host.verdict or (str(host.doing) if host.doing else "")
        last = ""
        if host.seen is not None and not host.verdict:
            last = f"{host.seen.phase} {host.seen.word}"
        words = ": ".join(w for w in (last, printable(host.reason, 200)) if w)
        name = _pad(printable(host.host, 40), width)
        text = f"{name}  {_pad(now, max(10, cell_len(now)))}  {words}"
        lines.append(Line(text.rstrip(), _look(host)))
    rest = [h for h in hosts if h not in shown]
    if rest:
        lines.append(Line(f"{t(f'and {len(rest)} more')}: {counted(rest)}", "dim"))
    return lines


def pick(hosts: Sequence[HostView], room: int) -> list[HostView]:
    """The hosts to show, in the cycle's order: at least half of the room for findings."""
    if len(hosts) <= room:
        return list(hosts)
    room = max(room, 0)
    bad = [h for h in hosts if h.finding]
    busy = [h for h in hosts if h.doing is not None and not h.finding]
    other = [h for h in hosts if not h.finding and h.doing is None]
    for_bad = min(len(bad), max(room - len(busy), (room + 1) // 2))
    chosen = [*bad[:for_bad], *busy[: room - for_bad]]
    return [*chosen, *other[: room - len(chosen)]]


def counted(hosts: Sequence[HostView]) -> str:
    """`3 updated, 12 at work, 20 waiting`: hosts by what they are, the most first."""
    words: Counter[str] = Counter()
    for host in hosts:
        word = host.verdict or ("at work" if host.doing else "")
        if not word and host.seen is not None:
            word = f"{host.seen.phase} {host.seen.word}"
        words[word or "waiting"] += 1
    return ", ".join(f"{n} {word}" for word, n in words.most_common())


def _look(host: HostView) -> str:
    if host.finding:
        return "yellow"
    return "green" if host.verdict else "cyan" if host.doing else ""


def _pad(text: str, width: int) -> str:
    """Text in exactly so many columns; what is cut ends in '…'."""
    return set_cell_size(_cut(text, width), width)


def _cut(text: str, columns: int) -> str:
    """Text in at most so many columns."""
    if cell_len(text) <= columns:
        return text
    return set_cell_size(text, max(columns - 1, 0)).rstrip() + "…"[: max(columns, 0)]
