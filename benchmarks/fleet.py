"""The hosts of the benchmark, made by the project's own lab, and the state that they are put in."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from orchestrator.fleet.run import MAX_FORKS
from orchestrator.lab.lab import HostSpec, Lab
from orchestrator.lab.limits import registration
from orchestrator.lab.maker import inside
from orchestrator.lab.members import leaders, start_time
from orchestrator.model.errors import CannotRunError

FOLDER = "sop-run-benchmark-"
"""How the temporary folder of a call begins."""
OLD_PACKAGES = ("lab-web=1.0", "lab-tool=1.0", "lab-conf=1.0")
# A host as it is each month: its package lists are there and current, nothing was downloaded yet.
_CLEAN = """rm -rf /var/cache/sop-run /var/cache/apt/*.bin /var/cache/apt/archives/*.deb \
/var/lib/apt/lists /root/.ansible /home/deploy/.ansible && tar -xf - -C /var/lib/apt"""
_AGE = f"""export DEBIAN_FRONTEND=noninteractive
apt-get -q update && apt-get -q -y --allow-downgrades install {" ".join(OLD_PACKAGES)} &&
apt-get clean"""
_SHOW = """dpkg-query -W -f='${Package} ${Version} ${db:Status-Abbrev}\\n'
for file in /var/lib/clamav/*.c?d; do head -c 60 "$file" | cut -d: -f1,3; done
systemctl list-units --state=failed --plain --no-legend
systemctl is-active ssh clamav-daemon lab-web"""


class Hosts:
    """A lab's hosts as contenders see them; `folder` takes the files that name them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.prefix = lab.state.prefix
        self._leaders = leaders(lab.state.namespaces)
        self._lists = b""

    def names(self, count: int) -> list[str]:
        """The first hosts."""
        return [host.name for host in self.lab.hosts[:count]]

    def inventory(self, count: int) -> Path:
        """An Ansible inventory of the first hosts, with office.yml beside it.

        Contenders run in the lab's network, so that it needs no ssh of the lab's own.
        """
        document = yaml.safe_load(self.lab.inventory.read_text(encoding="utf-8"))
        chosen = set(self.names(count))
        del document["all"]["vars"]["ansible_ssh_executable"]
        for group in document["all"]["children"].values():
            group["hosts"] = {k: v for k, v in group["hosts"].items() if k in chosen}
        path = self.folder / f"{count}-hosts/inventory/hosts.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False, width=200), encoding="utf-8")
        shutil.copyfile(self.lab.inventory.with_name("office.yml"), path.with_name("office.yml"))
        return path

    def targets(self, count: int) -> Path:
        """The same for contenders without Ansible: addresses, users, key, as JSON."""
        hosts = [
            {"name": host.name, "address": host.address, "user": host.user}
            for host in self.lab.hosts[:count]
        ]
        path = self.folder / f"{count}-hosts/targets.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "hosts": hosts,
            "key": str(self.lab.directory / "keys/hosts/id_ed25519"),
            "known_hosts": str(self.lab.directory / "known_hosts"),
            "sockets": str(registration(self.prefix)),  # short, as a socket's path must be
            "forks": MAX_FORKS,
        }
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def clean(self, count: int) -> None:
        """Bring thin hosts back to how a check finds them."""
        if not self._lists:
            first = self.names(1)
            self._on_all(first, "apt-get -q update")
            self._lists = self._on_all(first, "tar -cf - -C /var/lib/apt lists")[first[0]]
        self._on_all(self.names(count), _CLEAN, self._lists)

    def age(self) -> None:
        """Give full hosts packages of yesterday: three updates are pending, and the antivirus's."""
        self._on_all(self.names(len(self.lab.hosts)), _AGE)

    def after_change(self) -> dict[str, list[str]]:
        """Packages with versions and states, antivirus databases, services, of every full host."""
        said = self._on_all(self.names(len(self.lab.hosts)), _SHOW)
        return {host: text.decode().splitlines() for host, text in said.items()}

    def _on_all(self, names: Sequence[str], script: str, data: bytes = b"") -> dict[str, bytes]:
        """Run a script as root inside hosts; raises CannotRunError when it fails on one."""

        def ask(name: str) -> bytes:
            host = self.lab.host(name)
            if host.kind == "thin":  # looking for its first process each time would be slow
                target = ["--target", str(self._leaders[host.namespace])]
                argv = ["nsenter", *target, "--mount", "--net", "--root", "sh", "-c", script]
            else:
                argv = inside(self.lab.state, host, ["sh", "-c", script])
            done = subprocess.run(argv, input=data, capture_output=True, check=False)
            if done.returncode and script != _SHOW:
                words = done.stderr.decode(errors="replace")[-400:]
                raise CannotRunError(f"benchmark: {name} cannot be prepared: {words}")
            return done.stdout

        with ThreadPoolExecutor(4) as workers:
            return dict(zip(names, workers.map(ask, names), strict=True))


def sweep() -> None:
    """Remove the hosts of a call that was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        if not Lab.exists(folder / "lab"):
            continue
        lab = Lab.load(folder / "lab")
        pid, began = lab.state.maker
        if start_time(pid) != began:
            lab.down()
            shutil.rmtree(folder)


@contextmanager
def thin_hosts(folder: Path, count: int) -> Iterator[Hosts]:
    """Thin hosts, for numbers; removed at the end, however it ends."""
    specs = [HostSpec(f"thin{n:03d}", "thin", "thin") for n in range(1, count + 1)]
    with _lab(folder, specs) as hosts:
        yield hosts


@contextmanager
def full_hosts(folder: Path, count: int) -> Iterator[Hosts]:
    """Full hosts with three packages and the antivirus's databases to update."""
    specs = [HostSpec(f"av{n:02d}", "full", "antivirus") for n in range(1, count + 1)]
    with _lab(folder, specs) as hosts:
        hosts.age()
        yield hosts


@contextmanager
def _lab(folder: Path, specs: Sequence[HostSpec]) -> Iterator[Hosts]:
    def quiet(line: str) -> Any:
        return None if line.startswith("lab: ") else print(line, flush=True)

    lab = Lab.up(folder / "lab", specs, quiet)
    try:
        yield Hosts(lab, folder)
    finally:
        lab.down()
