"""The environment of the Ansible programs: nothing is prompted for, paths are the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.fleet.assets import ansible_environment
from orchestrator.model.errors import UsageError


def test_paths_are_relative_to_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "keys/vault")
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", "a@keys/a, /keys/b,c@~/c")
    made = ansible_environment()
    assert made["ANSIBLE_VAULT_PASSWORD_FILE"] == f"{tmp_path}/keys/vault"
    home = Path.home()
    assert made["ANSIBLE_VAULT_IDENTITY_LIST"] == f"a@{tmp_path}/keys/a,/keys/b,c@{home}/c"


def test_nothing_is_asked_behind_the_users_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_BECOME_ASK_PASS", "True")
    made = ansible_environment()
    assert {made[f"ANSIBLE_{n}_PASS"] for n in ("ASK", "ASK_VAULT", "BECOME_ASK")} == {"False"}
    assert made["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    monkeypatch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", "office@prompt")
    with pytest.raises(UsageError, match="typed"):
        ansible_environment()
