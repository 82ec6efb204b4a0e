"""Back ends that never ran on the real thing: the office's consent, and where it is told."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from hostside import bundle, doctor, hypervisor, main, rehearse, untested
from hostside.answer import Answer
from hostside.unusable import Unusable

ROOT = Path(__file__).parents[3]
TRIED = sorted(set(hypervisor.BACKENDS) - set(untested.NEVER_TRIED))


@pytest.mark.parametrize("kind", untested.NEVER_TRIED)
def test_a_guest_refuses_without_consent_whatever_its_hypervisor_says(kind: str) -> None:
    backend = hypervisor.BACKENDS[kind]
    words = backend.reason_against({"options": {"method": kind}})
    assert words.startswith(f"UNTESTED: the back end {kind} was written from the vendor's")
    assert "without backup_untested: true" in words
    # With it, all that is asked of any hypervisor is asked.
    assert "not asked" in backend.reason_against({"options": {"untested": True}})
    with pytest.raises(Unusable, match="was not asked"):
        backend.take("sop-run-" + "a" * 32, {"options": {"untested": True}})


def test_no_consent_is_asked_for_what_was_tried() -> None:
    assert TRIED == ["libvirt"]
    assert untested.reason_against("libvirt", {}) == untested.words("libvirt") == ""
    assert hypervisor.BACKENDS["libvirt"].untested() == []


def asked_doctor(method: str, **options: Any) -> Answer:
    answer = Answer("doctor")
    doctor.check_backup(answer, {"backup_method": method, **options})
    return answer


@pytest.mark.parametrize("kind", untested.NEVER_TRIED)
def test_the_doctor_tells_it_with_and_without_consent(kind: str) -> None:
    without = asked_doctor(kind)
    assert [found["code"] for found in without.problems] == ["no-backup"]
    assert without.facts["backup"]["method"] == ""
    given = asked_doctor(kind, backup_untested=True)
    assert [found["code"] for found in given.problems] == ["untested-backup"]
    assert "never tried on a real" in given.problems[0]["message"]
    assert given.facts["backup"]["method"] == kind
    assert asked_doctor("libvirt").problems == []


@pytest.mark.parametrize("kind", untested.NEVER_TRIED)
def test_a_dry_run_is_refused_without_consent(kind: str) -> None:
    for given, result in ((False, "failed"), (True, "passed")):
        answer = Answer("rehearse")
        answer.facts.update(parts=[], backup={})
        request = {"options": {"method": kind, "untested": given}, "items": []}
        assert rehearse.check_backup(request, answer)
        (part,) = answer.facts["parts"]
        assert part["result"] == result and "UNTESTED" in part["message"]
        assert answer.facts["backup"]["method"] == (kind if given else "")


def sources(phase: str) -> dict[str, str]:
    packed = bundle.payload(str(ROOT / "hostside"), phase)
    return dict(json.loads(zlib.decompress(base64.b64decode(packed))))


@pytest.mark.parametrize("phase", main.PHASES + main.BESIDE)
def test_every_phase_has_the_modules_that_it_needs(phase: str) -> None:
    """Every module that is sent can be loaded with what is sent alone, also the adapters."""
    modules = sources(phase)
    names = [name for name in modules if name not in ("hostside", "hostside.dnfwriter")]
    names = [name for name in names if "import dnf" not in modules[name]]
    text = bundle.program(bundle.pack(modules), {"phase": phase})
    head, _, _ = text.rpartition("from hostside.main import main")
    script = head + f"import importlib\nfor name in {names!r}: importlib.import_module(name)\n"
    done = subprocess.run(
        [sys.executable, "-I", "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-400:]
    assert f"hostside.{phase}" in modules


def test_what_works_with_hypervisors_goes_to_hypervisors_only() -> None:
    everything = {
        "hostside." + path.stem for path in (ROOT / "hostside").glob("*.py") if path.stem[0] != "_"
    } | {"hostside"}
    for phase in bundle.BY_HYPERVISORS:
        assert set(sources(phase)) == everything
    assert everything - set(sources("backup")) == {f"hostside.{x}" for x in bundle.FOR_HYPERVISORS}
