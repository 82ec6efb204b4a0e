"""Real test hosts for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.lab.lab import Lab
from orchestrator.lab.scenario import plan_hosts
from tests.lab.left import left_overs


@pytest.fixture(scope="module")
def every_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with every scenario once and a few thin hosts; it is always removed again."""
    made = Lab.up(tmp_path_factory.mktemp("every") / "lab", plan_hosts(11, 4, 3), print)
    try:
        yield made
    finally:
        made.down()
    assert left_overs(made.state.prefix, made.directory) == []
