# GPL-3.0-or-later
"""Action plugin `sop_phase`: pipes a host program over one connection exec and keeps its evidence.

Why not a module: a phase is one task and one exec per host, needs no temp file, and works with
Pythons on hosts that Ansible's own modules no longer support (docs/ARCHITECTURE.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shlex
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase

HOSTSIDE = Path(__file__).resolve().parents[2] / "hostside"
MARK = "SOP-RUN-EVIDENCE"
CHANGING = frozenset({"backup", "update", "antivirus", "restore"})
# Where a Python may be when the inventory does not say; EL8 has only platform-python.
PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python", "/usr/local/bin/python3", "python3")


def _bundle() -> Any:
    spec = importlib.util.spec_from_file_location("sop_run_bundle", HOSTSIDE / "bundle.py")
    if spec is None or spec.loader is None:
        raise AnsibleError(f"sop_phase: no host programs in {HOSTSIDE}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
        bundle = _bundle()
        text = bundle.program(bundle.payload(HOSTSIDE), request)
        result = self._pipe(text, task_vars)
        line = next(
            (x for x in reversed(to_text(result["stdout"]).splitlines()) if x.startswith(MARK)), ""
        )
        if not line:
            error = to_text(result["stderr"])[-2000:] or to_text(result["stdout"])[-500:]
            return {
                "failed": True,
                "msg": f"no evidence came back (exit code {result['rc']})",
                "sop_reason": self._reason(int(result["rc"]), error),
            }
        return {"changed": phase in CHANGING, "sop_evidence": line}

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
        if folder and request.get("phase") != phase:
            raise AnsibleError(f"sop_phase: the request for {host} is for another phase")
        options = dict(arguments.get("options") or {})
        # What was signed (the order) wins over role variables.
        options.update(request.get("options") or {})
        request.update(phase=phase, host=host, options=options)
        return request

    def _pipe(self, text: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Run the program by standard input, or from a file where a connection cannot pipe."""
        python = str(task_vars.get("ansible_python_interpreter") or "")
        choices = PYTHONS if python in ("", "auto", "auto_silent", "auto_legacy") else (python,)
        find = "; ".join(
            f"command -v {shlex.quote(p)} >/dev/null 2>&1 && exec {shlex.quote(p)} -I @INPUT@"
            for p in choices
        )
        find += "; echo 'sop-run: no Python on this host' >&2; exit 127"
        if self._connection.has_pipelining and self._play_context.pipelining is not False:
            script = "/bin/sh -c " + shlex.quote(find.replace("@INPUT@", "-"))
            return dict(self._low_level_execute_command(script, in_data=text.encode()))
        temporary = self._make_tmp_path()
        remote = self._connection._shell.join_path(temporary, "sop_phase.py")
        self._transfer_data(remote, text)
        self._fixup_perms2((temporary, remote))
        script = "/bin/sh -c " + shlex.quote(find.replace("@INPUT@", shlex.quote(remote)))
        try:
            return dict(self._low_level_execute_command(script))
        finally:
            self._remove_tmp_path(temporary)

    @staticmethod
    def _reason(code: int, error: str) -> str:
        if code == 127 and "no Python" in error:
            return "no Python 3 on the host: install python3 or set ansible_python_interpreter"
        if "this Python is incomplete" in error:
            return "the host's Python is incomplete (python3-minimal): install python3"
        if "SyntaxError" in error:
            return "the host's Python is too old: 3.6 or later is needed"
        if "sudo" in error and "password" in error:
            return "sudo asks for a password: set ansible_become_password (vault) or NOPASSWD"
        return f"the host program gave no answer (exit code {code}): {error[-400:]}"
