"""Reads office.yml: every problem at once, each with file, line and path."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from orchestrator.model.errors import UsageError
from orchestrator.model.office import Office
from orchestrator.office.yaml_lines import line_of, load_located
from orchestrator.sop.machine import kept_apart
from orchestrator.sop.procedure import procedure

MAX_BYTES = 1024 * 1024
LANGUAGES = ("en", "id")
"""What `language:` may say."""
# Pair of duties → the steps, by whose role it would fall to one person.
_BY_STEP = (
    ("draft-verify", 10, 9),
    ("verify-establish", 11, 10),
    ("draft-establish", 11, 9),
    ("order-test", 7, 4),
)


class OfficeError(UsageError):
    """office.yml has problems; each of `problems` is `file:line: path: what is wrong`."""

    def __init__(self, message: str, hint: str, problems: tuple[str, ...]) -> None:
        super().__init__(message, hint)
        self.problems = problems


def load_office(path: Path) -> Office:
    """The office described in `path`.

    Raises OfficeError, a UsageError, listing all problems as `file:line: path: what is wrong`.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"there is no {path}", "copy inventory/office.yml beside your inventory and edit it"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES} bytes")
    try:
        located = load_located(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start}") from error
    problems = [f"{path}:{line}: {what}" for line, what in located.problems]
    if not problems and not isinstance(located.value, dict):
        problems = [f"{path}:1: it is empty or no mapping; it begins with `office:`"]
    office = None
    if isinstance(located.value, dict):
        # For messages only (orchestrator/cli/words.py): no part of the office that journals keep.
        language = located.value.pop("language", None)
        if language not in (None, *LANGUAGES):
            line = line_of(located, ("language",))
            problems.append(f"{path}:{line}: language: write en or id")
        try:
            office = Office.model_validate(located.value)
        except ValidationError as error:
            for issue in error.errors():
                place = tuple(p for p in issue["loc"] if isinstance(p, str | int))
                where = ".".join(str(p) for p in place)
                what = issue["msg"].removeprefix("Value error, ")
                problems.append(f"{path}:{line_of(located, place)}: {where}: {what}")
    if office is not None and not problems:
        problems = [f"{path}:1: {what}" for what in _logic(office)]
    if problems or office is None:
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        raise OfficeError(
            f"{path} has {count}:\n  " + "\n  ".join(problems),
            "correct them and run the same command again; nothing was done",
            tuple(problems),
        )
    return office


def _logic(office: Office) -> list[str]:
    """What a schema cannot see: every gate needs somebody who can sign it."""
    problems = []
    for step in procedure(office):
        for role in step.signers:
            if not office.with_role(role):
                problems.append(
                    f"officers: nobody has the role {role!r}, which signs step {step.number}"
                )
    steps = {s.number: s for s in procedure(office)}
    if steps[8].partner is None:
        problems.append(
            f"steps: step 8 is tested by two roles together, not twice by {steps[8].role!r}; "
            "name the other one as its partner"
        )
    kept = {name for name, *_ in kept_apart(office)}
    for name, later, earlier in _BY_STEP:
        shared = steps[later].role
        one = shared is not None and len(office.with_role(shared)) < 2
        if name in kept and one and shared == steps[earlier].role:
            problems.append(
                f"steps: {later} and {earlier} both fall to the one officer with the role "
                f"{shared!r}, which separation of duties forbids ({name})"
            )
    return problems
