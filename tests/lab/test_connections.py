"""Faults 17, 28, 30, 32, 39, 40: all ways to a host, what is refused and why, what stays secret."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pexpect
import pytest
import yaml

from orchestrator.journal.book import read_state
from orchestrator.journal.judge import judge
from orchestrator.journal.state import CycleState
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.model.evidence import Phase, Status
from orchestrator.model.verdict import Verdict
from orchestrator.workflow.doctor.fixes import Place, fix_of_reason
from tests.cli import SOP_RUN, Called, sop_run
from tests.lab.asked import sh
from tests.lab.left import left_overs
from tests.lab.ways import LOCKED, SECRET, WAYS, Way

pytestmark = pytest.mark.lab
CYCLE = "2026-11"
VAULT = "Kunci-Brankas-0815"
MIB = 1024 * 1024


@dataclass
class Watch:
    """What was seen while a command ran: secrets in files and command lines, memory by program."""

    folder: Path
    leaks: set[str] = field(default_factory=set)
    memory: dict[str, int] = field(default_factory=dict)  # program → most bytes of one process

    def look(self) -> None:
        for path in self.files():
            if "runner" in path.parts and path.is_file():
                self.search(path)
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
                given = words + (entry / "environ").read_bytes()
                status = (entry / "status").read_text()
                ours = (entry / "cwd").readlink() == self.folder.parent
            except OSError:  # gone, or not ours
                continue
            name = next((n for n in ("ansible-playbook", "sop-run") if n.encode() in words), "")
            if name and (ours or str(self.folder).encode() in words):
                if any(secret.encode() in given for secret in (SECRET, VAULT)):
                    self.leaks.add(f"command line or environment of {name}")
                peak = [int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM")]
                self.memory[name] = max([self.memory.get(name, 0), *(n * 1024 for n in peak)])

    def files(self) -> list[Path]:
        """What lies in the folder now; Ansible's own folders vanish while they are walked."""
        while True:
            try:
                return list(self.folder.rglob("*"))
            except FileNotFoundError:
                continue

    def search(self, path: Path) -> None:
        """Note a file that holds a secret; one that is gone meanwhile holds none."""
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        if any(secret.encode() in data for secret in (SECRET, VAULT)):
            self.leaks.add(str(path))


@contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """Looks ten times a second while the block runs, and at every file that is left after it."""
    watch, over = Watch(folder), threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            watch.look()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
    for path in folder.rglob("*"):
        if path.is_file():
            watch.search(path)


@dataclass
class Office:
    """An office whose hosts are reached in every way, and its first check of them."""

    lab: Lab
    folder: Path
    check: Called | None = None
    watch: Watch | None = None
    seconds: float = 0.0

    @property
    def home(self) -> Path:
        return self.folder / "var"

    @property
    def state(self) -> CycleState:
        return read_state(self.home / "cycles" / CYCLE)

    def run(self, *words: str) -> Called:
        return sop_run(*words, "--inventory", "inventory", cwd=self.folder, timeout=120)


