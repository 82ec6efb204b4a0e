"""Builds the signed RPM repositories, and disguises a Debian root as an Enterprise Linux host."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from orchestrator.lab.debrepo import build_time
from orchestrator.lab.process import run
from orchestrator.lab.recipe import WEB
from orchestrator.lab.root import write
from orchestrator.lab.rpm import RPM_PACKAGES, RpmPackage, mode, spec, updateinfo
from orchestrator.lab.signing import OWNER, SigningKey

REPOSITORIES = ("baseos", "updates")
KEY_PATH = "/etc/pki/rpm-gpg/RPM-GPG-KEY-lab"
OS_RELEASE = """NAME="Rocky Linux"
VERSION="9.4 (lab imitation)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.4 (lab imitation on a Debian userland)"
"""
# What would give the host away as a Debian one to a program that looks for a package manager.
DEBIAN_TRACES = (
    "etc/apt",
    "etc/debian_version",
    "etc/os-release",
    "usr/lib/os-release",
    "var/lib/apt",
    "var/lib/dpkg",
)


def build_rpm_repositories(folder: Path, work: Path, key: SigningKey) -> None:
    """Write both repositories, packages and metadata signed, with advisories, to `folder`."""
    for package in RPM_PACKAGES:
        build_rpm(package, folder / package.repository, work)
    packages = [str(path) for path in sorted(folder.glob("*/*.rpm"))]
    defines = {"_gpg_name": OWNER, "_gpg_path": str(key.home), "__gpg": "/usr/bin/gpg"}
    signer = [word for k, v in defines.items() for word in ("--define", f"{k} {v}")]
    run(["rpmsign", *signer, "--addsign", *packages], env={"GNUPGHOME": str(key.home)})
    advisories = work / "updateinfo.xml"
    advisories.write_text(updateinfo(), encoding="utf-8")
    for name in REPOSITORIES:
        repository = folder / name
        run(["createrepo_c", "--quiet", repository])
        if name == "updates":
            data = repository / "repodata"
            run(["modifyrepo_c", "--mdtype=updateinfo", advisories, data])
        key.gpg("--armor", "--detach-sign", str(repository / "repodata/repomd.xml"))
    key.export(folder / "RPM-GPG-KEY-lab", armor=True)


def build_rpm(package: RpmPackage, repository: Path, work: Path) -> None:
    """Build one package with the machine's rpmbuild."""
    top = work / "rpmbuild"
    if top.exists():
        shutil.rmtree(top)
    epoch = build_time(package.name, package.version)
    for path, text in package.files.items():
        source = write(top / "SOURCES", path.lstrip("/"), text, mode=int(mode(path), 8))
        os.utime(source, (epoch, epoch))
    described = write(top, f"{package.name}.spec", spec(package))
    defines = {
        "_topdir": str(top),
        "_rpmdir": str(top / "RPMS"),
        "_build_id_links": "none",
        "clamp_mtime_to_source_date_epoch": "1",
        "_dbpath": str(top / "rpmdb"),
    }
    options = [word for key, value in defines.items() for word in ("--define", f"{key} {value}")]
    run(
        ["rpmbuild", "-bb", "--quiet", "--nodeps", *options, described],
        env={"SOURCE_DATE_EPOCH": str(epoch)},
    )
    repository.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(top / "RPMS/noarch" / package.file_name, repository / package.file_name)


def forget_debian(root: Path) -> None:
    """Take away what would show a package manager that the root is a Debian one."""
    for trace in DEBIAN_TRACES:
        path = root / trace
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for pattern in ("usr/bin/apt*", "usr/bin/dpkg*", "etc/cron.daily/*"):
        for path in root.glob(pattern):
            path.unlink()


def disguise(root: Path, repositories: Path) -> None:
    """Turn a Debian root with dnf and rpm into the imitation of an Enterprise Linux host."""
    forget_debian(root)
    write(root, "usr/lib/os-release", OS_RELEASE)
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    write(root, "etc/redhat-release", "Rocky Linux release 9.4 (lab imitation)\n")
    # Debian's "local" plugin breaks transactions; programs look for dnf under this name.
    (root / "etc/dnf/plugins/local.conf").unlink(missing_ok=True)
    write(root, "etc/dnf/plugins/local.conf", "[main]\nenabled = 0\n")
    dnf = root / "usr/bin/dnf"
    dnf.unlink(missing_ok=True)
    dnf.symlink_to("dnf-3")
    key = (repositories / "RPM-GPG-KEY-lab").read_text(encoding="utf-8")
    write(root, KEY_PATH.lstrip("/"), key)
    stanzas = (
        f"[{name}]\nname=lab {name}\nbaseurl={WEB}/rpm/{name}\nenabled=1\n"
        f"gpgcheck=1\ngpgkey=file://{KEY_PATH}\n"
        for name in REPOSITORIES
    )
    write(root, "etc/yum.repos.d/lab.repo", "\n".join(stanzas))
    run(["chroot", root, "rpm", "--import", KEY_PATH])
