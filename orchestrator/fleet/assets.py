"""Where playbooks, roles and host programs lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from orchestrator.model.errors import UsageError
from orchestrator.model.evidence import Phase
from orchestrator.model.house import ROOT


def playbook(phase: Phase) -> Path:
    """The playbook of a phase."""
    return ROOT / "playbooks" / f"{phase}.yml"


# Paths that Ansible would look for from where it runs; the user named them from the present folder.
_PATHS = (
    "ANSIBLE_VAULT_PASSWORD_FILE",
    "ANSIBLE_BECOME_PASSWORD_FILE",
    "ANSIBLE_CONNECTION_PASSWORD_FILE",
    "ANSIBLE_PRIVATE_KEY_FILE",
)


def ansible_environment() -> dict[str, str]:
    """Environment for every Ansible program that we start.

    ansible-runner turns host key checking off by itself, so it is turned on here again. Nobody
    could answer a prompt, so Ansible is told to ask nothing. Raises UsageError when a vault's
    password would have to be typed.
    """
    return {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_ASK_PASS": "False",
        "ANSIBLE_ASK_VAULT_PASS": "False",
        "ANSIBLE_BECOME_ASK_PASS": "False",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        **named_paths(),
    }


def named_paths() -> dict[str, str]:
    """The user's own paths in Ansible's variables, absolute."""
    named = {name: _absolute(os.environ[name]) for name in _PATHS if os.environ.get(name)}
    identities = os.environ.get("ANSIBLE_VAULT_IDENTITY_LIST", "")
    if identities:
        pairs = [pair.strip().rpartition("@") for pair in identities.split(",")]
        if any(source.startswith("prompt") for _, _, source in pairs):
            raise UsageError(
                "ANSIBLE_VAULT_IDENTITY_LIST asks for a password to be typed",
                "name a file or a program instead of `prompt`",
            )
        words = [f"{label}{at}{_absolute(source)}" for label, at, source in pairs]
        named["ANSIBLE_VAULT_IDENTITY_LIST"] = ",".join(words)
    return named


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
