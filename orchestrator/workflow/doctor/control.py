"""The control machine: versions, OpenSSH, locale, clock, pseudo-terminals."""

from __future__ import annotations

import codecs
import locale
import os
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from orchestrator.model.text import printable
from orchestrator.workflow.doctor.records import Look

PYTHONS = ((3, 11), (3, 14))
"""First Python that will do, and first one that will not (ansible-core 2.19)."""
ANSIBLE = "2.19."
SECONDS = 20


def look_at_control() -> list[Look]:
    """Everything about this machine that has nothing to do with an office's files."""
    return [*_versions(), *_openssh(), _locale(), _clock(), _terminals()]


def run(words: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of this machine; one that is missing or hangs ends with code 127."""
    try:
        return subprocess.run(
            words,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))


def _versions() -> list[Look]:
    first, after = PYTHONS
    here = ".".join(map(str, sys.version_info[:3]))
    good = first <= sys.version_info[:2] < after
    fix = "" if good else "install Python 3.11, 3.12 or 3.13 and set sop-run up with it"
    looks = [Look("python", "ok" if good else "finding", f"{here} ({sys.executable})", fix)]
    for package in ("sop-run", "ansible-core", "ansible-runner"):
        try:
            found = version(package)
        except PackageNotFoundError:
            words, fix = "it is not installed", "set sop-run up again: remove .venv, run ./sop-run"
            looks.append(Look(package, "finding", words, fix))
            continue
        wrong = package == "ansible-core" and not found.startswith(ANSIBLE)
        fix = f"{sys.executable} -m pip install 'ansible-core~=2.19.0'" if wrong else ""
        looks.append(Look(package, "finding" if wrong else "ok", found, fix))
    return looks


def _openssh() -> list[Look]:
    """ssh and ssh-keygen, tried: what is needed is that they work, not what they are called."""
    told = run(["ssh", "-V"])
    if told.returncode != 0:
        fix = "install OpenSSH's client: apt-get install openssh-client"
        return [Look("openssh", "finding", f"ssh cannot be run: {printable(told.stderr)}", fix)]
    looks = [Look("openssh", "ok", printable(told.stderr or told.stdout, 80))]
    trouble = _signing()
    fix = "install OpenSSH 8.7 or later: its ssh-keygen signs and verifies (-Y)" if trouble else ""
    words = trouble or "a signature was made and verified"
    looks.append(Look("ssh-keygen", "finding" if trouble else "ok", words, fix))
    return [*looks, *_ssh_config()]


def _signing() -> str:
    """Why ssh-keygen cannot sign and verify as the gates need it; '' when it can."""
    with tempfile.TemporaryDirectory(prefix="sop-run-doctor-") as name:
        key, signers, signature = (Path(name) / part for part in ("key", "signers", "key.sig"))
        made = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)])
        if made.returncode != 0:
            return f"it makes no key: {printable(made.stderr)}"
        text, space = "sop-run doctor", "sop-run/doctor/1"
        signed = run(["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", space], text)
        if signed.returncode != 0:
            return f"it does not sign: {printable(signed.stderr)}"
        signature.write_text(signed.stdout, encoding="ascii")
        public = key.with_suffix(".pub").read_text(encoding="ascii").strip()
        # The same options as a gate's: old versions know neither of them.
        line = f'doctor namespaces="{space}",valid-after="20000101" {public}\n'
        signers.write_text(line, encoding="ascii")
        words = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "doctor", "-n", space]
        words += ["-s", str(signature), "-Overify-time=20200101000000"]
        checked = run(words, text)
        return "" if checked.returncode == 0 else f"no verifying: {printable(checked.stderr)}"


def _ssh_config() -> list[Look]:
    """What ssh's own files say for a host that none of them names."""
    told = run(["ssh", "-G", "sop-run-doctor.invalid"])
    if told.returncode != 0:
        fix = "correct the file and line that it names; try: ssh -G localhost"
        return [Look("ssh config", "finding", printable(told.stderr, 300), fix)]
    options: dict[str, str] = {}
    for line in told.stdout.splitlines():
        key, _, value = line.partition(" ")
        options.setdefault(key, value)
    strict = options.get("stricthostkeychecking", "ask")
    if strict in ("false", "no", "off", "accept-new"):
        words = f"StrictHostKeyChecking is {strict}: unknown hosts would be trusted silently"
        fix = "take StrictHostKeyChecking out of ~/.ssh/config (or /etc/ssh/ssh_config)"
        looks = [Look("ssh config", "finding", words, fix)]
    else:
        looks = [Look("ssh config", "ok", "it can be read; unknown hosts are refused")]
    return [*looks, _known_hosts(options.get("userknownhostsfile", ""))]


def _known_hosts(names: str) -> Look:
    """Whether the files with host keys can be read; each host's own key is proven by connecting."""
    files = [Path(name).expanduser() for name in names.split()]
    present = [path for path in files if path.is_file()]
    for path in present:
        told = run(["ssh-keygen", "-l", "-f", str(path)])
        if told.returncode != 0 and path.stat().st_size:
            fix = f"look at {path}: each line is HOST TYPE KEY; ssh-keygen -l -f {path}"
            return Look("known_hosts", "finding", f"{path}: {printable(told.stderr, 200)}", fix)
    if not present:
        words = "there is no known_hosts yet, so every host is refused until its key is known"
        fix = "connect to each host once by ssh and compare the fingerprint that it shows"
        return Look("known_hosts", "note", words, fix)
    return Look("known_hosts", "ok", ", ".join(map(str, present)))


def _locale() -> Look:
    """Ansible refuses to work without UTF-8."""
    name = locale.getpreferredencoding(False)
    # Python itself may say UTF-8 where the environment, which Ansible's programs get, does not.
    told = run(["locale", "charmap"])
    if told.returncode == 0 and told.stdout.strip():
        name = told.stdout.strip()
    try:
        good = codecs.lookup(name).name == "utf-8"
    except LookupError:
        good = False
    fix = "" if good else "export LC_ALL=C.UTF-8"
    return Look("locale", "ok" if good else "finding", f"the encoding is {printable(name)}", fix)


def _clock() -> Look:
    """Whether a time service keeps this machine's clock right: records and signatures bear it."""
    told = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    answer = told.stdout.strip() if told.returncode == 0 else ""
    if answer == "yes":
        return Look("clock", "ok", "synchronised")
    if run(["systemd-detect-virt", "--container", "--quiet"]).returncode == 0:
        return Look("clock", "note", "this is a container: its machine keeps the clock")
    if answer == "no":
        fix = "timedatectl set-ntp true (or: apt-get install chrony)"
        return Look("clock", "finding", "no time service keeps this machine's clock right", fix)
    fix = "compare it by hand: date -u"
    return Look("clock", "note", "nobody here tells whether it is synchronised", fix)


def _terminals() -> Look:
    """ansible-runner starts Ansible on a pseudo-terminal."""
    try:
        ends = os.openpty()
    except OSError as error:
        fix = "mount -t devpts devpts /dev/pts"
        return Look("terminals", "finding", f"no pseudo-terminal can be had: {error}", fix)
    for end in ends:
        os.close(end)
    return Look("terminals", "ok", "a pseudo-terminal can be had")
