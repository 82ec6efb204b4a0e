"""Where playbooks, roles and host programs lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from orchestrator.model.evidence import Phase

ROOT = Path(__file__).resolve().parents[2]


def playbook(phase: Phase) -> Path:
    """The playbook of a phase."""
    return ROOT / "playbooks" / f"{phase}.yml"


def ansible_environment() -> dict[str, str]:
    """Environment for every Ansible program that we start.

    ansible-runner turns host key checking off by itself, so it is turned on here again.
    """
    return {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
    }
