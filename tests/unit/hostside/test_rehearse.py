"""A dry run's request reaches nothing that changes a host, and a simulation is judged as strictly
as the update itself."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hostside import main, simulation
from hostside.simulation import Simulation


def asked(phase: str, rehearsal: Any) -> dict[str, Any]:
    return {"phase": phase, "transaction": "0" * 32, "rehearsal": rehearsal, "options": {}}


@pytest.mark.parametrize("phase", [p for p in main.PHASES if p not in main.READING])
@pytest.mark.parametrize("rehearsal", [True, "true", 1, None, "no"])
def test_changing_phases_are_refused(
    phase: str, rehearsal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the entry point, before anything of the phase is even imported."""

    def reached(*_: Any) -> None:
        raise AssertionError("a changing path was reached")

    monkeypatch.setattr(main, "carry_out", reached)
    monkeypatch.setattr("hostside.transaction.start_or_attach", reached)
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    main.main(asked(phase, rehearsal), "")
    assert "SOP-RUN-EVIDENCE" in out.getvalue()
    answer = main.refused(asked(phase, rehearsal))
    assert (answer["status"], answer["problems"][0]["code"]) == ("refused", "rehearsal-only")


def test_reading_phases_and_real_requests_pass() -> None:
    assert main.refused(asked("check", True)) is None
    assert main.refused(asked("rehearse", True)) is None
    assert main.refused(asked("update", False)) is None
    assert main.refused({"phase": "update"}) is None
    assert main.refused(asked("check", "yes")) is not None, "what is neither is no request"


def item(name: str, to: str = "2") -> dict[str, str]:
    return {"class": "system", "name": name, "arch": "all", "from": "1", "to": to}


def row(name: str, to: str = "2", before: str = "1") -> dict[str, str]:
    return {"name": name, "arch": "all", "from": before, "to": to}


@pytest.mark.parametrize(
    ("found", "options", "status", "words"),
    [
        (Simulation([row("a")], [], []), {}, "ok", ""),
        (Simulation([row("a", "3")], [], []), {}, "superseded", "planned 2, offered 3"),
        (Simulation([], [], []), {}, "superseded", "planned 2, offered nothing"),
        (Simulation([row("a"), row("b")], [], []), {}, "refused", "would change b"),
        (Simulation([row("a")], [row("c", before="")], []), {}, "refused", "would install c 2"),
        (Simulation([row("a")], [], ["d"]), {}, "refused", "would remove d"),
        (
            Simulation([row("a")], [row("c", before="")], ["d"]),
            {
                "allow_new": [{"name": "c", "arch": "all", "version": "2"}],
                "allow_removals": ["d"],
            },
            "ok",
            "",
        ),
    ],
)
def test_a_simulation_is_judged_as_the_update_is(
    found: Simulation,
    options: dict[str, Any],
    status: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulation.baseline, "installed", lambda: {"a": "1"})
    monkeypatch.setattr(simulation.baseline, "package_key", lambda row: row["name"])
    monkeypatch.setattr("hostside.sideeffects.baseline.package_key", lambda row: row["name"])
    got, _, message, _ = simulation.judged([item("a")], found, options)
    assert (got, words in message) == (status, True), message


def test_what_is_installed_already_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation.baseline, "installed", lambda: {"a": "2"})
    monkeypatch.setattr(simulation.baseline, "package_key", lambda row: row["name"])
    assert simulation.judged([item("a")], Simulation([], [], []), {})[0] == "ok"