def encrypt(folder: Path, *words: str) -> str:
    """What ansible-vault prints, with the vault's password from its file."""
    command = [str(SOP_RUN.with_name("ansible-vault")), *words]
    command += ["--vault-password-file", str(folder / "vault-password")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write_office(lab: Lab, folder: Path) -> None:
    """An inventory as an office has it, with one host for each way."""
    inventory = folder / "inventory"
    inventory.mkdir(parents=True)
    shutil.copy(lab.inventory.parent / "office.yml", inventory)
    (folder / "vault-password").write_text(VAULT)
    (folder / "ssh_config").write_text(
        f"Host *\n  UserKnownHostsFile {lab.directory}/known_hosts\n  StrictHostKeyChecking yes\n"
        f"  IdentityFile {lab.directory}/keys/hosts/id_ed25519\n"
        f"Host {lab.host('forcedtty').address}\n  RequestTTY force\n"
        f"Host {lab.host('behind').address}\n  ProxyJump deploy@{lab.host('jump').address}\n"
    )
    ways = {way.name: dict(way.variables) for way in WAYS}
    own = {"ansible_ssh_common_args": f"-F {folder}/ssh_config"}
    ways["forcedtty"] = dict(own)
    ways["behind"] = {
        **own,
        "check_refresh": "none",  # its way to the repositories is cut with the direct one
    }
    unknown = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=ask"
    ways["nokey"] = {"ansible_ssh_common_args": unknown}
    for name, variables in ways.items():
        variables["ansible_host"] = lab.host(name).address
        if "check_timeout_seconds" in variables:
            variables["doctor_timeout_seconds"] = variables["check_timeout_seconds"]
    common = yaml.safe_load(lab.inventory.read_text())["all"]["vars"]
    common |= {"ansible_user": "deploy", "ansible_become": True, "check_advisories": False}
    groups = {"locked": {"hosts": {"vaultfile": None}}}
    document = {"all": {"vars": common, "hosts": ways, "children": groups}}
    text = yaml.safe_dump(document, sort_keys=False, width=1000)
    secret = encrypt(folder, "encrypt_string", SECRET, "--name", "ansible_become_password")
    indented = "".join(f"      {line}\n" for line in secret.strip().splitlines())
    text = text.replace("    inline:\n", f"    inline:\n{indented}")
    (inventory / "hosts.yml").write_text(text)
    vault = inventory / "group_vars/locked.yml"
    vault.parent.mkdir()
    vault.write_text(f"ansible_become_password: {SECRET}\n")
    encrypt(folder, "encrypt", str(vault))
    assert SECRET not in vault.read_text() + text.replace(f"password: {SECRET}", "")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """All hosts, checked once by `sop-run monthly`, with the vault's password from a file."""
    folder = tmp_path_factory.mktemp("ways")
    lab = Lab.up(folder / "lab", [HostSpec(w.name, "thin", "thin") for w in WAYS], print)
    try:
        for way in WAYS:
            if way.prepare:
                sh(lab, way.name, way.prepare)
        made = Office(lab, folder / "office")
        write_office(lab, made.folder)
        with pytest.MonkeyPatch.context() as patch, watched(made.home) as made.watch:
            # As a user types it: relative to the folder where the command is called.
            patch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "vault-password")
            began = time.monotonic()
            made.check = made.run("monthly", "--period", CYCLE, "--home", "var")
            made.seconds = time.monotonic() - began
            yield made
    finally:
        lab.down()
    assert left_overs(lab.state.prefix, lab.directory) == []


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_way_ends_as_it_must(office: Office, way: Way) -> None:
    assert office.check is not None and office.check.code == 3, office.check
    outcome = office.state.last(way.name, Phase.CHECK)
    assert outcome is not None
    assert str(outcome.kind) == way.kind, outcome.reason
    evidence = outcome.read()
    if evidence is not None:
        assert evidence.status is Status.OK, evidence.problems
    else:
        assert way.words in outcome.reason
        verdict = judge(office.state, way.name)
        named = Verdict.UNREACHABLE if way.kind == "unreachable" else Verdict.CHECK_FAILED
        assert (verdict.verdict, verdict.reason) == (named, outcome.reason)


def test_the_doctor_gives_the_same_reasons_each_with_a_fix(office: Office) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "vault-password")
        called = office.run("doctor", "--json", "--home", "var")
    assert called.code == 1, called.text
    hosts = {host["host"]: host for host in json.loads(called.out)["hosts"]}
    other = fix_of_reason("", Place("web01", "web01"))
    for way in WAYS:
        host = hosts[way.name]
        assert host["reached"] is (way.kind != "unreachable"), way.name
        if way.name in ("cut", "other", "binary", "large", "hostile"):
            assert host["facts"] is None, way.name  # its answer is to another question
        elif way.kind == "evidence":
            assert host["facts"]["login"]["by"] == "sudo", way.name
            # Where sudo wants a terminal even for its own list, nobody knows.
            asks = None if way.name == "tty" else LOCKED in way.prepare
            assert host["facts"]["login"]["password"] is asks, way.name
        else:
            (found,) = host["findings"]
            assert way.words in found["message"], way.name
            assert found["fix"] not in ("", other.replace("web01", host["login"])), way.name
    assert hosts["nokey"]["login"] == f"deploy@{office.lab.host('nokey').address}"
    assert SECRET not in called.text and VAULT not in called.text


def test_no_host_makes_the_others_wait_or_takes_the_memory(office: Office) -> None:
    assert office.watch is not None
    assert office.seconds < 150  # 14 s; the host that hangs would take 1000 s
    assert set(office.watch.memory) == {"sop-run", "ansible-playbook"}
    assert office.watch.memory["sop-run"] < 200 * MIB, office.watch.memory
    assert office.watch.memory["ansible-playbook"] < 300 * MIB, office.watch.memory
    print(office.seconds, office.watch.memory)


