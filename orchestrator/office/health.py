"""What office.yml says that is valid and yet will stop a cycle, or soon will.

`load_office` refuses what is wrong; this tells what an officer would otherwise meet at a gate.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestrator.model.office import Office, Officer, Role
from orchestrator.office.yaml_lines import line_of, load_located
from orchestrator.signature.keys import read_key
from orchestrator.sop import machine
from orchestrator.sop.procedure import procedure

SOON_DAYS = 60
"""An officer's last day that is nearer than this is told: somebody must take over."""


@dataclass(frozen=True)
class Ailment:
    """Something to correct in office.yml; `serious` unless it is only good to know."""

    line: int
    words: str
    fix: str
    serious: bool = True


def ailments(path: Path, office: Office, today: date) -> list[Ailment]:
    """Everything found in an office.yml that `load_office` took, in the order of the file."""
    located = load_located(path.read_text(encoding="utf-8"))
    found: list[Ailment] = []
    able = able_officers(office, today)
    for number, officer in enumerate(office.officers):
        line = line_of(located, ("officers", number))
        found += [Ailment(line, *rest) for rest in _officer(officer, today)]
    line = line_of(located, ("officers",))
    found += [Ailment(line, *rest) for rest in _roles(office, able)]
    logo = office.office.logo
    if logo and not (path.parent / logo).is_file():
        words = f"office.logo: there is no {path.parent / logo}"
        fix = "put the picture there, or correct the path (relative to office.yml)"
        found.append(Ailment(line_of(located, ("office", "logo")), words, fix))
    if office.letters.classification_code == "000.0.0":
        words = "letters: number pattern and classification code are still the placeholders"
        fix = "set letters.number_pattern and letters.classification_code to the office's own"
        line = line_of(located, ("letters",))
        found.append(Ailment(line, words, fix, serious=False))
    return sorted(found, key=lambda one: one.line)


def may_sign(officer: Officer, today: date) -> bool:
    """Whether an officer could sign today: has a key that counts, on a day that counts."""
    day = today.isoformat()
    begun = not officer.valid_from or officer.valid_from <= day
    return bool(officer.valid_keys) and begun and (officer.valid_until or day) >= day


def _officer(officer: Officer, today: date) -> Iterator[tuple[str, str, bool]]:
    """(words, fix, serious) about one officer."""
    who = f"officer {officer.id}"
    if not officer.valid_keys:
        has = "only revoked keys" if officer.keys else "no public key"
        fix = "the officer runs ssh-keygen -t ed25519; add the .pub line under keys:"
        yield f"{who} has {has} and cannot sign", fix, True
    for key in officer.valid_keys:
        known = read_key(key)
        fix = "the officer runs ssh-keygen -t ed25519; put the .pub line in its place"
        if known.trouble:
            yield f"{who}: a key {known.trouble}", fix, True
        elif known.weakness:
            yield f"{who}: {known.weakness}", fix, False
    day = today.isoformat()
    if officer.valid_until:
        left = (date.fromisoformat(officer.valid_until) - today).days
        fix = "correct valid_until, or add the successor as an officer of the same role"
        if left < 0:
            yield f"{who} may not sign any more since {officer.valid_until}", fix, True
        elif left <= SOON_DAYS:
            yield f"{who} may sign for {left} more days (until {officer.valid_until})", fix, True
    if officer.valid_from > day:
        fix = "correct valid_from, or name who signs until then"
        yield f"{who} may not sign before {officer.valid_from}", fix, False


def able_officers(office: Office, today: date) -> dict[Role, list[Officer]]:
    """Who could sign today, for each role that signs a gate."""
    roles = dict.fromkeys(role for step in procedure(office) for role in step.signers)
    return {role: [o for o in office.with_role(role) if may_sign(o, today)] for role in roles}


def _roles(office: Office, able: dict[Role, list[Officer]]) -> Iterator[tuple[str, str, bool]]:
    """Gates that nobody could pass today, alone or together."""
    missing = [role for role, officers in able.items() if not officers]
    stuck = [str(s.number) for s in procedure(office) if set(s.signers) & set(missing)]
    if missing:
        names = " and ".join(f"{role} ({office.role_name(role)})" for role in missing)
        words = f"nobody could sign today as {names}: no cycle passes step {stuck[0]}"
        yield words, f"give an officer with role: {missing[0]} a key under keys:", True
    elif office.rules.separation_of_duties:
        words = _impossible(office, able)
        if words:
            fix = "name another person for one of these roles; one person does not do both"
            yield f"separation of duties cannot be kept: {words}", fix, True


def person(officer: Officer) -> str:
    """Who an officer is, whatever the id: the NIP, or the name where there is none."""
    digits = "".join(c for c in officer.nip if c.isdigit())
    return digits if digits.strip("0") else " ".join(officer.name.casefold().split())


def _impossible(office: Office, able: dict[Role, list[Officer]]) -> str:
    """Why no choice of persons passes all gates, or ''; the first rule that stands in the way."""
    gates = [(s.number, role) for s in procedure(office) for role in s.signers]
    people = [sorted({person(o) for o in able[role]}) for _, role in gates]
    first = ""
    for chosen in itertools.islice(itertools.product(*people), 100_000):
        conflict = _conflict(office, gates, chosen)
        if not conflict:
            return ""
        first = first or conflict
    return first


def _conflict(office: Office, gates: list[tuple[int, Role]], chosen: tuple[str, ...]) -> str:
    signed: dict[int, dict[str, str]] = {}
    for (step, role), who in zip(gates, chosen, strict=True):
        conflict = machine.duty_conflict(office, step, who, signed)
        if conflict:
            return f"step {step} ({role}): {conflict}"
        signed.setdefault(step, {})[role] = who
    return ""
