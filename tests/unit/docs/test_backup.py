"""Every back end of the backup is described, and the role offers exactly those that there are."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

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
    for name, backend in BACKENDS.items():
        module = sys.modules[type(backend).__module__]
        untested = "UNTESTED" in (module.__doc__ or "")
        assert untested == ("**Not tested**" in sections[name]), name
