"""Builds the lab's signed Debian repository: suites lab, lab-updates and lab-security."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from pathlib import Path

from orchestrator.lab.packages import PACKAGES, Package
from orchestrator.lab.process import run
from orchestrator.lab.root import write
from orchestrator.lab.signing import OWNER, SigningKey

SUITES = ("lab", "lab-updates", "lab-security")


def build_debian_repository(folder: Path, work: Path, architecture: str, key: SigningKey) -> None:
    """Write pool and signed indexes of all suites to `folder`."""
    for package in PACKAGES:
        build_package(package, folder / "pool" / package.suite, work / "package")
    for suite in SUITES:
        index_suite(folder, suite, architecture, key)


def build_package(package: Package, pool: Path, tree: Path) -> Path:
    """Build one .deb; its times differ by version, so no tool takes a new file for an old one."""
    if tree.exists():
        shutil.rmtree(tree)
    for name, text in package.files.items():
        mode = 0o755 if name.startswith("/usr/bin/") else 0o644
        write(tree, name.lstrip("/"), text, mode)
    control = tree / "DEBIAN"
    control.mkdir(parents=True)
    (control / "control").write_text(
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: all\n"
        f"Maintainer: lab <{OWNER}>\nSection: {package.section}\nPriority: optional\n"
        f"Description: test package {package.name}\n",
        encoding="utf-8",
    )
    if package.conffiles:
        lines = "".join(path + "\n" for path in package.conffiles)
        (control / "conffiles").write_text(lines, encoding="utf-8")
    if package.postinst:
        script = control / "postinst"
        script.write_text(f"#!/bin/sh\nset -e\n{package.postinst}", encoding="utf-8")
        script.chmod(0o755)
    epoch = build_time(package.name, package.version)
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (epoch, epoch))
    pool.mkdir(parents=True, exist_ok=True)
    target = pool / package.file_name
    run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, target],
        env={"SOURCE_DATE_EPOCH": str(epoch)},
    )
    return target


def build_time(name: str, version: str) -> int:
    """A stable time for a package version, in epoch seconds."""
    return 1_700_000_000 + zlib.crc32(f"{name}{version}".encode()) % 30_000_000


def index_suite(folder: Path, suite: str, architecture: str, key: SigningKey) -> None:
    """Write Packages, Release and InRelease of one suite."""
    dists = folder / "dists" / suite
    index = dists / "main" / f"binary-{architecture}"
    index.mkdir(parents=True)
    packages = run(["apt-ftparchive", "packages", f"pool/{suite}"], cwd=folder)
    (index / "Packages").write_text(packages, encoding="utf-8")
    (index / "Packages.gz").write_bytes(gzip.compress(packages.encode(), mtime=0))
    fields = {
        "Origin": "Lab",
        "Label": "Lab-Security" if suite == "lab-security" else "Lab",
        "Suite": suite,
        "Codename": suite,
        "Architectures": f"{architecture} all",
        "Components": "main",
    }
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    release = run(["apt-ftparchive", *options, "release", "."], cwd=dists)
    (dists / "Release").write_text(release, encoding="utf-8")
    key.sign_release(dists / "Release")
