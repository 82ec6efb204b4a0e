"""An office whose only server is this machine, checked without network and never changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli import SOP_RUN, Called, make_key, sop_run

QUIET = {"check_refresh": "none", "check_advisories": False, "check_stage": False}
ROLES = ("pengelola", "analis", "jf", "kepala")


@dataclass(frozen=True)
class LocalOffice:
    """A folder as an office owns it, with keys for its four officers."""

    folder: Path
    program: Path = SOP_RUN

    @property
    def home(self) -> Path:
        return self.folder / "var"

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory"

    def key(self, officer: str) -> Path:
        return self.folder / "keys" / officer

    def run(self, *words: str | Path) -> Called:
        """sop-run with this office's inventory."""
        return sop_run(*words, "--inventory", self.inventory, program=self.program)

    def sign(self, officer: str, *more: str, cycle: str = "2026-11") -> Called:
        return self.run("sign", cycle, "--as", officer, "--key", self.key(officer), *more)

    def edit_officer(self, officer: str, **fields: Any) -> None:
        """Change an officer in office.yml."""
        path = self.inventory / "office.yml"
        office = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in office["officers"]:
            if entry["id"] == officer:
                entry.update(fields)
        path.write_text(yaml.safe_dump(office), encoding="utf-8")

    def facts(self, cycle: str = "2026-11") -> dict[str, Any]:
        """`status --json`."""
        facts = json.loads(self.run("status", cycle, "--json").out)
        assert isinstance(facts, dict)
        return facts

    def items(self, cycle: str = "2026-11") -> int:
        """How many items the plan has."""
        from orchestrator.journal.book import read_state

        plan = read_state(self.home / "cycles" / cycle).plan
        assert plan is not None
        return len(plan.items)

    def defer_all(self) -> list[str]:
        """Options that put every item off, so that nothing on this machine is changed."""
        numbers = range(1, self.items() + 1)
        return [word for n in numbers for word in ("--defer", f"{n}=this is a test")]


def _office(folder: Path, root: Path) -> LocalOffice:
    made = LocalOffice(folder)
    made.inventory.mkdir(parents=True)
    shutil.copyfile(root / "inventory" / "office.yml", made.inventory / "office.yml")
    only_this_machine(made)
    return made


def only_this_machine(made: LocalOffice) -> None:
    """Put this machine into the inventory, and keys of the four officers into office.yml."""
    hosts = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
    # No refresh, changelogs or downloads: tests send nothing to package mirrors.
    hosts["all"]["vars"] = QUIET  # type: ignore[assignment]
    (made.inventory / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    office = yaml.safe_load((made.inventory / "office.yml").read_text(encoding="utf-8"))
    for officer in office["officers"]:
        key = make_key(made.key(officer["id"]))
        officer["keys"] = [key.with_suffix(".pub").read_text(encoding="utf-8").strip()]
    (made.inventory / "office.yml").write_text(yaml.safe_dump(office), encoding="utf-8")


@pytest.fixture(scope="session")
def _checked(tmp_path_factory: pytest.TempPathFactory, root: Path) -> LocalOffice:
    """An office whose cycle waits at step 3; made once, since a check takes seconds."""
    made = _office(tmp_path_factory.mktemp("checked") / "office", root)
    called = made.run("monthly", "--period", "2026-11")
    assert called.code == 3, called.text
    return made


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory, root: Path) -> LocalOffice:
    """An office with three archived months; in the second, two gates were sent back. Read only."""
    from tests.local.months import make_months

    return make_months(_office(tmp_path_factory.mktemp("months") / "office", root))


@pytest.fixture(scope="session")
def forged_month(tmp_path_factory: pytest.TempPathFactory, root: Path) -> LocalOffice:
    """Another office of the same words, whose keys are the forger's, with the second month."""
    from tests.local.months import whole_month

    made = _office(tmp_path_factory.mktemp("forged") / "office", root)
    whole_month(made, "2026-11")
    return made


@pytest.fixture
def new_office(tmp_path: Path, root: Path) -> LocalOffice:
    """An office without any cycle."""
    return _office(tmp_path / "office", root)


@pytest.fixture
def local_office(tmp_path: Path, _checked: LocalOffice) -> LocalOffice:
    """An office of its own for each test, whose cycle 2026-11 waits at step 3."""
    shutil.copytree(_checked.folder, tmp_path / "office", symlinks=True)
    return LocalOffice(tmp_path / "office")
