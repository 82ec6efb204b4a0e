# GPL-3.0-or-later
"""Action plugin `sop_phase`: pipes a host program over one connection exec and keeps its evidence.

Why not a module: a phase is one task and one exec per host, needs no temp file, and works with
Pythons on hosts that Ansible's own modules no longer support (docs/ARCHITECTURE.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import resource
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase

HOSTSIDE = Path(__file__).resolve().parents[2] / "hostside"
MARK = "SOP-RUN-EVIDENCE"
CHANGING = frozenset({"backup", "update", "antivirus", "restore", "snapshot", "revert"})
READING = frozenset({"check", "rehearse"})
# Asked beside a phase, of a guest or of its hypervisor: what they say is no result of the phase
# and goes to the next task as `told`.
BESIDE = frozenset({"prepare", "snapshot", "proof", "revert"})
RECONNECTS = 2
RECONNECT_SECONDS = 5
# Where a Python may be when the inventory does not say; EL8 has only platform-python.
PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python", "/usr/local/bin/python3", "python3")
NO_PYTHON = "sop-run: no Python on this host"
# What a host may send: Ansible keeps all of it in memory, in one process for each host.
OUTPUT_MEMORY = 32 * 1024 * 1024
# ansible-runner empties a result beyond 700,000 characters without a word.
LONGEST_LINE = 600_000

# What went wrong, most telling first: (what the host or Ansible said, reason, what to do).
REASONS = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (
            r"Missing (\S+) password|a password is required",
            "sudo asks for a password and none was given: use --ask-become-pass, set "
            "ansible_become_password in a vault, or allow NOPASSWD",
        ),
        (
            r"Incorrect (\S+) password|incorrect password attempt",
            "sudo refused the password: correct ansible_become_password, or what was typed",
        ),
        (
            r"is not in the sudoers file|is not allowed to (run sudo|execute)",
            "sudo is refused to this user: allow it in /etc/sudoers.d on the host",
        ),
        (
            r"you must have a tty|a terminal is required",
            "sudo wants a terminal (requiretty): take requiretty away for this user, or set "
            "ansible_pipelining: false for the host",
        ),
        (
            r"(sudo|su|doas): (command )?not found",
            "sudo is not on the host: install it, or connect as root",
        ),
        (
            NO_PYTHON,
            "no Python 3 on the host: install python3 or set ansible_python_interpreter",
        ),
        (
            r"this Python is incomplete",
            "the host's Python is incomplete (python3-minimal): install python3",
        ),
        (
            r"Python is too old|SyntaxError|Unknown option: -I",
            "the host's Python is too old: 3.6 or later is needed",
        ),
    )
)


def reason_for(text: str) -> str:
    """Why a host gave no answer and what to do, from what it or Ansible said; "" when unknown."""
    return next((words for pattern, words in REASONS if pattern.search(text)), "")


@contextmanager
def bounded_memory(extra: int) -> Iterator[None]:
    """Let this process, which works for one host, take at most `extra` bytes more.

    Beyond that MemoryError is raised, here, where it harms no other host.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    used = int(next(x.split()[1] for x in status.splitlines() if x.startswith("VmData:"))) * 1024
    limit = used + extra
    if before[1] != resource.RLIM_INFINITY:
        limit = min(limit, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _load_bundle() -> Any:
    spec = importlib.util.spec_from_file_location("sop_run_bundle", HOSTSIDE / "bundle.py")
    if spec is None or spec.loader is None:
        raise AnsibleError(f"sop_phase: no host programs in {HOSTSIDE}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Packed once, where Ansible loads this plugin, and not again in each process that it forks for a
# host: packing is a third of what a host costs the controller beside its ssh.
BUNDLE = _load_bundle()
PAYLOAD = BUNDLE.payload(HOSTSIDE, "")


def _payload(phase: str) -> str:
    """The packed host programs; those of hypervisors, which few are asked, are packed then."""
    own: str = BUNDLE.payload(HOSTSIDE, phase) if phase in BUNDLE.BY_HYPERVISORS else PAYLOAD
    return own


def read_request(folder: str, host: str) -> dict[str, Any]:
    """The orchestrator's request for a host; files are named by hash, so no name is a path."""
    name = hashlib.sha256(host.encode()).hexdigest() + ".json"
    path = Path(folder) / name
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise AnsibleError(
            f"sop_phase: no request for {host} in {folder}; changes are made by "
            "`sop-run monthly` after the gates are signed, not by the playbook alone"
        ) from None


def end_children() -> None:
    """End the ssh of this process, which would go on as long as a host that hangs or floods."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    for pid in children.read_text(encoding="ascii").split() if children.exists() else ():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


def _beside(found: dict[str, Any]) -> dict[str, Any]:
    """An answer under names that are no result of the phase, whatever it says."""
    return {
        "changed": bool(found.get("changed")),
        "sop_said": found.get("sop_evidence", ""),
        "sop_reason": found.get("sop_reason", ""),
    }


class ActionModule(ActionBase):
    """One phase on one host."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send request and program, return `sop_evidence` (the framed line, still packed)."""
        task_vars = task_vars or {}
        super().run(tmp, task_vars)
        arguments = self._task.args
        phase = str(arguments["phase"])
        host = str(task_vars["inventory_hostname"])
        request = self._request(phase, host, arguments, task_vars)
        if self._task.check_mode:
            request["options"]["stage"] = False  # nothing at all is left on the host
        if phase in CHANGING and self._task.check_mode:
            return {"skipped": True, "msg": f"{phase} changes hosts and is left out in check mode"}
        if phase in BESIDE and self._task.delegate_to:
            return self._hypervisor(phase, request, task_vars)
        if "told" in arguments:
            self._hand_on(request, arguments["told"])
        found = self._asked(phase, request, task_vars)
        return _beside(found) if phase in BESIDE else found

    def _hypervisor(
        self, phase: str, request: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        """What a guest's hypervisor says, or why it says nothing: never a fault of the task,
        since it would count as the guest's."""
        delegated = str(self._task.delegate_to)
        self._hand_on(request, self._task.args.get("told"))
        if delegated not in task_vars["groups"]["all"]:
            return _beside(
                self._failure(f"{delegated} (backup_hypervisor) is not in the inventory")
            )
        own = task_vars.get("ansible_delegated_vars", {}).get(delegated, {})
        for left in reversed(range(RECONNECTS)):
            try:
                return _beside(self._asked(phase, request, own))
            except AnsibleConnectionFailure as error:
                reason = f"the hypervisor {delegated} cannot be reached: {error}"
            if left:
                time.sleep(RECONNECT_SECONDS)
        return _beside(self._failure(reason))

    def _hand_on(self, request: dict[str, Any], told: Any) -> None:
        """Give a request what the task before was told.

        A guest that went back with its memory knows nothing of connections made since, so those
        are given up first.
        """
        told = told if isinstance(told, dict) else {}
        reason = told.get("sop_reason") or told.get("msg") or "the other side was not asked"
        request["told"] = {"line": str(told.get("sop_said") or ""), "reason": str(reason)}
        if told and request["phase"] == "restore":
            self._connection.reset()

    def _asked(
        self, phase: str, request: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        """Send the program with its request; the evidence, or why there is none."""
        # Not when the request was written: a host of a large fleet waits for its turn.
        request["clock"] = time.time()
        text = BUNDLE.program(_payload(phase), request)
        try:
            result = self._bounded(text, task_vars)
        except AnsibleConnectionFailure:
            raise  # the host is unreachable
        except AnsibleError as error:
            return self._failure(reason_for(str(error)) or str(error))
        except MemoryError:
            return self._failure("the host sent far too much output; it was cut off and not read")
        return self._evidence(phase, result)

    def _evidence(self, phase: str, result: dict[str, Any]) -> dict[str, Any]:
        """The framed line out of everything that the host sent, or why there is none."""
        out, err = to_text(result["stdout"]), to_text(result["stderr"])
        line = next((x for x in reversed(out.splitlines()) if x.startswith(MARK)), "")
        if len(line) > LONGEST_LINE:
            return self._failure(f"its evidence is too large: {len(line)} characters")
        if line:
            return {"changed": phase in CHANGING, "sop_evidence": line}
        said = err[-2000:] or out[-2000:]
        reason = reason_for(said)
        if not reason:
            reason = f"the host program gave no answer (exit code {result['rc']}): {said[-400:]}"
        return self._failure(reason)

    @staticmethod
    def _failure(reason: str) -> dict[str, Any]:
        return {"failed": True, "msg": "no evidence came back", "sop_reason": reason}

    def _request(
        self, phase: str, host: str, arguments: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        folder = task_vars.get("sop_run_requests")
        if folder:
            request = read_request(str(folder), host)
        elif phase in CHANGING:
            raise AnsibleError(
                f"sop_phase: {phase} changes hosts and needs a signed plan; run `sop-run monthly`"
            )
        else:
            request = {
                "schema": "sop-run/request/1",
                "cycle": "",
                "plan_id": "",
                "transaction": "",
                "items": [],
                "options": {},
            }
        if folder and request.get("phase") != (self._task.args.get("of") or phase):
            raise AnsibleError(f"sop_phase: the request for {host} is for another phase")
        if request.get("rehearsal") and phase not in READING:
            raise AnsibleError(f"sop_phase: a dry run only reads hosts; {phase} is no part of it")
        options = dict(arguments.get("options") or {})
        # What was signed (the order) wins over role variables.
        options.update(request.get("options") or {})
        request.update(phase=phase, host=host, options=options)
        return request

    def _bounded(self, text: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Run the program; what a host across a network sends cannot exhaust the memory here.

        Not with other connections: their commands are children of this process, and would inherit
        the limit.
        """
        if self._connection.transport != "ssh":
            return self._run_program(text, task_vars)
        try:
            with bounded_memory(OUTPUT_MEMORY):
                return self._run_program(text, task_vars)
        except BaseException:  # also the task's time limit, which is no Exception
            end_children()
            raise

    def _run_program(self, text: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Run the program by standard input, or from a file where a connection cannot pipe."""
        python = str(task_vars.get("ansible_python_interpreter") or "")
        choices = PYTHONS if python in ("", "auto", "auto_silent", "auto_legacy") else (python,)
        find = "; ".join(
            f"command -v {shlex.quote(p)} >/dev/null 2>&1 && exec {shlex.quote(p)} -I @INPUT@"
            for p in choices
        )
        find += f"; echo {shlex.quote(NO_PYTHON)} >&2; exit 127"
        if self._connection.is_pipelining_enabled():
            self._refuse_terminal()
            script = "/bin/sh -c " + shlex.quote(find.replace("@INPUT@", "-"))
            return dict(self._low_level_execute_command(script, in_data=text.encode()))
        temporary = self._make_tmp_path()
        try:
            remote = self._connection._shell.join_path(temporary, "sop_phase.py")
            self._transfer_data(remote, text)
            self._fixup_perms2((temporary, remote))
            script = "/bin/sh -c " + shlex.quote(find.replace("@INPUT@", shlex.quote(remote)))
            return dict(self._low_level_execute_command(script))
        finally:
            self._remove_tmp_path(temporary)

    def _refuse_terminal(self) -> None:
        """Have ssh ask for no terminal, whatever RequestTTY in a file of the user's says.

        Python takes what comes from a terminal for typed commands, and would wait for ever.
        """
        if self._connection.transport == "ssh":
            given = self._connection.get_option("ssh_extra_args") or ""
            self._connection.set_option("ssh_extra_args", f"{given} -T".strip())
