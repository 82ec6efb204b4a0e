"""Every back end of the backup is described, and the role offers exactly those that there are."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest
import yaml

from hostside import hypervisors, untested
from hostside.backends import AUTOMATIC, BACKENDS, METHODS

ROOT = Path(__file__).resolve().parents[3]


def role(name: str) -> dict[str, object]:
    path = ROOT / "roles" / name / "meta/argument_specs.yml"
    options = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert isinstance(options, dict)
    return options


def test_every_back_end_has_its_section() -> None:
    page = (ROOT / "docs/explanation/backup.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^## (.+)$", page, re.MULTILINE))
    assert set(BACKENDS) <= sections
    order = ", ".join(f"`{name}`" for name in AUTOMATIC[:-1]) + f" and `{AUTOMATIC[-1]}`"
    assert order in " ".join(page.split()), "the order of `auto`"


def test_the_role_offers_what_there_is() -> None:
    assert role("backup")["backup_method"]["choices"] == list(METHODS)  # type: ignore[index]


def test_what_is_untested_says_so() -> None:
    page = (ROOT / "docs/explanation/backup.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", page, re.MULTILINE))
    table = dict(re.findall(r"^\| (`.+`) \| (.+) \|$", page, re.MULTILINE))
    for name, backend in BACKENDS.items():
        module = sys.modules[type(backend).__module__]
        never = "UNTESTED" in (module.__doc__ or "") or name in untested.NEVER_TRIED
        assert never == ("**Not tested**" in sections[name]), name
        (tried,) = (words for names, words in table.items() if f"`{name}`" in names)
        assert never == tried.startswith("nothing"), name


@pytest.mark.parametrize("name", untested.NEVER_TRIED)
def test_an_untested_hypervisor_is_never_chosen_unasked_and_told_everywhere(name: str) -> None:
    assert name not in AUTOMATIC
    assert role("backup")["backup_untested"]["default"] is False  # type: ignore[index]
    for variable in ("backup_method", "backup_untested"):
        words = " ".join(role("backup")[variable]["description"])  # type: ignore[index]
        assert f"`{name}`" in words and "never tried on a real one" in words
    module, _ = hypervisors.KINDS[name].split(".")
    assert "UNTESTED" in (importlib.import_module(f"hostside.{module}").__doc__ or "")
    for path in ("README.md", "docs/how-to/hypervisor.md", "CHANGELOG.md"):
        assert "untested" in (ROOT / path).read_text(encoding="utf-8")
