"""The cache: whole or absent, one builder at a time."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from orchestrator.lab import cache
from orchestrator.lab.machine import Machine
from orchestrator.lab.recipe import recipe_id
from orchestrator.model.errors import CannotRunError

MACHINE = Machine("debian", "bookworm", "amd64")


def test_a_built_base_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "build", lambda *_: pytest.fail("built again"))
    (tmp_path / recipe_id(MACHINE)).mkdir()
    found = cache.provide(MACHINE, print, tmp_path)
    assert found.image == tmp_path / recipe_id(MACHINE) / "pool.img"


def test_what_a_killed_builder_left_is_removed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".build-old/work").mkdir(parents=True)
    monkeypatch.setattr(cache, "build", lambda temporary, final, *_: final.mkdir())
    cache.provide(MACHINE, print, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", recipe_id(MACHINE)]


def test_a_failed_build_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'base: begun'\necho 'lab: no mirror' >&2\nexit 4\n")
    program.chmod(0o755)
    monkeypatch.setattr(cache.sys, "executable", str(program))
    monkeypatch.setattr(cache, "ALONE", ())
    lines: list[str] = []
    with pytest.raises(CannotRunError, match="lab: no mirror"):
        cache.build(tmp_path / ".build-x", tmp_path / "x", lines.append)
    assert lines == ["base: begun"]
    assert [p.name for p in tmp_path.iterdir()] == ["python"]


def test_tidying_waits_for_nobody(tmp_path: Path) -> None:
    (tmp_path / ".build-x").mkdir()
    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        cache.tidy(tmp_path)
        assert (tmp_path / ".build-x").exists()
    cache.tidy(tmp_path)
    assert not (tmp_path / ".build-x").exists()


def test_purging_leaves_the_cache_to_labs_that_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setattr(cache, "registered", lambda: ["sop-a"])
    assert "sop-a" in cache.purge(folder)
    monkeypatch.setattr(cache, "registered", lambda: [])
    assert "removed" in cache.purge(folder)
    assert not folder.exists()
    assert "no cached base" in cache.purge(folder)


def test_the_recipe_depends_on_the_system() -> None:
    assert recipe_id(MACHINE) == recipe_id(MACHINE)
    assert recipe_id(MACHINE) != recipe_id(Machine("debian", "bookworm", "arm64"))
