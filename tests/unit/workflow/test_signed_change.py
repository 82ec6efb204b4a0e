"""No host is changed without genuine signatures of steps 3 and 4 over this very plan.

The fold looks at what a statement says; that an officer's key made the signature is proven by
ssh-keygen before any host is asked (workflow/change.py). Here both are real.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.archive.audit import audit_cycle
from orchestrator.journal.book import CycleBook
from orchestrator.journal.fold import IllegalEntry
from orchestrator.journal.store import read_entries, write_copy
from orchestrator.model.errors import CannotRunError
from orchestrator.signature.ssh import verify
from orchestrator.workflow.change import change, require_signatures
from orchestrator.workflow.progress import Silent
from orchestrator.workflow.run import Run
from orchestrator.workflow.settings import Settings
from tests.unit.cycles import OFFICERS, Chain, item
from tests.unit.signature.keys import key_file, public, raw_sign

HOW = ("genuine", "other officer's key", "another purpose", "taken from before", "garbage")


@dataclass
class Signed:
    """A cycle whose signatures are made by ssh-keygen, well or badly."""

    keys: dict[str, Path]
    chain: Chain = field(init=False)
    made: list[str] = field(default_factory=list)  # signatures, to be taken from before
    good: dict[int, bool] = field(default_factory=dict)  # gate → its signature is genuine

    def __post_init__(self) -> None:
        officers = [
            {"id": i, "role": r, "name": f"Contoh {i}", "keys": [public(self.keys[i])]}
            for i, r in OFFICERS.items()
        ]
        self.chain = Chain(officers=officers)
        self.chain.check(item(1))

    def sign(self, step: int, who: str, how: str, **changes: Any) -> None:
        """Sign the open gate; what the fold refuses is not recorded."""
        if self.chain.state.gate is not None:
            self.chain.render(self.chain.state.gate.number)
        text = self.chain.statement(step, who, **changes).canonical()
        other = next(k for i, k in self.keys.items() if i != who)
        if how == "genuine":
            signature = raw_sign(text, self.keys[who])
        elif how == "other officer's key":
            signature = raw_sign(text, other)
        elif how == "another purpose":
            signature = raw_sign(text, self.keys[who], "git")
        elif how == "taken from before" and self.made:
            signature = self.made[-1]
        else:
            signature = "garbage"
        returned = changes.get("decision") == "return"
        kind = "gate.returned" if returned else "gate.signed"
        body = {"statement": text, "signature": signature}
        self.chain.add(kind, body, step=step, actor=who)
        self.made.append(signature)
        self.good[step] = how == "genuine"
        if returned:
            self.good = {}
            self.chain.check(item(1))

    def refused(self) -> str:
        """Why hosts may not be changed now, or ''."""
        try:
            require_signatures(self.chain.state)
        except CannotRunError as error:
            return error.message
        return ""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {officer: key_file(folder / officer) for officer in OFFICERS}


MOVES = st.lists(
    st.tuples(
        st.sampled_from([3, 4]),
        st.sampled_from(["budi", "rina", "siti"]),
        st.sampled_from(["genuine", "genuine", *HOW]),
        st.sampled_from([{}, {}, {}, {"decision": "return", "reason": "again", "order": None}]),
    ),
    max_size=6,
)
WAY = {3: "budi", 4: "rina"}


@settings(max_examples=25, deadline=None)
@given(MOVES, st.sampled_from(HOW), st.sampled_from(HOW))
def test_only_genuine_signatures_over_this_plan_let_hosts_be_changed(
    keys: dict[str, Path],
    moves: list[tuple[int, str, str, dict[str, Any]]],
    third: str,
    fourth: str,
) -> None:
    signed = Signed(keys)
    for step, who, how, changes in [*moves, (3, "budi", third, {}), (4, "rina", fourth, {})]:
        try:
            signed.sign(step, who, how, **changes)
        except IllegalEntry:
            continue  # not the open gate, or not the officer's to sign
        state = signed.chain.state
        genuine = all(state.signed(n) and signed.good.get(n) for n in (3, 4))
        assert (signed.refused() == "") == genuine
        for record in state.signatures:
            assert record.officer == WAY[record.step]


@pytest.mark.parametrize("how", HOW[1:])
@pytest.mark.parametrize("step", [3, 4])
def test_a_forged_gate_changes_nothing_and_is_found_by_the_audit(
    keys: dict[str, Path], step: int, how: str, tmp_path: Path
) -> None:
    signed = Signed(keys)
    for gate, who in WAY.items():
        signed.sign(gate, who, how if gate == step else "genuine")
    folder = tmp_path / "cycle"
    folder.mkdir()
    write_copy(signed.chain.entries, folder / "journal.db")
    nowhere = Settings(tmp_path / "no-inventory", tmp_path / "office.yml", tmp_path)
    with (
        CycleBook(folder) as book,
        pytest.raises(CannotRunError, match=f"step {step} has no valid signature"),
    ):
        change(Run(nowhere, book, Silent()))
    assert list(read_entries(folder / "journal.db")) == signed.chain.entries, "nothing was begun"
    first = next(c for c in audit_cycle(folder, tmp_path).checks if not c.ok)
    entry = signed.chain.state.signed(step)[0].seq
    assert first.name == f"signature: step {step} by {WAY[step]} (journal entry {entry})"


@pytest.mark.parametrize("step", [3, 4])
def test_a_key_that_was_revoked_since_lets_no_host_be_changed(
    keys: dict[str, Path], step: int
) -> None:
    """Until work has begun: then it is brought to its end, whatever becomes of the key."""
    signed = Signed(keys)
    for gate, who in WAY.items():
        signed.sign(gate, who, "genuine")
    assert signed.refused() == ""
    office = signed.chain.office.model_dump(mode="json")
    for officer in office["officers"]:
        if officer["id"] == WAY[step]:
            officer["revoked_keys"] = [f"{officer['keys'][0]} lost with the laptop"]
    signed.chain.add("office.changed", {"office": office})
    assert f"the key that signed step {step} for {WAY[step]} has been revoked" in signed.refused()

    signed.chain.add("phase.started", {"phase": "backup", "wave": 0, "hosts": ["web1"]})
    assert signed.refused() == ""


def test_signatures_of_a_plan_that_was_sent_back_do_not_count(keys: dict[str, Path]) -> None:
    """The same officer, a genuine signature, the same items: but the plan before the return."""
    signed = Signed(keys)
    signed.sign(3, "budi", "genuine")
    old = signed.chain.state.signed(3)[0]
    signed.sign(4, "rina", "genuine", decision="return", reason="again", order=None)
    assert not signed.chain.state.signatures
    with pytest.raises(IllegalEntry, match="another plan"):
        body = {"statement": old.statement, "signature": old.signature}
        signed.chain.add("gate.signed", body, step=3, actor="budi")
    assert "it is not signed" in signed.refused()


def test_a_signature_of_one_step_opens_no_other(keys: dict[str, Path]) -> None:
    """The Kepala's genuine order is replayed, as it is and made to look like step 11."""
    signed = Signed(keys)
    signed.sign(3, "budi", "genuine")
    signed.sign(4, "rina", "genuine")
    order = signed.chain.state.signed(4)[0]
    chain = signed.chain
    for host in chain.hosts:
        chain.add("host.verdict", {"verdict": "updated", "reason": ""}, host=host)
    for step in (6, 7, 5):
        chain.add("step.passed", step=step)
    signed.sign(8, "siti", "genuine")
    signed.sign(8, "budi", "genuine")
    chain.add("step.passed", step=9)
    signed.sign(10, "joko", "genuine")
    body = {"statement": order.statement, "signature": order.signature}
    with pytest.raises(IllegalEntry, match="the open gate is step 11"):
        chain.add("gate.signed", body, step=11, actor="rina")
    chain.render(11)
    text = chain.statement(11, "rina").canonical()
    chain.add("gate.signed", {**body, "statement": text}, step=11, actor="rina")
    record = chain.state.signed(11)[0]
    assert verify(record.statement, record.signature, "rina", record.keys)
