"""The order of step 4: the office's rules, and what the officer who signs says otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError

from orchestrator.journal.state import CycleState
from orchestrator.model.errors import UsageError
from orchestrator.model.plan import Order
from orchestrator.sop.window import FORM, parse_window
from orchestrator.workflow.monthly import GATE_DOCUMENTS
from orchestrator.workflow.run import Run

EXAMPLES = {
    "canary": "--canary 2, --canary 5% or --canary off",
    "wave": "--wave 20 or --wave 25%",
    "abort_limit": "--abort-limit 3, --abort-limit 10% or --abort-limit unlimited",
    "reboot": "--reboot never, if-needed or always",
}


@dataclass(frozen=True)
class Terms:
    """What an officer orders with the signature of step 4; empty: as the office's rules say."""

    window: str = ""  # START/END in the office's time
    canary: str = ""
    wave: str = ""
    abort_limit: str = ""
    reboot: str = ""


def ordered(state: CycleState, step: int, terms: Terms, *, returned: bool) -> Order | None:
    """The order to be signed; None at other steps than 4 and when the plan is sent back.

    Raises UsageError naming the option that cannot be read or has no place at this step.
    """
    given = {name: value for name, value in asdict(terms).items() if value}
    if step != 4:
        if given:
            option = f"--{next(iter(given)).replace('_', '-')}"
            raise UsageError("waves and window are ordered at step 4 only", f"leave out {option}")
        return None
    if returned:
        return None
    rules = state.office.rules
    fields: dict[str, Any] = {name: getattr(rules, name) for name in EXAMPLES}
    if window := given.pop("window", ""):
        try:
            fields["window_start"], fields["window_end"] = parse_window(
                window, state.office.office.zone
            )
        except ValueError as error:
            raise UsageError(f"--window: {error}", f"for example --window '{FORM}'") from error
    try:
        return Order.model_validate({**fields, **given})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        words = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"--{name.replace('_', '-')} {given.get(name, '')}: {words}", EXAMPLES.get(name, "")
        ) from error


def show_order(run: Run, order: Order) -> None:
    """Make the order's document anew when it shows other terms: what is signed is what it says."""
    if order != run.state.terms:
        run.book.record("order.drafted", {"order": order.model_dump(mode="json")}, step=4)
    for name in GATE_DOCUMENTS[4]:
        run.document(name, 4)