def test_what_a_host_says_is_inert_on_the_terminal(office: Office) -> None:
    assert office.check is not None
    assert "xxxx" not in office.run("status", CYCLE).text
    for text in (office.check.text, office.run("status", CYCLE).text):
        assert not [c for c in text if c != "\n" and not c.isprintable()]


def test_the_host_behind_the_jump_host_cannot_be_reached_directly(office: Office) -> None:
    key = office.lab.directory / "keys/hosts/id_ed25519"
    known = f"UserKnownHostsFile={office.lab.directory}/known_hosts"
    command = [str(office.lab.directory / "bin/ssh"), "-i", str(key), "-o", known]
    command += ["-o", "ConnectTimeout=1", f"deploy@{office.lab.host('behind').address}", "true"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 255


@pytest.mark.parametrize("host", ["nopipe", "tty", "noisyfile"])
def test_a_program_that_went_by_file_is_removed_again(office: Office, host: str) -> None:
    assert sh(office.lab, host, "ls -d /home/deploy/.ansible/tmp") != "", "it went by file"
    assert sh(office.lab, host, "find / -xdev -name 'sop_phase*' -o -name 'ansible-tmp*'") == ""


def test_no_ssh_is_left_of_the_host_that_hangs(office: Office) -> None:
    address = office.lab.host("hangs").address.encode()
    lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert [line for line in lines if address in line and b"ssh" in line] == []


def test_an_encrypted_inventory_without_its_password_is_refused(office: Office) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
        called = office.run("monthly", "--period", "2026-10", "--home", "other")
        assert called.code == 2
        assert "ANSIBLE_VAULT_PASSWORD_FILE" in called.err
        patch.setenv("ANSIBLE_VAULT_IDENTITY_LIST", "office@prompt")
        called = office.run("monthly", "--period", "2026-10", "--home", "other")
        assert called.code == 2 and "typed" in called.err
    assert not (office.folder / "other").exists()


def test_a_password_is_asked_on_a_terminal_only(office: Office) -> None:
    called = office.run("monthly", "--period", "2026-10", "--ask-become-pass")
    assert called.code == 2
    assert "needs a terminal" in called.err


def type_password(office: Office, *words: str) -> str:
    """`sop-run monthly --ask-become-pass` on a terminal; returns what was to be seen there."""
    child = pexpect.spawn(
        str(SOP_RUN), ["monthly", *words, "--ask-become-pass"], cwd=str(office.folder),
        env={**os.environ, "NO_COLOR": "1"}, encoding="utf-8", timeout=180,
    )  # fmt: skip
    child.expect("sudo password of the hosts: ")
    child.sendline(SECRET)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3, child.before
    return str(child.before)


def test_a_whole_change_with_a_typed_and_with_an_encrypted_password(office: Office) -> None:
    cycle = "2026-10"
    words = ["--period", cycle, "--inventory", "inventory", "--home", "whole"]
    home = office.folder / "whole"
    with watched(home) as watch:
        text = type_password(office, *words, "--limit", "asked,vaultfile,inline")
        for officer in ("analis", "kepala"):
            key = office.lab.officer_key(officer)
            office.run("sign", cycle, "--as", officer, "--key", str(key), "--home", "whole")
        text += type_password(office, *words)
    state = read_state(home / "cycles" / cycle)
    assert {h: v.verdict for h, v in state.verdicts.items()} == dict.fromkeys(
        ("asked", "inline", "vaultfile"), Verdict.UPDATED
    ), state.verdicts
    assert sh(office.lab, "asked", "dpkg-query -W -f '${Version}' lab-tool") == "1.1"
    assert watch.leaks == set()
    assert SECRET not in text and VAULT not in text
    found = sh(office.lab, "asked", f"grep -rIl {SECRET} /var /etc /home /root /tmp || true")
    assert found == ""


def test_no_password_is_in_any_file_command_line_or_output(office: Office) -> None:
    assert office.watch is not None and office.check is not None
    office.watch.look()
    for path in office.home.rglob("*"):
        if path.is_file():
            office.watch.search(path)
    assert office.watch.leaks == set()
    assert SECRET not in office.check.text and VAULT not in office.check.text
