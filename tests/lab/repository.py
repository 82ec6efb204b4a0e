"""Package repositories of a test's own: copies of the lab's, with packages or faults added."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.lab.debrepo import SUITES, build_time, index_suite
from orchestrator.lab.lab import Lab
from orchestrator.lab.process import run
from orchestrator.lab.root import write
from orchestrator.lab.rpm import RpmPackage
from orchestrator.lab.rpmrepo import build_rpm
from orchestrator.lab.signing import OWNER, SigningKey

SOURCES = "etc/apt/sources.list.d/lab.sources"


@dataclass(frozen=True)
class Deb:
    """A tiny package; `control` are further files of its control part, executable but templates."""

    name: str
    version: str
    postinst: str = ""
    files: dict[str, str] = field(default_factory=dict)
    control: dict[str, str] = field(default_factory=dict)
    depends: str = ""
    fields: str = ""  # further lines of the control file

    @property
    def file_name(self) -> str:
        return f"{self.name}_{self.version}_all.deb"

    def build(self, folder: Path) -> Path:
        """Write the package file to `folder`."""
        tree = folder / f"{self.name}-tree"
        depends = f"Depends: {self.depends}\n" if self.depends else ""
        write(
            tree,
            "DEBIAN/control",
            f"Package: {self.name}\nVersion: {self.version}\nArchitecture: all\n"
            f"{depends}{self.fields}Maintainer: lab <{OWNER}>\n"
            f"Description: test package {self.name}\n",
        )
        scripts = dict(self.control)
        if self.postinst:
            scripts["postinst"] = f"#!/bin/sh\nset -e\n{self.postinst}\n"
        for name, text in scripts.items():
            write(tree, f"DEBIAN/{name}", text, 0o644 if name == "templates" else 0o755)
        for name, text in self.files.items():
            write(tree, name.lstrip("/"), text)
        epoch = build_time(self.name, self.version)
        for path in [tree, *tree.rglob("*")]:
            os.utime(path, (epoch, epoch))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / self.file_name
        run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, target])
        shutil.rmtree(tree)
        return target


def signing_key(lab: Lab) -> SigningKey:
    """The lab's own key; a copy, since gpg's helpers write into its folder."""
    home = lab.directory / "keys/gnupg"
    if not home.exists():
        original = (lab.directory / "www/rpm").resolve().parents[1] / "gnupg"
        shutil.copytree(original, home, ignore=shutil.ignore_patterns("S.*"))
    return SigningKey(home)


def copy_of(lab: Lab, kind: str, name: str) -> Path:
    """A copy of the repository `kind` (debian, rpm, antivirus) under another name."""
    original = (lab.directory / "www" / kind).resolve()
    return Path(shutil.copytree(original, lab.directory / "www" / name, symlinks=True))


def swap(lab: Lab, name: str, other: str) -> None:
    """From now on the web server gives `other` under `name`."""
    path = lab.directory / "www" / name
    path.rename(path.with_name(f".{name}-before"))
    (path.with_name(other)).rename(path)


def offer(lab: Lab, repository: Path, *packages: Deb, suite: str = "lab-security") -> None:
    """Add packages to a suite of a copied repository, and sign its indexes anew."""
    for package in packages:
        package.build(repository / "pool" / suite)
    shutil.rmtree(repository / "dists" / suite)
    architecture = run(["dpkg", "--print-architecture"]).strip()
    index_suite(repository, suite, architecture, signing_key(lab))


def resign(repository: Path, key: SigningKey, fields: str = "") -> None:
    """Sign every suite again, with other fields in its Release file or with another key."""
    for suite in SUITES:
        release = repository / "dists" / suite / "Release"
        release.write_text(fields + release.read_text(encoding="utf-8"), encoding="utf-8")
        key.sign_release(release)


def offer_rpm(lab: Lab, repository: Path, *packages: RpmPackage) -> None:
    """Add signed packages to a copied RPM repository."""
    key = signing_key(lab)
    defines = {"_gpg_name": OWNER, "_gpg_path": str(key.home), "__gpg": "/usr/bin/gpg"}
    signer = [word for k, v in defines.items() for word in ("--define", f"{k} {v}")]
    for package in packages:
        folder = repository / package.repository
        with tempfile.TemporaryDirectory() as work:
            build_rpm(package, folder, Path(work))
        path = folder / package.file_name
        run(["rpmsign", *signer, "--addsign", path], env={"GNUPGHOME": str(key.home)})
        run(["createrepo_c", "--quiet", "--keep-all-metadata", folder])
        key.gpg("--armor", "--detach-sign", str(folder / "repodata/repomd.xml"))


def use(lab: Lab, host: str, name: str, instead_of: str = "debian") -> None:
    """Let a host's apt take the lab's packages from the repository of that name."""
    path = lab.root(host) / SOURCES
    before = path.read_text()
    assert f"/{instead_of}\n" in before, before
    path.write_text(before.replace(f"/{instead_of}\n", f"/{name}\n"))


def install(lab: Lab, host: str, package: Deb) -> None:
    """Install a package on a host, as it was before the month's updates."""
    package.build(lab.root(host) / "root")
    done = lab.run(host, ["dpkg", "--install", f"/root/{package.file_name}"], timeout=120)
    assert done.returncode == 0, f"{host}: {done.stdout}{done.stderr}"


def install_rpm(lab: Lab, host: str, repository: Path, package: RpmPackage) -> None:
    """Install a package of a copied RPM repository on a host."""
    path = repository / package.repository / package.file_name
    shutil.copyfile(path, lab.root(host) / "root" / package.file_name)
    command = ["rpm", "--install", "--nodeps", f"/root/{package.file_name}"]
    done = lab.run(host, command, timeout=120)
    assert done.returncode == 0, f"{host}: {done.stdout}{done.stderr}"
